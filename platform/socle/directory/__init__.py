"""Organisations, their identifiers, the State's offices, and what each body may transmit."""
