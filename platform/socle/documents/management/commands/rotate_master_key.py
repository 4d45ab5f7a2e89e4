from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socle.documents.keys import actions


class Command(BaseCommand):
    help = (
        "Re-chiffre les clés de données, de SOCLE_MASTER_KEY_PREVIOUS vers SOCLE_MASTER_KEY. "
        "Les fichiers ne sont pas touchés ; la commande peut être relancée."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = actions.rotate()
        self.stdout.write(
            f"{done.rewrapped} clé(s) passée(s) sous la clé maîtresse actuelle, "
            f"{done.current} y étai(en)t déjà."
        )
        if done.unknown:
            raise CommandError(
                "Aucune clé maîtresse configurée n’ouvre les clés de : "
                f"{', '.join(done.unknown)}. Remettez l’ancienne clé dans "
                "SOCLE_MASTER_KEY_PREVIOUS, puis relancez la commande."
            )
