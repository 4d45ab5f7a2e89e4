"""The documents room with a migration that writes rows in Python."""
