"""Bring a thousand communes to this code in seconds.

What changes between two blueprints is migrated once, in a scratch schema, and its SQL recorded;
then replayed in every schema that stands at the older one, in short transactions of a few communes
each. The blueprint a commune stands at changes in the transaction that changes its schema: a run
that was killed goes on where it stopped. Migrations that run Python cannot be replayed: they are
executed commune by commune, in parallel, and the report says so.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import schema_context
from psycopg import sql

from socle.core import cells
from tenants import blueprints, fences
from tenants.models import Blueprint, Tenant

BATCH: Final = 25
LOCK_TIMEOUT: Final = "2s"
TRIES: Final = 5
WORKERS: Final = 2


@dataclass(frozen=True, slots=True)
class Delta:
    """The way from one blueprint to another; `python` names migrations that cannot be replayed."""

    start: str
    target: str
    script: str
    migrations: list[list[str]]
    python: tuple[str, ...]


@dataclass
class Report:
    """What a run did and where everybody stands."""

    target: str
    upgraded: int = 0
    python: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        done = f"{self.upgraded} communes mises à jour en {self.seconds:.1f} s"
        slow = f", dont {self.python} par des migrations en Python" if self.python else ""
        left = f" ; {len(self.failed)} en échec" if self.failed else ""
        return f"{done}{slow}{left} (gabarit {self.target[:12]})"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `eta` is the number of seconds left at this pace."""

    done: int
    total: int
    eta: float


Say = Callable[[Progress], None]


def behind(target: str) -> list[tuple[str, str]]:
    """(schema, blueprint) of every commune that does not stand at `target`: one query."""
    return list(
        Tenant.objects.exclude(organisation=None)
        .exclude(blueprint=target)
        .order_by("pk")
        .values_list("schema_name", "blueprint")
    )


def upgrade(*, say: Say = lambda progress: None, only: Sequence[str] = ()) -> Report:
    """Bring every commune (or `only` some schemas, a canary group) to this code.

    Never raises for one commune: it is named in the report, and the next run finishes the work.
    """
    target = blueprints.current()
    late = [pair for pair in behind(target.pk) if not only or pair[0] in only]
    report, begun = Report(target.pk), monotonic()
    for start in dict.fromkeys(start for _, start in late):
        schemas = [schema for schema, standing in late if standing == start]
        _upgrade_from(start, target, schemas, report, _Pace(say, len(late), report))
    report.seconds = monotonic() - begun
    return report


@transaction.atomic
def delta(start: Blueprint, target: Blueprint) -> Delta:
    """Migrate once from `start` to `target` in the scratch schema and keep the SQL that ran."""
    new = [one for one in target.migrations if one not in start.migrations]
    python = tuple(f"{app}.{name}" for app, name in new if _runs_python(app, name))
    script = ""
    if not python:
        with blueprints.scratch(start) as statements:
            blueprints.migrate_scratch()
            script = blueprints.as_script(statements)
    return Delta(start.pk, target.pk, script, new, python)


def apply_batch(change: Delta, schemas: Sequence[str]) -> None:
    """Replay a delta in a few schemas: one transaction, one round trip, short locks.

    Raises OperationalError when a lock does not come in `LOCK_TIMEOUT`; nothing is changed then.
    """
    script = change.script + blueprints.applied_rows(change.migrations)
    body = "".join(
        blueprints.inside(schema, script) + fences.fence_script(schema) for schema in schemas
    )
    moved = sql.SQL(
        "UPDATE public.tenants_tenant SET blueprint = {target} WHERE schema_name = ANY({schemas});"
    ).format(target=sql.Literal(change.target), schemas=sql.Literal(list(schemas)))
    timeout = f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';"
    with transaction.atomic():
        blueprints.run(timeout + body + moved.as_string(None))


class _Pace:
    """Tells how far the run is after each batch."""

    def __init__(self, say: Say, total: int, report: Report) -> None:
        self.say, self.total, self.report, self.begun = say, total, report, monotonic()

    def tell(self) -> None:
        done = self.report.upgraded + len(self.report.failed)
        left = (monotonic() - self.begun) / max(done, 1) * (self.total - done)
        self.say(Progress(done, self.total, left))


def _upgrade_from(
    start: str, target: Blueprint, schemas: list[str], report: Report, pace: _Pace
) -> None:
    known = Blueprint.objects.filter(pk=start).first()
    change = delta(known, target) if known else None
    if change is None or change.python:
        _upgrade_by_python(target, schemas, report, pace)
        return
    for batch in _batches(schemas):
        _try_batch(change, batch, report)
        pace.tell()


def _batches(schemas: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(schemas), BATCH):
        yield schemas[first : first + BATCH]


def _try_batch(change: Delta, batch: list[str], report: Report) -> None:
    """A batch that fails is taken apart, so that one busy commune does not hold its neighbours."""
    try:
        apply_batch(change, batch)
    except DatabaseError:
        for schema in batch:
            _try_one(change, schema, report)
    else:
        report.upgraded += len(batch)


def _try_one(change: Delta, schema: str, report: Report) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            apply_batch(change, [schema])
        except OperationalError as problem:
            if attempt == TRIES:
                report.failed[schema] = str(problem).splitlines()[0]
        except DatabaseError as problem:
            report.failed[schema] = str(problem).splitlines()[0]
            return
        else:
            report.upgraded += 1
            return


def _upgrade_by_python(target: Blueprint, schemas: list[str], report: Report, pace: _Pace) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        for schema, problem in zip(
            schemas, pool.map(cells.carry(lambda one: _migrate(one, target)), schemas), strict=True
        ):
            if problem:
                report.failed[schema] = problem
            else:
                report.upgraded += 1
                report.python += 1
            pace.tell()


def _migrate(schema: str, target: Blueprint) -> str:
    try:
        with schema_context(schema):
            call_command("migrate_schemas", schema_name=schema, verbosity=0, interactive=False)
        blueprints.run(fences.fence_script(schema))
        Tenant.objects.filter(schema_name=schema).update(blueprint=target.pk)
    except DatabaseError as problem:
        return str(problem).splitlines()[0]
    finally:
        connection.close()
    return ""


def _runs_python(app: str, name: str) -> bool:
    migration = MigrationLoader(None).get_migration(app, name)
    return any(isinstance(operation, RunPython) for operation in migration.operations)
