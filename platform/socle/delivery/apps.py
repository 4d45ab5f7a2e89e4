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
        from socle.core import sweeps
        from socle.delivery import banners, queries, stumbles
        from socle.notices import announcements, todos

        sweeps.register(stumbles.Desk())
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
        announcements.register(Scope.PORTAL, Capability.DELIVERY_READ, banners.for_portal)
        todos.register(Scope.PORTAL, Capability.DELIVERY_READ, queries.todos)
        events.register(
            {
                "delivery.sent": "Fichier {name} remis à l’opérateur {operator}",
                "delivery.refused": "Fichier {name} refusé par l’opérateur : {why}",
                "delivery.set_aside": "Retour {name} mis de côté : {why}",
                "delivery.confirmed": "Retour {name} confirmé par une personne ({why})",
                "delivery.dismissed": "Retour {name} écarté ({why})",
                "delivery.retried": "Nouvel essai demandé pour {name}",
                "delivery.window_declared": "Interruption de {operator} déclarée ({reason})",
                "delivery.window_ended": "Interruption de {operator} levée ({reason})",
                "delivery.operator_back": "{operator} répond de nouveau",
                "delivery.change_planned": "{protocol} : ce qui part le {on} et après passera par "
                "{to}",
                "delivery.change_given_up": "{protocol} : le passage à {to} est abandonné",
                "delivery.raw_opened": "Retour {name} téléchargé tel qu’il est arrivé",
                "delivery.operator_saved": "Opérateur {name} enregistré ({fields})",
            },
            words={
                "fields": {
                    field.name: str(field.verbose_name)
                    for field in self.get_model("TransmissionOperator")._meta.fields
                }
            },
        )
