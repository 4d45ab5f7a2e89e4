"""A session of PostgreSQL meets so many communes, then another one takes its place."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from socle.core import fences
from socle.core.postgres import base
from socle.directory.models import Organisation
from tenants.models import Tenant


@pytest.fixture
def schemas(
    django_db_setup: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Three communes, outside any transaction, on sessions that meet two."""
    with django_db_blocker.unblock():
        found = Tenant.objects.exclude(organisation=None).order_by("pk")
        names = list(found.values_list("schema_name", flat=True))
        connection.close()
        monkeypatch.setattr(base, "COMMUNES_PER_SESSION", 2)
        yield names
        connection.close()


def _session(schema: str) -> int:
    with fences.inside(schema), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_user, current_schema()")
        pid, role, here = cursor.fetchone()
    assert (role, here) == (schema, schema)
    return pid


def test_a_session_that_met_enough_communes_is_left(schemas: list[str]) -> None:
    first, second, third = (_session(schema) for schema in schemas)
    assert first == second != third
    assert _session(schemas[1]) == third


def test_communes_met_before_change_nothing(schemas: list[str]) -> None:
    assert len({_session(schema) for schema in schemas[:2] * 3}) == 1


def test_a_transaction_keeps_its_session(schemas: list[str]) -> None:
    with transaction.atomic():
        assert len({_session(schema) for schema in schemas}) == 1


def test_a_list_that_is_being_read_keeps_its_session(schemas: list[str]) -> None:
    rows = Organisation.objects.order_by("pk").iterator(chunk_size=1)
    first = next(rows)
    met = {_session(schema) for schema in schemas[:2]}
    assert len(met) == 1
    assert next(rows).pk > first.pk
    rows.close()
    assert _session(schemas[2]) not in met
