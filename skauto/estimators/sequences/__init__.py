"""Sequences: recurrent networks, MiniRocket, summaries."""
