"""A database of its own for a test that really commits, from several connections at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
from django.conf import settings
from django.db import connections

from tests.conftest import create_database


@contextmanager
def own_database(blocker: Any, *, template: str = "", name: str = "") -> Iterator[None]:
    """Work in a copy of this worker's database, dropped afterwards: what is committed goes away.

    `template` is another database to copy, `name` what the copy is called.
    """
    name, source = name or f"own_{uuid4().hex[:12]}", settings.DATABASES["default"]["NAME"]
    with (
        blocker.unblock(),
        psycopg.connect(os.environ["SOCLE_TEST_SERVER"], autocommit=True) as sql,
    ):
        connections["default"].close()
        create_database(sql, name, template=template or source)
        _use(name)
        try:
            connections["default"].set_schema_to_public()
            yield
        finally:
            _use(source)
            sql.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _use(name: str) -> None:
    connections["default"].close()
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name
