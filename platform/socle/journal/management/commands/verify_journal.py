from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from socle.journal import integrity


class Command(BaseCommand):
    help = "Revérifie le journal d'un schéma, ou de tous : empreintes, scellements, déclencheurs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--schema", help="un seul schéma")

    def handle(self, *, schema: str | None = None, **_: Any) -> None:
        known = integrity.schemas()
        if schema and schema not in known:
            raise CommandError(f"Aucun journal dans le schéma « {schema} ».")
        damaged = [name for name in ([schema] if schema else known) if not self._is_sound(name)]
        if damaged:
            raise CommandError(f"Journal altéré : {', '.join(damaged)}.")

    def _is_sound(self, schema: str) -> bool:
        report = integrity.check(schema)
        verdict = "NON" if report.faults else "OK"
        self.stdout.write(
            f"{schema} : {verdict} — écritures : {report.entries}, scellements : {report.seals}"
        )
        for fault in report.faults:
            self.stdout.write(f"  {fault}")
        return not report.faults
