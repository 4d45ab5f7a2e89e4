"""The journal of any schema, by qualified name, whatever schema the connection is in."""

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, Final, LiteralString

from django.db import connection
from psycopg import sql

from socle.journal.models import Entry, Seal

BATCH: Final = 2000


def current_schema() -> str:
    """Return the schema django-tenants has opened."""
    return str(connection.schema_name)  # type: ignore[attr-defined]  # set by django-tenants


@cache
def within(schema: str, query: LiteralString) -> str:
    """Return `query` with `{entries}` and `{seals}` naming the tables of `schema`."""
    names = {
        "entries": sql.Identifier(schema, Entry._meta.db_table),
        "seals": sql.Identifier(schema, Seal._meta.db_table),
    }
    return sql.SQL(query).format(**names).as_string()


def run(schema: str, query: LiteralString, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Run one statement on the tables of `schema`; return its rows, if it gives any."""
    with connection.cursor() as cursor:
        cursor.execute(within(schema, query), values)
        return cursor.fetchall() if cursor.description else []


def insert(
    schema: str, query: LiteralString, row: LiteralString, *, rows: int, values: Sequence[Any]
) -> None:
    """Run an INSERT that ends with `VALUES `, for `rows` times the placeholders of `row`."""
    with connection.cursor() as cursor:
        cursor.execute(within(schema, query) + ", ".join([row] * rows), values)


def lock_key(schema: str) -> int:
    """Return the advisory lock of a schema's journal, a signed 64-bit number."""
    return int.from_bytes(sha256(f"socle.journal:{schema}".encode()).digest()[:8], signed=True)


def lock(schema: str) -> None:
    """Wait for the journal of `schema` and keep it until the transaction ends.

    Positions are given under it, so they are committed in their order and without gap.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(schema)])


def last_position(schema: str) -> int:
    """Return the position of the last entry, 0 when there is none."""
    return int(run(schema, "SELECT coalesce(max(position), 0) FROM {entries}")[0][0])


def last_seal(schema: str) -> Seal | None:
    """Return the last seal of a schema's journal."""
    query = within(schema, "SELECT * FROM {seals} ORDER BY number DESC LIMIT 1")
    return next(iter(Seal.objects.raw(query)), None)


def leaf_hashes(schema: str, *, after: int) -> Iterator[bytes]:
    """Yield the stored leaf hashes of the entries after this position, in order."""
    query: LiteralString = (
        "SELECT position, leaf_hash FROM {entries} WHERE position > %s ORDER BY position LIMIT %s"
    )
    while rows := run(schema, query, (after, BATCH)):
        yield from (bytes(leaf) for _, leaf in rows)
        after = rows[-1][0]


def entries(schema: str, *, up_to: int) -> Iterator[Entry]:
    """Yield the entries up to this position, in order, a batch in memory at a time.

    What is committed never changes: however long it takes, it reads one consistent journal.
    """
    query = within(
        schema,
        "SELECT * FROM {entries} WHERE position > %s AND position <= %s ORDER BY position LIMIT %s",
    )
    after = 0
    while rows := list(Entry.objects.raw(query, [after, up_to, BATCH])):
        yield from rows
        after = rows[-1].position


def seals(schema: str, *, up_to: int) -> Iterator[Seal]:
    """Yield the seals up to this number, in order, a batch in memory at a time."""
    query = within(
        schema,
        "SELECT * FROM {seals} WHERE number > %s AND number <= %s ORDER BY number LIMIT %s",
    )
    after = 0
    while rows := list(Seal.objects.raw(query, [after, up_to, BATCH])):
        yield from rows
        after = rows[-1].number
