"""The recorded DDL of a commune's schema: migrated once in a scratch schema, replayed everywhere.

Running Django's migrations costs about five seconds per commune; replaying what they did costs the
time PostgreSQL needs to create the tables. Upgrades are recorded the same way (`upgrades`).
"""

import hashlib
import inspect
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context
from psycopg import sql

from tenants import fences
from tenants.history import Key, Walk, is_replayable, tenant_labels
from tenants.models import Blueprint

SCRATCH: Final = "socle_blueprint"
_LOCK: Final = 7_302_026
_FENCE_DIGITS: Final = 16


class RowsByPython(Exception):
    """A migration in Python wrote rows into an empty commune: a replay would not write them.

    Reference rows belong in RunSQL, which is recorded.
    """


def fingerprint() -> str:
    """The digest of the tenant migrations and fence of this code: what a schema must stand at."""
    digest = hashlib.sha256()
    for app, name, source in _tenant_migrations():
        digest.update(f"{app}.{name}\n{source}\n".encode())
    return _with_fence(digest.hexdigest(), fences.fingerprint())


def between(start: str, passed: list[list[str]]) -> str:
    """The fingerprint of a schema on its way from `start`, once `passed` are applied too."""
    digest = hashlib.sha256(f"{start}{passed}".encode())
    return _with_fence(digest.hexdigest(), fence_of(start))


def fence_of(blueprint: str) -> str:
    """The part of a fingerprint that says which fence stands."""
    return blueprint[-_FENCE_DIGITS:]


def _with_fence(digest: str, fence: str) -> str:
    return digest[:-_FENCE_DIGITS] + fence[-_FENCE_DIGITS:]


def current() -> Blueprint:
    """The blueprint of this code, recorded now if it never was."""
    wanted = fingerprint()
    return Blueprint.objects.filter(pk=wanted).first() or record(wanted)


def deployed() -> str:
    """The blueprint a new commune gets: the last one the communes were brought to.

    While a release is rolled out, the code that still serves is older than the schemas.
    """
    newest = Blueprint.objects.order_by("-recorded_at").values_list("pk", flat=True).first()
    return newest or current().pk


@transaction.atomic
def record(wanted: str, *, upto: Collection[Key] | None = None) -> Blueprint:
    """Migrate a scratch schema from nothing and keep the DDL that ran; the schema goes away.

    `upto` are the migrations of an older release, None for those of this code: the blueprint of an
    older one is never the newest (`deployed`). Raises RowsByPython.
    """
    walk = Walk(upto=upto)
    with scratch() as recorder:
        ddl = "".join(script for _, script in recorder.forward(walk))
    kept = {"ddl": ddl, "migrations": walk.everything()}
    if upto is not None:
        kept["recorded_at"] = current().recorded_at - timedelta(seconds=1)
    blueprint, _ = Blueprint.objects.update_or_create(pk=wanted, defaults=kept)
    return blueprint


@contextmanager
def scratch(start: Blueprint | None = None) -> Iterator["Recorder"]:
    """A scratch schema, with Django's table of migrations only or as `start` says.

    One at a time in the database: a second process waits for the first one's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    _drop_scratch()
    try:
        if start is None:
            run(f"CREATE SCHEMA {SCRATCH}")
        else:
            replay(start, schema=SCRATCH)
        with schema_context(SCRATCH):
            yield Recorder(create=start is None)
    finally:
        if not connection.needs_rollback:
            _drop_scratch()


class Recorder:
    """Keeps every statement that migrations execute; what they only ask is not among them."""

    def __init__(self, *, create: bool) -> None:
        self._statements: list[str] = []
        self._class = _recording_class(self._statements)
        if create:
            with self.editor() as editor:
                editor.create_model(MigrationRecorder.Migration)

    def editor(self) -> Any:
        """A schema editor whose statements are kept."""
        return self._class(connection, atomic=True)

    def forward(self, walk: Walk) -> Iterator[tuple[Migration, str]]:
        """Execute what `walk` misses, each migration with the script of what it executed.

        Raises RowsByPython.
        """
        rows = _rows_in_scratch()
        for migration in walk.forward(self.editor):
            before, rows = rows, _rows_in_scratch()
            if rows != before and not is_replayable(migration):
                raise RowsByPython(f"{migration.app_label}.{migration.name}")
            script = as_script(self._statements)
            self._statements.clear()
            yield migration, script


def replay(blueprint: Blueprint, *, schema: str) -> None:
    """Create `schema` as `blueprint` says, with its django_migrations rows, in one round trip.

    The caller's transaction; its search_path is put back.
    """
    run(creation_script(blueprint, schema=schema))


def creation_script(blueprint: Blueprint, *, schema: str) -> str:
    """The SQL that creates `schema`; it ends with the search_path it found."""
    name = sql.Identifier(schema)
    return sql.SQL("CREATE SCHEMA {name};").format(name=name).as_string(None) + inside(
        schema, blueprint.ddl + applied_rows(blueprint.migrations)
    )


def inside(schema: str, script: str) -> str:
    """`script` with `schema` first on the path, and the former path after it."""
    keep = "SELECT set_config('socle.path', current_setting('search_path'), true);"
    enter = sql.SQL("SET LOCAL search_path TO {}, public;").format(sql.Identifier(schema))
    leave = "SELECT set_config('search_path', current_setting('socle.path'), true);"
    return f"{keep}{enter.as_string(None)}{script}{leave}"


def applied_rows(migrations: list[list[str]]) -> str:
    """The INSERT that marks `migrations` as applied in the schema on the path; "" for none."""
    if not migrations:
        return ""
    rows = sql.SQL(", ").join(
        sql.SQL("({}, {}, now())").format(sql.Literal(app), sql.Literal(name))
        for app, name in migrations
    )
    insert = sql.SQL("INSERT INTO django_migrations (app, name, applied) VALUES {};").format(rows)
    return insert.as_string(None)


def applied_in(schema: str) -> list[list[str]]:
    """The migrations a schema says were applied, in their order."""
    table = sql.SQL("SELECT app, name FROM {}.django_migrations ORDER BY id").format(
        sql.Identifier(schema)
    )
    with connection.cursor() as cursor:
        cursor.execute(table)
        return [list(row) for row in cursor.fetchall()]


def as_script(statements: list[str]) -> str:
    """Statements one after the other, as one script."""
    return "".join(f"{statement};\n" for statement in statements)


def run(script: str) -> None:
    """Send a script in one round trip."""
    with connection.cursor() as cursor:
        cursor.execute(script)


def _tenant_migrations() -> Iterator[tuple[str, str, str]]:
    loader, labels = MigrationLoader(None), tenant_labels()
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in labels:
            yield app, name, inspect.getsource(sys.modules[type(migration).__module__])


def _recording_class(statements: list[str]) -> Any:
    editor = connection.SchemaEditorClass

    class Recording(editor):  # type: ignore[misc, valid-type]
        def execute(self, statement: Any, params: Any = ()) -> None:
            text = str(statement)
            if params:
                text = self.connection.ops.compose_sql(text, params)
            statements.append(text.strip().rstrip(";"))
            super().execute(statement, params)

    return Recording


def _rows_in_scratch() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCRATCH])
        counts = sql.SQL(" + ").join(
            sql.SQL("(SELECT count(*) FROM {})").format(sql.Identifier(SCRATCH, table))
            for (table,) in cursor.fetchall()
        )
        cursor.execute(sql.SQL("SELECT {}").format(counts))
        return int(cursor.fetchone()[0])


def _drop_scratch() -> None:
    run(f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE")
