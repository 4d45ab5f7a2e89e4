"""Settings, urls and entry points: what turns the rooms into one running service."""
