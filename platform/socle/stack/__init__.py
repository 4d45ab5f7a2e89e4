"""The embedded stack: a real PostgreSQL and a real broker from wheels, and their supervisor.

It serves the demo, the tests and a small syndicat. In production the same application runs on
servers given by address, and nothing of this package is loaded.
"""
