"""Whose row is whose: a commune's rows of the shared tables, and what they refer to.

What a commune's role may see of a shared table is the commune's (`tenants.fences.SHARES`); a few
tables it may not read, and a few it sees more of than its own, are named here.
"""
# ruff: noqa: S608 -- SQL made of the models' own names.

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Field, ForeignKey, Model, UUIDField
from psycopg import sql

from socle.core import crypto
from socle.documents.models import StoredFile
from tenants import fences
from tenants.models import Tenant

OTHERWISE: Final = {
    "directory.Organisation": "id = {organisation}",
    "s2low.S2lowTransaction": "organisation_id = {organisation}",
    "s2low.S2lowPaper": "transaction_id IN (SELECT id FROM public.s2low_s2lowtransaction"
    " WHERE organisation_id = {organisation})",
}
"""Tables whose rows are not simply what the commune sees; read by the platform."""
LEFT_OUT: Final = {
    "document_keys.DataKey": "La clé des fichiers : ils sont dans le paquet en clair, et chiffrés "
    "de nouveau avec une autre clé là où il est restauré.",
    "s2low.S2lowAccount": "Le mot de passe du syndicat chez l’opérateur.",
    "accounts.Authenticator": "Le second facteur des personnes, qui n’appartient qu’à elles.",
    "accounts.Person.password": "Le mot de passe des personnes : la colonne est vide.",
    "directory.SpaceStop": "L’arrêt de l’espace : celui qui est restauré commence suspendu.",
    "journal.Entry": "Le journal du syndicat ; celui de la commune est dans le paquet.",
}
"""What a package does not hold, and why; part of its manifest."""
BLANK: Final = {"accounts.Person": {"password": "", "last_login": None}}
_EMPTY_BYTES: Final = "\\x"
ITERSIZE: Final = 500


def own_models() -> list[type[Model]]:
    """The shared models a commune has rows in, parents before children."""
    found = {
        model
        for model in fences.public_models()
        if model._meta.label in OTHERWISE
        or (isinstance(share := fences.SHARES.get(model._meta.label), fences.Share) and share.rows)
    }
    return in_order(model for model in found if model._meta.label not in LEFT_OUT)


def in_order(models: Iterable[type[Model]]) -> list[type[Model]]:
    """`models`, each after those it refers to; by name where nothing decides."""
    left, ordered = sorted(set(models), key=lambda one: one._meta.label), []
    while left:
        ready = [one for one in left if not (parents(one) & set(left)) - {one}]
        if not ready:  # a circle, which deferred constraints allow
            ready = left[:1]
        ordered += ready
        left = [one for one in left if one not in ready]
    return ordered


def parents(model: type[Model]) -> set[type[Model]]:
    """The shared models `model` refers to."""
    return {target for _, target in references(model)}


def references(model: type[Model]) -> Iterator[tuple[Field, type[Model]]]:
    """(field, shared model) of every reference of `model` into the public schema."""
    shared = {app.split(".")[-1] for app in settings.SHARED_APPS}
    tenants = {app.split(".")[-1] for app in settings.TENANT_APPS}
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey):
            target = field.related_model
            label = target._meta.app_label
            if label in shared and (label not in tenants or target is not StoredFile):
                yield field, target


def tenant_models() -> list[type[Model]]:
    """Every model with a table in a commune's schema."""
    labels = {app.split(".")[-1] for app in settings.TENANT_APPS}
    return [one for one in apps.get_models() if one._meta.app_label in labels]


@dataclass(frozen=True, slots=True)
class Table:
    """One table to be read: where, which columns, in which order."""

    schema: str
    name: str
    columns: tuple[tuple[str, str], ...]
    key: str

    @property
    def place(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


class Snapshot:
    """One instant of the whole database, read on a connection of its own."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        parameters = connection.get_connection_params()
        kept = {
            key: value
            for key, value in parameters.items()
            if key not in ("cursor_factory", "context", "prepare_threshold")
        }
        self._connection = psycopg.connect(**kept)
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._connection.read_only = True

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, query: str | sql.Composed, values: Any = ()) -> list[tuple[Any, ...]]:
        """The rows of one question."""
        return self._connection.execute(query, values).fetchall()

    def tables(self, schema: str) -> list[Table]:
        """The tables of a schema, by name."""
        names = self.ask(
            "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace(%s) "
            "AND relkind = 'r' ORDER BY relname",
            [schema],
        )
        return [self.table(schema, name) for (name,) in names]

    def table(self, schema: str, name: str) -> Table:
        """One table as the catalogue describes it."""
        columns = self.ask(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "AND attgenerated = '' ORDER BY attnum",
            [f'"{schema}"."{name}"'],
        )
        key = self.ask(
            "SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid "
            "AND attnum = indkey[0] WHERE indrelid = %s::regclass AND indisprimary",
            [f'"{schema}"."{name}"'],
        )
        return Table(schema, name, tuple(columns), key[0][0])

    def sequences(self, schema: str) -> dict[str, int]:
        """The last value of every sequence of a schema that was used."""
        return dict(
            self.ask(
                "SELECT sequencename::text, last_value FROM pg_sequences "
                "WHERE schemaname = %s AND last_value IS NOT NULL ORDER BY 1",
                [schema],
            )
        )

    def lines(
        self,
        table: Table,
        *,
        keys: list[Any] | None = None,
        blank: dict[str, str | None] | None = None,
    ) -> Iterator[str]:
        """Every row (or those with `keys`) as a JSON object: each column its text, or null."""
        cells = [
            sql.SQL("{value} AS {name}").format(
                value=sql.Literal(blank[name])
                if blank and name in blank
                else sql.SQL("{}::text").format(sql.Identifier(name)),
                name=sql.Identifier(name),
            )
            for name, _ in table.columns
        ]
        query = sql.SQL(
            "SELECT row_to_json(r)::text FROM "
            "(SELECT {cells} FROM {table} {where} ORDER BY {table}.{key}) r"
        ).format(
            cells=sql.SQL(", ").join(cells),
            table=table.place,
            where=sql.SQL("" if keys is None else "WHERE {key} = ANY(%s)").format(
                key=sql.Identifier(table.key)
            ),
            key=sql.Identifier(table.key),
        )
        with self._connection.cursor(name=f"lines_{uuid.uuid4().hex}") as cursor:
            cursor.itersize = ITERSIZE
            cursor.execute(query, None if keys is None else [keys])
            for (line,) in cursor:
                yield line

    def own_keys(self) -> dict[type[Model], list[Any]]:
        """The primary keys of the commune's rows in every shared table."""
        role = sql.Identifier(self.tenant.schema_name)
        found: dict[type[Model], list[Any]] = {}
        organisation = self.tenant.organisation_id
        for model in own_models():
            key, table = model._meta.pk.column, model._meta.db_table
            rows = OTHERWISE.get(model._meta.label, "").format(organisation=int(organisation or 0))
            query = f"SELECT {key} FROM public.{table} {f'WHERE {rows}' if rows else ''}"
            if not rows:
                self._connection.execute(sql.SQL("SET LOCAL ROLE {}").format(role))
            found[model] = [pk for (pk,) in self.ask(f"{query} ORDER BY {key}")]
            self._connection.execute("SET LOCAL ROLE NONE")
        return found

    def referred(self, own: dict[type[Model], list[Any]]) -> dict[type[Model], list[Any]]:
        """The other shared rows that the commune's rows refer to, by any number of steps."""
        known = {model: set(keys) for model, keys in own.items()}
        found: dict[type[Model], set[Any]] = defaultdict(set)
        fresh = [
            *((model, "public", keys) for model, keys in own.items()),
            *((model, self.tenant.schema_name, None) for model in tenant_models()),
        ]
        while fresh:
            model, schema, keys = fresh.pop()
            for field, target in references(model):
                wanted = self._values(model, schema, field.column, keys)
                new = wanted - known.get(target, set()) - found[target]
                if new:
                    found[target] |= new
                    fresh.append((target, "public", sorted(new)))
        return {model: sorted(keys) for model, keys in found.items() if keys}

    def files_of(self, own: dict[type[Model], list[Any]]) -> list[tuple[uuid.UUID, str]]:
        """(identifier, SHA-256) of the syndicat's files that the commune's rows name."""
        wanted: set[Any] = set()
        for model, keys in own.items():
            for field in model._meta.concrete_fields:
                stored = isinstance(field, ForeignKey) and field.related_model is StoredFile
                if (isinstance(field, UUIDField) or stored) and not field.primary_key:
                    wanted |= self._values(model, "public", field.column, keys)
        return self.ask(
            "SELECT id, sha256 FROM public.documents_storedfile WHERE id = ANY(%s) ORDER BY id",
            [list(wanted)],
        )

    def _values(self, model: type[Model], schema: str, column: str, keys: Any) -> set[Any]:
        query = f'SELECT DISTINCT {column} FROM "{schema}".{model._meta.db_table}'
        query += f" WHERE {column} IS NOT NULL"
        if keys is None:
            return {value for (value,) in self.ask(query)}
        return {
            value for (value,) in self.ask(f"{query} AND {model._meta.pk.column} = ANY(%s)", [keys])
        }


def blank_of(model: type[Model]) -> dict[str, str | None]:
    """The columns of a shared model that leave no deployment, with what is written instead."""
    sealed = {
        column.field: _EMPTY_BYTES
        for column in crypto.sealed_columns()
        if column.model == model._meta.label
    }
    return {**sealed, **BLANK.get(model._meta.label, {})}
