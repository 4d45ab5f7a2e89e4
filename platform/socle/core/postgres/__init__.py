"""The database backend: django-tenants' schemas, and the role of the commune beside its schema."""
