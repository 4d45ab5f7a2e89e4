"""Expand, then contract: what a migration may do while the former release still serves.

The schema is migrated first, then the pods change one by one, and old code goes on reading and
writing in the new schema. So a migration adds what old code need not know. What it takes away it
takes one release later, and says so: a migration with

    contract = Contract(expand="documents.0007_new_name", release="0.2.0")

undoes for good what the migration it names prepared in a release that is out already. That one
stopped the code from using what goes away, by `SeparateDatabaseAndState` for instance.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.migrations import Migration
from django.db.migrations import operations as done
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """What a migration that takes something away declares (attribute `contract`)."""

    expand: str
    release: str


# What is in every release that may still serve. Moved when a release is out: a migration that is
# not here is newer, and inspected.
BASELINE: Final[Mapping[str, int]] = {
    "accounts": 2,
    "actes": 4,
    "billing": 1,
    "delivery": 2,
    "direct": 1,
    "directory": 3,
    "document_keys": 1,
    "documents": 1,
    "explanations": 1,
    "helios": 1,
    "journal": 1,
    "life": 1,
    "notices": 1,
    "onboarding": 1,
    "registration_authority": 6,
    "s2low": 2,
    "tenants": 1,
    "training": 1,
}
"""The number of the last migration of each app in the release that serves."""

_HARMLESS: Final = (
    done.AddIndex,
    done.RemoveIndex,
    done.RenameIndex,
    done.AlterModelOptions,
    done.AlterModelManagers,
    done.AlterModelTableComment,
    done.RemoveConstraint,
    done.RunPython,
)
_TAKES_AWAY: Final = (
    done.RemoveField,
    done.DeleteModel,
    done.RenameField,
    done.RenameModel,
    done.AlterModelTable,
    done.AlterOrderWithRespectTo,
)
_TIGHTER: Final = (done.AddConstraint, done.AlterUniqueTogether, done.AlterIndexTogether)
_SQL_THAT_ADDS: Final = re.compile(
    r"\s*(INSERT|UPDATE|SELECT|COMMENT|GRANT|CREATE\s+(TABLE|INDEX|SEQUENCE|VIEW|FUNCTION)"
    r"|CREATE\s+OR\s+REPLACE|SET\s+CONSTRAINTS)\b",
    re.IGNORECASE,
)
_WIDER: Final = {
    ("CharField", "TextField"),
    ("SmallIntegerField", "IntegerField"),
    ("SmallIntegerField", "BigIntegerField"),
    ("IntegerField", "BigIntegerField"),
    ("PositiveSmallIntegerField", "PositiveIntegerField"),
    ("PositiveIntegerField", "PositiveBigIntegerField"),
    ("AutoField", "BigAutoField"),
}


def breaches(
    loader: MigrationLoader, *, baseline: Mapping[str, int] = BASELINE, version: str
) -> list[str]:
    """What newer migrations than `baseline` would break in the code that still serves."""
    found: list[str] = []
    state, new = ProjectState(real_apps=loader.unmigrated_apps), _New()
    graph = loader.graph
    plan = dict.fromkeys(key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf))
    for key in plan:
        migration = graph.nodes[key]
        if not _is_ours(migration) or _number(key[1]) <= baseline.get(key[0], 0):
            migration.mutate_state(state, preserve=False)
            continue
        said = [f"{key[0]}.{key[1]}: {reason}" for reason in _inspect(migration, state, new)]
        contract = getattr(migration, "contract", None)
        if contract is not None:
            why = _contract_is_wrong(contract, key, graph, version)
            said = [f"{key[0]}.{key[1]}: {why}"] if why else []
        found += said
    return found


def inspect(migration: Migration, state: ProjectState) -> list[str]:
    """What one migration would break, its `contract` left aside; `state` moves past it."""
    return list(_inspect(migration, state, _New()))


class _New:
    """Tables and columns the code that serves has never heard of: nothing there can break it."""

    def __init__(self) -> None:
        self.tables: set[Key] = set()
        self.columns: set[tuple[str, str, str]] = set()

    def has(self, app: str, model: str, field: str = "") -> bool:
        """Whether a table, or a column of it, is new."""
        table = app, model.lower()
        return table in self.tables or (*table, field) in self.columns


def _inspect(migration: Migration, state: ProjectState, new: _New) -> Iterator[str]:
    if not migration.atomic:
        yield "atomic = False, which cannot be replayed in communes"
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(migration.app_label, state)
        yield from _judge(operation, migration.app_label, before, state, new)


def _judge(
    operation: Operation, app: str, before: ProjectState, after: ProjectState, new: _New
) -> Iterator[str]:
    if isinstance(operation, done.SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _judge(inner, app, before, after, new)
        if not operation.database_operations:
            yield from _forgotten(operation.state_operations, app, before, new)
    elif isinstance(operation, done.RunSQL):
        yield from _judge_sql(operation)
    elif isinstance(operation, done.CreateModel):
        new.tables.add((app, operation.name.lower()))
    elif type(operation) in _HARMLESS:  # not what is made from them, concurrently for instance
        return
    elif new.has(app, _model_of(operation), getattr(operation, "name", "")):
        _note(operation, app, new)
    elif isinstance(operation, done.AddField):
        yield from _judge_added(operation, app, new)
    elif isinstance(operation, done.AlterField):
        old = before.models[app, operation.model_name_lower].fields[operation.name]
        yield from (f"{_describe(operation)}, {why}" for why in narrower(old, operation.field))
    elif isinstance(operation, _TIGHTER):
        if isinstance(operation, done.AddConstraint) or operation.option_value:
            yield f"{_describe(operation)}: old code may write what it refuses"
    elif isinstance(operation, _TAKES_AWAY):
        yield f"{_describe(operation)}: old code still uses it"
    else:
        yield f"{_describe(operation)}: not known here"


def narrower(old: Field, new: Field) -> Iterator[str]:
    """In what `new` refuses values that old code, which knows `old`, may write or leave out."""
    before, after = old.get_internal_type(), new.get_internal_type()
    if before != after and (before, after) not in _WIDER:
        yield f"{before} becomes {after}"
    if old.null and not new.null:
        yield "no longer NULL"
    if new.unique and not old.unique:
        yield "unique now"
    if after == "CharField" and before == "CharField":
        if new.max_length is not None and (old.max_length or 10**9) > new.max_length:
            yield "shorter"
    if after == "DecimalField" and _room(new) != _room(old):
        if any(there < here for there, here in zip(_room(new), _room(old), strict=True)):
            yield "fewer digits"
    if (old.db_column or "") != (new.db_column or ""):
        yield "another column"
    if old.db_default is not NOT_PROVIDED and new.db_default is NOT_PROVIDED and not new.null:
        yield "no default in the database any more"
    if not old.remote_field and new.remote_field and getattr(new, "db_constraint", True):
        yield "a foreign key now"
    elif old.remote_field and new.remote_field and old.related_model != new.related_model:
        yield "another table referred to"


def _room(field: Any) -> tuple[int, int]:
    return field.max_digits - field.decimal_places, field.decimal_places


def _judge_added(operation: done.AddField, app: str, new: _New) -> Iterator[str]:
    field = operation.field
    new.columns.add((app, operation.model_name_lower, operation.name))
    known = field.null or field.db_default is not NOT_PROVIDED or field.many_to_many
    if not known and not isinstance(field, models.GeneratedField):
        yield f"{_describe(operation)}, NOT NULL without db_default: old code leaves it out"


def _judge_sql(operation: done.RunSQL) -> Iterator[str]:
    given = operation.sql if isinstance(operation.sql, list | tuple) else [operation.sql]
    for one in given:
        text = one[0] if isinstance(one, list | tuple) else one
        if text and not _SQL_THAT_ADDS.match(text):
            yield f"RunSQL {' '.join(text.split())[:40]!r}: only what adds is understood here"


def _forgotten(
    operations: Iterable[Operation], app: str, before: ProjectState, new: _New
) -> Iterator[str]:
    """A column the new code forgets while it stays: the new code's own rows must pass without."""
    for operation in operations:
        if isinstance(operation, done.RemoveField):
            field = before.models[app, operation.model_name_lower].fields[operation.name]
            if not field.null and field.db_default is NOT_PROVIDED and not field.many_to_many:
                yield f"{_describe(operation)} of the state only: new code leaves out a NOT NULL"


def _note(operation: Operation, app: str, new: _New) -> None:
    if isinstance(operation, done.RenameField):
        new.columns.add((app, operation.model_name_lower, operation.new_name))
    if isinstance(operation, done.RenameModel):
        new.tables.add((app, operation.new_name_lower))


def _model_of(operation: Operation) -> str:
    names = ("model_name", "old_name", "name")
    if isinstance(operation, done.RenameModel | done.DeleteModel):
        names = ("old_name", "name")
    return str(next(getattr(operation, name) for name in names if hasattr(operation, name)))


def _describe(operation: Operation) -> str:
    name = type(operation).__name__
    return f"{name} {_model_of(operation)}.{getattr(operation, 'name', '')}".rstrip(".")


def _contract_is_wrong(contract: Contract, key: Key, graph: Any, version: str) -> str:
    app, _, name = contract.expand.partition(".")
    if (app, name) not in graph.nodes:
        return f"the contract names {contract.expand}, which does not exist"
    if (app, name) == key or (app, name) not in graph.forwards_plan(key):
        return f"{contract.expand} is not before its contract"
    if _parts(contract.release) >= _parts(version):
        return f"the contract waits for release {contract.release} to be out; this is {version}"
    return ""


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _number(name: str) -> int:
    digits = re.match(r"\d+", name)
    return int(digits[0]) if digits else 10**9


def _is_ours(migration: Migration) -> bool:
    return type(migration).__module__.startswith(("socle.", "tests.", *settings.OUR_ROOMS))
