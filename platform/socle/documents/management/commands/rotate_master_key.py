from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from socle.documents.keys import actions
from socle.documents.keys.actions import Resealing


class Command(BaseCommand):
    help = (
        "Passe les clés de données et les secrets scellés de SOCLE_MASTER_KEY_PREVIOUS à "
        "SOCLE_MASTER_KEY. Les fichiers ne sont pas touchés ; la commande peut être relancée."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Report each count; ends with an error naming what neither master key opens."""
        keys = actions.rotate()
        self.stdout.write(
            f"{keys.rewrapped} clé(s) passée(s) sous la clé maîtresse actuelle, "
            f"{keys.current} y étai(en)t déjà."
        )
        columns = actions.reseal()
        for done in columns:
            self.stdout.write(
                f"{done.column.model}.{done.column.field} : {done.resealed} secret(s) scellé(s) "
                f"de nouveau, {done.current} l’étai(en)t déjà."
            )
        if closed := [*keys.unknown, *_closed(columns)]:
            raise CommandError(
                f"Aucune clé maîtresse configurée n’ouvre : {', '.join(closed)}. Remettez "
                "l’ancienne clé dans SOCLE_MASTER_KEY_PREVIOUS, puis relancez la commande."
            )
        self.stdout.write(
            "SOCLE_MASTER_KEY ouvre tout à elle seule : "
            "SOCLE_MASTER_KEY_PREVIOUS peut être retirée."
        )


def _closed(columns: Iterable[Resealing]) -> list[str]:
    return [
        f"{done.column.model}.{done.column.field} nº {row}"
        for done in columns
        for row in done.unknown
    ]
