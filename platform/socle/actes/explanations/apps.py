from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events


class ExplanationsConfig(AppConfig):
    name = "socle.actes.explanations"
    label = "explanations"
    verbose_name = "Explications des refus"

    def ready(self) -> None:
        navigation.register(
            Door(
                Scope.PORTAL,
                "Refus de la préfecture",
                "explanations:list",
                Capability.DELIVERY_READ,
                65,
                "info",
            )
        )
        events.register(
            {
                "explanations.written": "Explication du refus {code} écrite : {meaning} {remedy}",
                "explanations.reset": "Explication du refus {code} revenue au texte d’origine",
            }
        )
