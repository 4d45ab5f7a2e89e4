"""Appointments at the counter and in the communes."""
