"""The application that carries the templates and static files; it has no model."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Page shell and components."""

    name = "socle.web"
    label = "web"
    verbose_name = "Interface"
