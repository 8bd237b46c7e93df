"""Compression of trained networks: steps, packed storage, fast execution."""
