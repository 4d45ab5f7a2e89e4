from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events


class DeliveryConfig(AppConfig):
    name = "socle.delivery"
    label = "delivery"
    verbose_name = "Transmission"

    def ready(self) -> None:
        from socle.delivery import queries
        from socle.notices import todos

        navigation.register(
            Door(
                Scope.PORTAL,
                "Envois bloqués",
                "delivery:desk",
                Capability.DELIVERY_READ,
                60,
                "alert",
            )
        )
        todos.register(Scope.PORTAL, Capability.DELIVERY_READ, queries.todos)
        events.register(
            {
                "delivery.sent": "Fichier {name} remis à l’opérateur {operator}",
                "delivery.refused": "Fichier {name} refusé par l’opérateur : {why}",
                "delivery.set_aside": "Retour {name} mis de côté : {why}",
                "delivery.retried": "Nouvel essai demandé pour {name}",
                "delivery.operator_saved": "Opérateur {name} enregistré ({fields})",
            }
        )
