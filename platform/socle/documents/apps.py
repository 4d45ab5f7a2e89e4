from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """Files at rest. Its table is in every schema: what is a commune's leaves with the commune."""

    name = "socle.documents"
    label = "documents"
    verbose_name = "Documents"
