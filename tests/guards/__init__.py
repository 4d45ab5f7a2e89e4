"""Rules of the whole code base that nobody can forget."""
