"""The tamper-evident journal of one schema: entries, seals, audit export, stand-alone verifier."""
