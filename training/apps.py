from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.journal import events


class TrainingConfig(AppConfig):
    name = "training"
    label = "training"
    verbose_name = "Formation"

    def ready(self) -> None:
        from socle.notices import todos
        from training import queries

        navigation.register(
            Door(
                Scope.PORTAL,
                "Formations",
                "training:sessions",
                Capability.TRAINING_READ,
                40,
                "graduation",
            ),
            Door(
                Scope.COMMUNE,
                "Formations",
                "training_commune:mine",
                Capability.TRAINING_ATTEND,
                50,
                "graduation",
            ),
        )
        todos.register(Scope.PORTAL, Capability.TRAINING_PLAN, queries.trainer_todos)
        todos.register(Scope.COMMUNE, Capability.TRAINING_ATTEND, queries.agent_todos)
        events.register(
            {
                "training.programme_saved": "Programme de formation enregistré : {title}",
                "training.session_planned": "Session planifiée : {title}, {when}",
                "training.session_opened": "Inscriptions ouvertes : {title}, {when}",
                "training.session_moved": "Session modifiée : {title}, {when}",
                "training.session_cancelled": "Session annulée : {title}, {when} ({reason})",
                "training.agent_registered": "{agent} à la formation {title} : {state}",
                "training.agent_promoted": "{agent} obtient une place à la formation {title}",
                "training.agent_withdrawn": "{agent} se désiste de la formation {title}",
                "training.convened": "Convocations envoyées ({agents}) : {title}, {when}",
                "training.half_day_signed": "Émargement du {half_day} : {title}",
                "training.session_closed": "Session clôturée : {title}, {when}",
                "training.attested": "Attestation délivrée à {agent} : {title}",
            }
        )
