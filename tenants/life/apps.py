from django.apps import AppConfig

from socle.accounts import navigation
from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Door, Scope
from socle.core import crypto, queue
from socle.journal import events
from socle.notices import todos

SENTENCES = {
    "life.suspended": "Espace suspendu : {reason}",
    "life.resumed": "Espace rouvert : {reason}",
    "life.archive_asked": "Archive de l’espace demandée : {reason}",
    "life.archived": "Archive de l’espace prête",
    "life.archive_failed": "Archive de l’espace : {why}",
    "life.archive_downloaded": "Archive de l’espace téléchargée",
    "life.archive_erased": "Archive de l’espace effacée au terme de sa conservation",
    "life.restored": "Espace restauré depuis une archive : {rows} lignes, {files} fichiers",
    "life.destruction_asked": "Destruction de l’espace demandée : {reason}",
    "life.destruction_confirmed": "Destruction de l’espace confirmée par une seconde personne",
    "life.destruction_cancelled": "Destruction de l’espace annulée : {reason}",
    "life.destruction_begun": "Destruction de l’espace commencée",
    "life.destroyed": "Espace détruit : {rows} lignes, {files} fichiers",
}


class LifeConfig(AppConfig):
    name = "tenants.life"
    label = "life"
    verbose_name = "Vie des espaces"

    def ready(self) -> None:
        from tenants.life import archives, gate, queries

        navigation.register(
            Door(
                Scope.PORTAL,
                "Vie des espaces",
                "life:spaces",
                Capability.SPACES_READ,
                80,
                "archive",
            )
        )
        todos.register(Scope.PORTAL, Capability.SPACES_CONFIRM, queries.todos)
        todos.register(Scope.PORTAL, Capability.SPACES_ARCHIVE, queries.archive_todos)
        events.register(SENTENCES)
        crypto.register("life.Archive", "sealed_secret", purpose=archives.PURPOSE)
        queue.register_gate(gate.is_open)
