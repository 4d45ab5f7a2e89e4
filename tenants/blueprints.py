"""The recorded DDL of a commune's schema: migrated once in a scratch schema, replayed everywhere.

Running Django's migrations costs about five seconds per commune; replaying what they did costs the
time PostgreSQL needs to create the tables.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django_tenants.utils import schema_context
from psycopg import sql

from tenants.models import Blueprint

SCRATCH: Final = "socle_blueprint"
_KEPT: Final = ("CREATE", "ALTER", "DROP", "COMMENT", "DO", "SET CONSTRAINTS")


def fingerprint() -> str:
    """The digest of the tenant migrations of this code: what a schema must stand at."""
    digest = hashlib.sha256()
    for app, name, source in _tenant_migrations():
        digest.update(f"{app}.{name}\n{source}\n".encode())
    return digest.hexdigest()


def current() -> Blueprint:
    """The blueprint of this code, recorded now if it never was."""
    wanted = fingerprint()
    return Blueprint.objects.filter(pk=wanted).first() or record(wanted)


def record(wanted: str) -> Blueprint:
    """Migrate the scratch schema from nothing, keep the DDL that ran, drop the schema."""
    statements: list[str] = []
    _drop_scratch()
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCRATCH)))
    try:
        with schema_context(SCRATCH), _recording(statements):
            call_command("migrate_schemas", schema_name=SCRATCH, verbosity=0, interactive=False)
        applied = _applied()
    finally:
        _drop_scratch()
    blueprint, _ = Blueprint.objects.update_or_create(
        pk=wanted, defaults={"ddl": ";\n".join(statements) + ";", "migrations": applied}
    )
    return blueprint


def _tenant_migrations() -> Iterator[tuple[str, str, str]]:
    loader = MigrationLoader(None)
    labels = {app.split(".")[-1] for app in settings.TENANT_APPS}
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in labels:
            yield app, name, inspect.getsource(inspect.getmodule(type(migration)) or type(migration))


@contextmanager
def _recording(statements: list[str]) -> Iterator[None]:
    def keep(execute: Callable[..., Any], query: Any, params: Any, many: bool, context: Any) -> Any:
        text = query if isinstance(query, str) else query.as_string(None)
        if text.lstrip().upper().startswith(_KEPT):
            if params:
                with connection.cursor() as cursor:
                    text = cursor.mogrify(text, params)
            statements.append(text.strip().rstrip(";"))
        return execute(query, params, many, context)

    with connection.execute_wrapper(keep):
        yield


def _applied() -> list[list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT app, name FROM {}.django_migrations ORDER BY id").format(
                sql.Identifier(SCRATCH)
            )
        )
        return [list(row) for row in cursor.fetchall()]


def _drop_scratch() -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SCRATCH)))
