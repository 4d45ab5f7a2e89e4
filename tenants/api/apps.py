from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events
from socle.notices import todos


class ApiConfig(AppConfig):
    name = "tenants.api"
    label = "api"
    verbose_name = "Logiciels de la commune"

    def ready(self) -> None:
        from tenants.api import queries

        navigation.register(
            Door(
                Scope.COMMUNE, "Logiciels", "software:list", Capability.ACTS_PREPARE, 85, "settings"
            )
        )
        todos.register(Scope.COMMUNE, Capability.ACTS_TRANSMIT, queries.todos)
        events.register(
            {
                "api.access_opened": "Accès ouvert au logiciel « {software} » au nom de {who}",
                "api.access_closed": "Accès du logiciel « {software} » fermé",
            }
        )
