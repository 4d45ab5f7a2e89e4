"""A syndicat that is itself homologated: acts straight to the ministry, its answers by mail."""
