"""What is done, or looked at, on every server of PostgreSQL."""

from dataclasses import dataclass, field
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from socle.config.health import check_serves
from socle.core import cells
from tenants.models import Domain, Tenant


class OnEveryServer(BaseCommand):
    """A command that does its work (`handle_here`) in each cell, one after the other.

    A cell that fails or does not answer stops no other: the command fails at its end and names it.
    Called by another such command, it stays in the cell of that one.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        """Go from cell to cell."""
        if len(cells.names()) == 1 or _going:
            self.handle_here(*args, **options)
            return
        failed = []
        for cell in cells.names():
            self.stdout.write(f"Serveur « {cell} »")
            _going.append(cell)
            try:
                cells.check_answers(cell)
                with cells.inside(cell):
                    self.handle_here(*args, **options)
            except (cells.CellDown, DatabaseError, CommandError) as problem:
                failed.append(cell)
                silent = isinstance(problem, cells.CellDown)
                self.stderr.write(f"  {cell} : {'ne répond pas' if silent else problem}")
            finally:
                _going.pop()
        if failed:
            raise CommandError(f"À relancer : {', '.join(failed)}.")

    def handle_here(self, *args: Any, **options: Any) -> None:
        """Do the work in the current cell. Raises CommandError."""
        raise NotImplementedError


_going: list[str] = []


@dataclass
class Cell:
    """One server as it stands. `strangers` are SIREN it holds and the placement puts elsewhere."""

    name: str
    portal: str
    answers: bool = False
    at_this_code: bool = False
    strangers: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    schemas: set[str] = field(default_factory=set)


def survey() -> list[Cell]:
    """Look at every cell."""
    return [_look(cell) for cell in cells.names()]


def doubles(found: list[Cell]) -> list[str]:
    """The hosts and schemas that several cells hold: nobody is served there until one lets go."""
    seen: set[str] = set()
    twice: set[str] = set()
    for cell in found:
        names = cell.hosts | cell.schemas
        twice |= seen & names
        seen |= names
    return sorted(twice)


def _look(name: str) -> Cell:
    cell = Cell(name, cells.portal_host(name))
    try:
        cells.check_answers(name)
        cell.answers = True
        check_serves(name)
        cell.at_this_code = True
    except cells.CellDown:
        return cell
    with cells.inside(name):
        for tenant in Tenant.objects.exclude(organisation=None).select_related("organisation"):
            body = tenant.organisation
            cell.schemas.add(tenant.schema_name)
            if cells.placed(departement=body.departement, siren=body.siren) != name:
                cell.strangers.append(body.siren)
        cell.hosts = set(Domain.objects.values_list("domain", flat=True))
    return cell
