"""`manage.py exercise --port 8801 --state DIR --delay 2`: run the practice offices."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from socle.core.refusals import Refusal
from socle.exercise import cli


class Command(BaseCommand):
    help = "Ouvre la préfecture et la trésorerie d'exercice jusqu'à l'arrêt de la commande."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        cli.add_arguments(parser)

    def handle(
        self,
        *args: Any,
        host: str,
        port: int,
        state: Path | None,
        delay: float,
        token_file: Path | None,
        **options: Any,
    ) -> None:
        try:
            cli.run(
                host=host, port=port, state=state, delay=delay, token_file=token_file, say=self._say
            )
        except (Refusal, OSError) as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
