"""What the auditor of the authority takes away, and what is kept no longer than it must be."""
