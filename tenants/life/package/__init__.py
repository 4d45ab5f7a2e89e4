"""The package of a whole commune: one encrypted file that says how to read it. Pure."""
