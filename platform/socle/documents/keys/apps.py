from django.apps import AppConfig


class KeysConfig(AppConfig):
    """Data keys live apart from the files they open: never in a commune's schema."""

    name = "socle.documents.keys"
    label = "document_keys"
    verbose_name = "Clés des documents"
