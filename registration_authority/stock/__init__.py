"""Tokens: where each is, who moved it, who counted it."""
