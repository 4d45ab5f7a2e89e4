"""Work under the role of a commune: what the database then refuses, no mistake of ours can give.

The role follows the schema. Behind a raised fence, code in a commune's schema runs as the commune;
code that says it goes to the public schema (`schema_context`) runs there as the platform.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django_tenants.utils import schema_context


@contextmanager
def inside(schema: str) -> Iterator[None]:
    """Work in `schema` under its role; the public schema has none but the platform's."""
    before = connection.fenced
    with schema_context(schema):
        connection.fence(up=True)
        try:
            yield
        finally:
            connection.fence(up=before)


@contextmanager
def raised() -> Iterator[None]:
    """Work under the role of the current schema."""
    yield from _standing(up=True)


@contextmanager
def lifted() -> Iterator[None]:
    """Let the platform do one thing no commune may: count seats, write another journal.

    Every use is listed, with its reason, in tests/guards/test_fences.py.
    """
    yield from _standing(up=False)


def _standing(*, up: bool) -> Iterator[None]:
    before = connection.fenced
    connection.fence(up=up)
    try:
        yield
    finally:
        connection.fence(up=before)
