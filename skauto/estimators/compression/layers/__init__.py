"""Layers that compressed networks are made of."""
