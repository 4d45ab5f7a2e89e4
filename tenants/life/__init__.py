"""A commune's space after it was opened: suspended, archived, restored, destroyed."""
