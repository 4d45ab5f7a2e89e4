"""A commune connected step by step."""
