"""The practice offices, asked by senders written from the norm alone."""
