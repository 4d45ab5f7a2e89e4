from django.apps import AppConfig


class HeliosConfig(AppConfig):
    name = "socle.helios"
    label = "helios"
    verbose_name = "HELIOS"
