from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events


class HeliosConfig(AppConfig):
    name = "socle.helios"
    label = "helios"
    verbose_name = "HELIOS"

    def ready(self) -> None:
        from socle.delivery import banners, handlers
        from socle.directory.models import Protocol
        from socle.helios import queries, returns
        from socle.notices import todos

        handlers.register(
            Protocol.HELIOS,
            handlers.Room(
                sent=returns.sent,
                refused=returns.refused,
                receive=returns.receive,
                check=returns.check,
            ),
        )
        banners.register(Protocol.HELIOS, "helios:list", Capability.FLOWS_READ)
        navigation.register(
            Door(Scope.COMMUNE, "Flux comptables", "helios:list", Capability.FLOWS_READ, 20, "flow")
        )
        todos.register(Scope.COMMUNE, Capability.FLOWS_PREPARE, queries.todos)
        todos.register(Scope.COMMUNE, Capability.FLOWS_TRANSMIT, queries.todos_to_transmit)
        events.register(
            {
                "helios.deposited": "Flux {nom_fic} déposé ({budget})",
                "helios.completed": "Flux {nom_fic} rattaché à « {budget} », prêt à transmettre",
                "helios.transmitted": "Transmission du flux {nom_fic} demandée, sous le nom {name}",
                "helios.sent": "Flux {nom_fic} remis à l’opérateur {operator}",
                "helios.failed": "Flux {nom_fic} non pris par l’opérateur : {why}",
                "helios.acquit_received": "Acquit de la trésorerie pour {nom_fic} : {verdict}",
                "helios.acquit_kept": "Autre acquit conservé pour {nom_fic} ({verdict}), sans "
                "changement",
                "helios.withdrawn": "Flux {nom_fic} retiré avant l’envoi",
                "helios.settled": "Flux {nom_fic} marqué comme traité",
                "helios.budget_recorded": "Budget {label} enregistré (codes {cod_col} et "
                "{cod_bud}, poste {id_post})",
                "helios.retour_taken": "PES retour {name} pris par le logiciel de la commune",
                "helios.retour_received": "PES retour reçu de la trésorerie : {kinds}",
            }
        )
