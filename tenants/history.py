"""The migrations of the rooms that live in communes: their order, their states, their execution.

Django's executor asks the catalogue which tables exist, those of all communes for each commune, and
builds every model again for each. Here the models are built once, whatever the number of communes.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from django.conf import settings
from django.db.migrations import Migration, RunPython, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

Key = tuple[str, str]
_DJANGO: Final = ("django.db.migrations.operations.", "django.contrib.postgres.operations")


def tenant_labels() -> frozenset[str]:
    """The labels of the apps whose tables live in each commune's schema."""
    return frozenset(app.split(".")[-1] for app in settings.TENANT_APPS)


def key_of(migration: Migration) -> Key:
    """(app, name), as django_migrations keeps it."""
    return migration.app_label, migration.name


def is_replayable(migration: Migration) -> bool:
    """Whether the SQL of a migration is the same in every commune: no Python runs in it."""
    return all(map(_is_schema_only, migration.operations))


def _is_schema_only(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(map(_is_schema_only, operation.database_operations))
    ours = type(operation).__module__.startswith(_DJANGO)
    return ours and not isinstance(operation, RunPython)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A migration with its states: it can be executed in as many communes as there are."""

    migration: Migration
    states: tuple[ProjectState, ...]

    def build(self) -> None:
        """Build the models of every state now, which takes a while, rather than at first use."""
        for state in self.states:
            _ = state.apps

    def execute(self, editor: Any) -> None:
        """Execute every operation in the current schema; the caller holds the transaction."""
        stages = zip(self.migration.operations, pairwise(self.states), strict=True)
        for operation, (before, after) in stages:
            operation.database_forwards(self.migration.app_label, editor, before, after)


class Walk:
    """From the migrations a schema has to those of this code, one migration after the other.

    `upto` names the only ones to know, those of an older release; None for all.
    """

    def __init__(self, applied: Iterable[Key] = (), *, upto: Collection[Key] | None = None) -> None:
        self.loader = MigrationLoader(None)
        self._upto = upto
        self._done = set(applied)
        self._state = ProjectState(real_apps=self.loader.unmigrated_apps)
        self._missing: list[Migration] = []
        for migration in self._in_order():
            if self._has(migration):
                migration.mutate_state(self._state, preserve=False)
            else:
                self._missing.append(migration)

    def everything(self) -> list[list[str]]:
        """Every migration of this code, in an order Django would take."""
        graph = self.loader.graph
        plan = dict.fromkeys(
            key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf)
        )
        return [list(key) for key in plan if self._upto is None or key in self._upto]

    def missing(self) -> list[Key]:
        """The migrations of the communes' rooms that are not applied yet, in their order."""
        labels = tenant_labels()
        return [key_of(one) for one in self._missing if one.app_label in labels]

    def unknown(self) -> list[Key]:
        """What is applied in the communes' rooms and this code does not know: it is older."""
        disk = self.loader.disk_migrations
        known = set(disk) | {tuple(old) for one in disk.values() for old in one.replaces}
        return sorted(key for key in self._done - known if key[0] in tenant_labels())

    def forward(self, editors: Callable[[], Any]) -> Iterator[Migration]:
        """Execute what is missing in the current schema; yields each migration once it ran.

        `editors()` gives the schema editor of one migration.
        """
        for migration in self._to_execute():
            vars(self._state).pop("apps", None)
            with editors() as editor:
                self._state = migration.apply(self._state, editor)
            yield migration

    def prepare(self) -> Iterator[Prepared]:
        """What is missing, each with its states, for execution in many communes."""
        for migration in self._to_execute():
            vars(self._state).pop("apps", None)
            states = [self._state.clone()]
            for operation in migration.operations:
                operation.state_forwards(migration.app_label, self._state)
                states.append(self._state.clone())
            yield Prepared(migration, tuple(states))

    def _to_execute(self) -> Iterator[Migration]:
        """The communes' migrations; those of the shared rooms only change what models look like."""
        labels = tenant_labels()
        for migration in self._missing:
            if migration.app_label in labels:
                yield migration
            else:
                vars(self._state).pop("apps", None)  # or every model would be built again each time
                migration.mutate_state(self._state, preserve=False)

    def _has(self, migration: Migration) -> bool:
        replaced = {tuple(key) for key in migration.replaces}
        return key_of(migration) in self._done or bool(replaced and replaced <= self._done)

    def _in_order(self) -> list[Migration]:
        """The communes' migrations and what they stand on, shared rooms as early as they can."""
        graph, labels = self.loader.graph, tenant_labels()
        waiting = self._plan([key for key in graph.leaf_nodes() if key[0] in labels])
        placed: dict[Key, Migration] = {}
        while waiting:
            ready = [
                key
                for key in waiting
                if all(parent.key in placed for parent in graph.node_map[key].parents)
            ]
            shared = [key for key in ready if key[0] not in labels]
            for key in shared or ready[:1]:
                placed[key] = graph.nodes[key]
                waiting.remove(key)
        return list(placed.values())

    def _plan(self, leaves: list[Key]) -> list[Key]:
        steps = (key for leaf in leaves for key in self.loader.graph.forwards_plan(leaf))
        return [key for key in dict.fromkeys(steps) if self._upto is None or key in self._upto]
