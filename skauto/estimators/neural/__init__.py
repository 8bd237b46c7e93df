"""The one training loop of all networks, and its parts."""
