"""`manage.py exercise`."""
