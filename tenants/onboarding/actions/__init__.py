"""What happens to a case: one function per event, grouped by paper."""
