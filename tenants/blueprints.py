"""The recorded DDL of a commune's schema: migrated once in a scratch schema, replayed everywhere.

Running Django's migrations costs about five seconds per commune; replaying what they did costs the
time PostgreSQL needs to create the tables. Upgrades are recorded the same way (`upgrades`).
"""

import hashlib
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import schema_context
from psycopg import sql

from tenants import fences
from tenants.models import Blueprint

SCRATCH: Final = "socle_blueprint"
_LOCK: Final = 7_302_026


def fingerprint() -> str:
    """The digest of the tenant migrations and fence of this code: what a schema must stand at."""
    digest = hashlib.sha256(fences.fingerprint().encode())
    for app, name, source in _tenant_migrations():
        digest.update(f"{app}.{name}\n{source}\n".encode())
    return digest.hexdigest()


def current() -> Blueprint:
    """The blueprint of this code, recorded now if it never was."""
    wanted = fingerprint()
    return Blueprint.objects.filter(pk=wanted).first() or record(wanted)


@transaction.atomic
def record(wanted: str) -> Blueprint:
    """Migrate a scratch schema from nothing and keep the DDL that ran; the schema goes away."""
    with scratch() as statements:
        migrate_scratch()
        applied = applied_in(SCRATCH)
    blueprint, _ = Blueprint.objects.update_or_create(
        pk=wanted, defaults={"ddl": as_script(statements), "migrations": applied}
    )
    return blueprint


@contextmanager
def scratch(start: Blueprint | None = None) -> Iterator[list[str]]:
    """A scratch schema, empty or as `start` says; yields the list where DDL is recorded.

    One at a time in the database: a second process waits for the first one's transaction.
    """
    statements: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    _drop_scratch()
    try:
        if start is None:
            run(f"CREATE SCHEMA {SCRATCH}")
        else:
            replay(start, schema=SCRATCH)
        with schema_context(SCRATCH), _recording(statements):
            yield statements
    finally:
        if not connection.needs_rollback:
            _drop_scratch()


def migrate_scratch() -> None:
    """Run Django's migrations in the scratch schema."""
    call_command("migrate_schemas", schema_name=SCRATCH, verbosity=0, interactive=False)


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
    loader = MigrationLoader(None)
    labels = {app.split(".")[-1] for app in settings.TENANT_APPS}
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in labels:
            yield app, name, inspect.getsource(sys.modules[type(migration).__module__])


@contextmanager
def _recording(statements: list[str]) -> Iterator[None]:
    """Keep every statement the schema editor executes; what it only asks is not among them."""
    editor = connection.SchemaEditorClass

    class Recording(editor):  # type: ignore[misc, valid-type]
        def execute(self, statement: Any, params: Any = ()) -> None:
            text = str(statement)
            if params:
                text = self.connection.ops.compose_sql(text, params)
            statements.append(text.strip().rstrip(";"))
            super().execute(statement, params)

    connection.SchemaEditorClass = Recording
    try:
        yield
    finally:
        connection.SchemaEditorClass = editor


def _drop_scratch() -> None:
    run(f"DROP SCHEMA IF EXISTS {SCRATCH} CASCADE")
