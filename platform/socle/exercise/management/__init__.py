"""Commands of the practice offices."""
