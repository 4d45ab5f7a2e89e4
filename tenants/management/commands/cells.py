"""Say how each server of PostgreSQL stands, and what is not where it should be."""

from typing import Any

from django.core.management import BaseCommand, CommandError

from tenants import everywhere


class Command(BaseCommand):
    help = "Montre chaque serveur (cellule), ses communes, et ce qui n'est pas à sa place."

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each cell; fails when one is silent, late, or something is misplaced."""
        found = everywhere.survey()
        wrong = [self._say(cell) for cell in found]
        for name in (twice := everywhere.doubles(found)):
            self.stderr.write(f"  {name} est tenu par deux serveurs")
        if any(wrong) or twice:
            raise CommandError("Tout n’est pas à sa place : voir docs/operations/growing.md.")

    def _say(self, cell: everywhere.Cell) -> bool:
        state = "ne répond pas"
        if cell.answers:
            late = "" if cell.at_this_code else ", plus ancien que le code : lancez migrate_all"
            state = f"{len(cell.schemas)} communes{late}"
        self.stdout.write(f"{cell.name:<12} {cell.portal:<40} {state}")
        for siren in cell.strangers:
            self.stderr.write(f"  {siren} est placé ailleurs par SOCLE_PLACEMENT")
        return not cell.at_this_code or bool(cell.strangers)
