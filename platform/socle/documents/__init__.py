"""Files at rest, encrypted; what they really are; and the papers Socle writes."""
