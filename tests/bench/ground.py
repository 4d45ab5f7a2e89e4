"""A database of its own for the measures, dropped at the end."""

import atexit

import psycopg

from socle.core.roles import OWNER
from tests import conftest

NAME = "bench"


def prepare() -> None:
    """Build the world of the tests in a fresh database and connect to it."""
    with psycopg.connect(conftest.SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        server.execute(f"DROP DATABASE IF EXISTS {NAME}_draft WITH (FORCE)")
    conftest._build_template(NAME)
    conftest._use_database(NAME)
    atexit.register(_drop)


def url() -> str:
    """The address of the database that is measured."""
    return conftest._url(OWNER, NAME)


def _drop() -> None:
    from django.db import connections

    connections["default"].close()
    with psycopg.connect(conftest.SERVER, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
