"""What the caller handed in, checked once at the public door."""
