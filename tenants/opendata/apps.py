from django.apps import AppConfig

from socle.journal import events


class OpenDataConfig(AppConfig):
    name = "tenants.opendata"
    label = "opendata"
    verbose_name = "Données ouvertes"

    def ready(self) -> None:
        events.register(
            {
                "opendata.published": "Délibérations publiées en données ouvertes : {lines}, de "
                "{bodies} collectivités",
            }
        )
