"""Compressed networks as files."""
