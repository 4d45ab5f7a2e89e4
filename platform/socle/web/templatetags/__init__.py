"""Template tags and filters of Socle, available in every template without `{% load %}`."""
