"""Every certificate a commune depends on, what its authority says of it, and why one is refused."""
