"""One trial in a worker, and what it is judged by."""
