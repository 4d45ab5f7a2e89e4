"""Bring a thousand communes to this code in seconds.

The way from one blueprint to another is a list of steps. Migrations that only change the schema
are executed once, in a scratch schema, and their SQL recorded; a step replays it in every commune
that stands before it, in short transactions of a few communes each. A migration that runs Python
cannot be replayed: it is a step of its own, executed commune by commune, in parallel, and the
report says so. The blueprint a commune stands at changes in the transaction that changes its
schema: a commune is before or after a step, never inside, and a run that was killed goes on where
it stopped.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django_tenants.utils import schema_context
from psycopg import sql
from psycopg.errors import DiskFull, QueryCanceled

from socle.core import cells
from tenants import blueprints, fences
from tenants.history import Key, Prepared, Walk, is_replayable, key_of
from tenants.models import Blueprint, Tenant

BATCH: Final = 25
WORKERS: Final = 4
TRIES: Final = 5
PAUSE: Final = 0.5
"""Seconds between two tries on a commune somebody is busy in."""
BATCH_LOCK: Final = "300ms"
"""How long a batch waits for a lock: it holds those of its other communes meanwhile."""
LOCK: Final = "2s"
"""How long a commune alone waits for one."""
PATIENCE: Final = 30.0
"""Seconds a server that went away has to come back."""


class UnknownSchema(Exception):
    """A schema that was named is no commune's."""


class ServerGone(Exception):
    """PostgreSQL went away in the middle and did not come back."""


@dataclass(frozen=True, slots=True)
class Step:
    """What brings communes from one blueprint to the next, in one transaction each time."""

    start: str
    target: str
    migrations: list[list[str]]
    script: str = ""
    python: tuple[Prepared, ...] = ()
    fenced: bool = False
    """Whether the fence is put up again: new tables, or another fence."""

    @property
    def name(self) -> str:
        """The migrations of the step, in short."""
        names = [".".join(one) for one in self.migrations]
        return ", ".join(names[:3]) + (", …" if len(names) > 3 else "") or "cloisons"


@dataclass(frozen=True, slots=True)
class Standing:
    """Communes at one blueprint, and the migrations they still miss; none: they are up to date."""

    blueprint: str
    missing: tuple[str, ...]
    schemas: tuple[str, ...]
    ahead: bool = False
    """Whether they stand at a later release than this code."""

    def __str__(self) -> str:
        count = f"{len(self.schemas)} commune{'s' if len(self.schemas) > 1 else ''}"
        names = ", ".join(self.schemas[:5]) + (", …" if len(self.schemas) > 5 else "")
        if self.ahead:
            return f"{count} en avance sur ce code, laissées telles quelles : {names}"
        if not self.blueprint or self.missing:
            return f"{count} avant {', '.join(self.missing) or 'tout'} : {names}"
        return f"{count} au gabarit {self.blueprint[:12]}"


@dataclass
class Report:
    """What a run did. Where everybody stands after it is `whereabouts`."""

    target: str
    upgraded: int = 0
    python: dict[str, int] = field(default_factory=dict)
    """Migrations executed commune by commune, with the number of communes."""
    failed: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    """Why the run ended before its end; "" when it did not."""
    seconds: float = 0.0

    def __str__(self) -> str:
        done = f"{self.upgraded} communes mises à jour en {self.seconds:.1f} s"
        slow = "".join(
            f" ; {name} contient du Python : exécutée une à une dans {count} communes"
            for name, count in self.python.items()
        )
        left = f" ; {len(self.failed)} en échec" if self.failed else ""
        return f"{done}{slow}{left} (gabarit {self.target[:12]})"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is; `eta` is the number of seconds left in it at this pace."""

    step: str
    done: int
    total: int
    eta: float


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run may go."""

    batch: int = BATCH
    workers: int = WORKERS


Say = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Say nothing."""


def communes() -> list[tuple[str, str]]:
    """(schema, blueprint) of every commune: one query."""
    found = Tenant.objects.exclude(organisation=None).order_by("pk")
    return list(found.values_list("schema_name", "blueprint"))


def behind(target: str) -> list[tuple[str, str]]:
    """Those of `communes` that do not stand at `target`."""
    return [pair for pair in communes() if pair[1] != target]


def upgrade(
    *,
    say: Say = silent,
    only: Collection[str] = (),
    first: Collection[str] = (),
    pace: Pace = Pace(),
) -> Report:
    """Bring every commune, or `only` some schemas, to this code.

    The canary group `first` goes before the others, and they stay where they are if it has trouble.
    Never raises for one commune: it is named in the report, and the next run finishes the work.
    Raises UnknownSchema.
    """
    run, everybody = _Run(say, pace), communes()
    _check_known({*only, *first}, everybody)
    late = [pair for pair in everybody if pair[1] != run.report.target]
    if late or not everybody:
        run.target = blueprints.current()
        run.go([pair for pair in late if pair[0] in first])
        if run.report.failed:
            run.report.stopped = "Le groupe témoin a échoué : les autres communes n’ont pas bougé."
        else:
            run.finish(only)
    run.report.seconds = time.monotonic() - run.begun
    return run.report


def whereabouts() -> list[Standing]:
    """Where every commune stands, those of this code first."""
    target = blueprints.fingerprint()
    found: dict[str, list[str]] = {}
    for schema, blueprint in communes():
        found.setdefault(blueprint, []).append(schema)
    known = {one.pk: one for one in Blueprint.objects.filter(pk__in=found).defer("ddl")}
    return [
        _standing(pk, known.get(pk), found[pk], target)
        for pk in sorted(found, key=lambda pk: (pk != target, pk))
    ]


@transaction.atomic
def steps(start: Blueprint, target: Blueprint) -> list[Step]:
    """The way from `start` to `target`: migrate once in the scratch schema, keep the SQL that ran.

    The blueprints between two steps are kept: a run that finds communes there goes on from them.
    """
    made: list[Step] = []
    prepared = _python_after(start)
    with blueprints.scratch(start) as recorder:
        for migration, script in recorder.forward(Walk(_keys(start))):
            key = [migration.app_label, migration.name]
            if not is_replayable(migration):
                step = Step("", "", [key], script, (prepared[key_of(migration)],), fenced=True)
            elif made and not made[-1].python:
                before = made.pop()
                step = Step("", "", [*before.migrations, key], before.script + script)
            else:
                step = Step("", "", [key], script)
            made.append(step)
    return _chained(made, start, target)


def apply(step: Step, schemas: Sequence[str], *, lock: str = LOCK) -> list[str]:
    """Take a few communes over a step, in one transaction with short locks; gives those it took.

    One that no longer stands before the step is left alone: another run took it, or it is deleted.
    Raises OperationalError when a lock does not come in `lock`; nothing is changed then.
    """
    with transaction.atomic():
        moved = _claim(step, schemas, lock)
        if step.python:
            for schema in moved:
                _execute(step.python, schema)
        rows = blueprints.applied_rows(step.migrations)
        script = rows if step.python else step.script + rows
        body = "".join(
            blueprints.inside(schema, script) + (fences.fence_script(schema) if step.fenced else "")
            for schema in moved
        )
        if body:
            blueprints.run(body)
    return moved


class _Run:
    """One upgrade, from what is late to the report."""

    def __init__(self, say: Say, pace: Pace) -> None:
        self.say, self.pace, self.begun = say, pace, time.monotonic()
        self.report = Report(blueprints.fingerprint())
        self.target: Blueprint | None = None
        self._seen: set[str] = set()

    def finish(self, only: Collection[str]) -> None:
        """Take everybody who is late, and whoever was provisioned by older code meanwhile."""
        while not self.report.stopped:
            late = [pair for pair in behind(self.report.target) if pair[0] not in self._seen]
            late = [pair for pair in late if not only or pair[0] in only]
            if not late:
                return
            self.go(late)

    def go(self, late: list[tuple[str, str]]) -> None:
        """Take communes all the way; what stops the whole run is written in the report."""
        self._seen.update(schema for schema, _ in late)
        try:
            for start in dict.fromkeys(start for _, start in late):
                self._from(start, [schema for schema, standing in late if standing == start])
        except ServerGone as problem:
            self.report.stopped = str(problem)

    def _from(self, start: str, schemas: list[str]) -> None:
        known = Blueprint.objects.filter(pk=start).first()
        if known is not None and Walk(_keys(known)).unknown():
            return  # a later release was here: left as it is
        # What new communes are opened at from now on.
        Blueprint.objects.filter(pk=self.target.pk).update(recorded_at=timezone.now())
        if known is None:
            for schema in schemas:
                self._walk(_unrecorded(schema, start, self.target), [schema])
        else:
            for step in steps(known, self.target):
                schemas = self._walk(step, schemas)

    def _walk(self, step: Step, schemas: list[str]) -> list[str]:
        """Take communes over one step; gives those that are on its other side."""
        there, begun, failed = [], time.monotonic(), len(self.report.failed)
        for moved in self._moves(step, schemas):
            there += moved
            done = len(there) + len(self.report.failed) - failed
            left = (time.monotonic() - begun) / max(done, 1) * max(len(schemas) - done, 0)
            self.say(Progress(step.name, done, len(schemas), left))
        if step.python:
            self.report.python[step.name] = self.report.python.get(step.name, 0) + len(there)
        if step.target == self.report.target:
            self.report.upgraded += len(there)
        return there

    def _moves(self, step: Step, schemas: list[str]) -> Iterator[list[str]]:
        if step.python:
            with ThreadPoolExecutor(self.pace.workers) as pool:
                alone = cells.carry(lambda schema: self._alone(step, schema, close=True))
                yield from pool.map(alone, schemas)
            return
        busy: list[str] = []
        for batch in _batches(schemas, self.pace.batch):
            try:
                yield apply(step, batch, lock=BATCH_LOCK)
            except Error:
                # Taken apart once the others are done: a busy commune does not hold them.
                _come_back()
                busy += batch
        for schema in busy:
            yield self._alone(step, schema)

    def _alone(self, step: Step, schema: str, *, close: bool = False) -> list[str]:
        """Take one commune over a step, several times if somebody is busy in it."""
        try:
            for attempt in range(1, TRIES + 1):
                try:
                    return apply(step, [schema])
                except Error as problem:
                    _come_back()
                    if attempt == TRIES or not _may_pass(problem):
                        self.report.failed[schema] = first_line(problem)
                        return []
                    time.sleep(PAUSE)
        except ServerGone:
            raise
        except Exception as problem:  # noqa: BLE001 -- a migration's own code: one commune's trouble
            self.report.failed[schema] = f"{type(problem).__name__} : {first_line(problem)}"
        finally:
            if close:  # this thread's own connection
                connection.close()
        return []


def _may_pass(problem: Error) -> bool:
    """Whether the same step may succeed a moment later: a lock, a restart; not a full disk."""
    if isinstance(problem.__cause__, (QueryCanceled, DiskFull)):
        return False
    return isinstance(problem, (OperationalError, InterfaceError))


def _batches(schemas: list[str], size: int) -> Iterator[list[str]]:
    for first in range(0, len(schemas), size):
        yield schemas[first : first + size]


def _claim(step: Step, schemas: Sequence[str], lock: str) -> list[str]:
    claim = sql.SQL(
        "SET LOCAL lock_timeout = {lock}; UPDATE public.tenants_tenant SET blueprint = {target} "
        "WHERE schema_name = ANY({schemas}) AND blueprint = {start} RETURNING schema_name"
    ).format(
        lock=sql.Literal(lock),
        target=sql.Literal(step.target),
        schemas=sql.Literal(list(schemas)),
        start=sql.Literal(step.start),
    )
    with connection.cursor() as cursor:
        cursor.execute(claim)
        cursor.nextset()
        return [schema for (schema,) in cursor.fetchall()]


def _execute(python: tuple[Prepared, ...], schema: str) -> None:
    with schema_context(schema):
        for one in python:
            with connection.schema_editor(atomic=True) as editor:
                one.execute(editor)


def _chained(made: list[Step], start: Blueprint, target: Blueprint) -> list[Step]:
    """Name what stands between the steps, and give the last one all that is left to note."""
    passed = {tuple(key) for key in start.migrations}
    noted = {tuple(key) for step in made for key in step.migrations}
    rest = [key for key in target.migrations if tuple(key) not in passed | noted]
    made = made or [Step("", "", [])]
    other_fence = blueprints.fence_of(start.pk) != blueprints.fence_of(target.pk)
    chain, here = [], start
    for number, step in enumerate(made, 1):
        last = number == len(made)
        migrations = [*step.migrations, *rest] if last else step.migrations
        there = target if last else _kept_between(here, step)
        fenced = step.fenced or "CREATE TABLE" in step.script or (last and other_fence)
        chain.append(Step(here.pk, there.pk, migrations, step.script, step.python, fenced))
        here = there
    return chain


def _kept_between(here: Blueprint, step: Step) -> Blueprint:
    """Never the newest: no commune is provisioned half-way."""
    kept, _ = Blueprint.objects.get_or_create(
        pk=blueprints.between(here.pk, step.migrations),
        defaults={
            "ddl": here.ddl + step.script,
            "migrations": [*here.migrations, *step.migrations],
            "recorded_at": here.recorded_at,
        },
    )
    return kept


def _unrecorded(schema: str, start: str, target: Blueprint) -> Step:
    """What a commune of no known blueprint misses, read in it and executed as Python would be."""
    applied = blueprints.applied_in(schema)
    python = tuple(Walk((app, name) for app, name in applied).prepare())
    missing = [key for key in target.migrations if key not in applied]
    return Step(start, target.pk, missing, python=python, fenced=True)


def _python_after(start: Blueprint) -> dict[Key, Prepared]:
    """The migrations in Python that `start` misses, their models built here and not in threads."""
    python = [one for one in Walk(_keys(start)).prepare() if not is_replayable(one.migration)]
    for one in python:
        one.build()
    return {key_of(one.migration): one for one in python}


def _standing(pk: str, known: Blueprint | None, schemas: list[str], target: str) -> Standing:
    if pk == target:
        return Standing(pk, (), tuple(schemas))
    if known is None:
        return Standing("", (), tuple(schemas))
    walk = Walk(_keys(known))
    missing = tuple(".".join(key) for key in walk.missing()) or ("cloisons",)
    return Standing(pk, missing, tuple(schemas), ahead=bool(walk.unknown()))


def _keys(blueprint: Blueprint) -> list[Key]:
    return [(app, name) for app, name in blueprint.migrations]


def _check_known(named: set[str], everybody: list[tuple[str, str]]) -> None:
    if unknown := sorted(named - {schema for schema, _ in everybody}):
        raise UnknownSchema(f"Aucune commune n’a le schéma {', '.join(unknown)}.")


def _come_back() -> None:
    """Reconnect when the connection was lost; a restart of the server is waited for."""
    if connection.in_atomic_block or connection.is_usable():
        return
    connection.close()
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            connection.ensure_connection()
        except OperationalError as problem:
            if time.monotonic() > limit:
                raise ServerGone(
                    f"PostgreSQL ne répond plus ({first_line(problem)}) : rien n’est à moitié "
                    "fait, relancez quand il est revenu."
                ) from problem
            time.sleep(PAUSE)
        else:
            return


def first_line(problem: Exception) -> str:
    """What went wrong, without the context PostgreSQL adds."""
    return str(problem).strip().split("\n", 1)[0]
