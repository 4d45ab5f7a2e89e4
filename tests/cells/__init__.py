"""Communes on two servers of PostgreSQL, an export from a third: real ones, on loopback."""
