"""The documents room three migrations later: schema, Python, schema."""
