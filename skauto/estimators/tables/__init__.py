"""Tables: the cleaner, and networks on them."""
