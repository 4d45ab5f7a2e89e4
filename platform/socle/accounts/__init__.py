"""People, how they log in, and what their roles let them do."""
