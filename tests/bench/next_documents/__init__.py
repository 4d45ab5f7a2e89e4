"""The documents room with one column more."""
