"""Become the role that owns the tables, in commands that migrate and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection

from socle.core import cells


@contextmanager
def as_owner() -> Iterator[None]:
    """Connect as SOCLE_DATABASE_OWNER_URL (of another cell: SOCLE_CELLS_OWNER) says in this block.

    Without it the current role goes on: it must own the tables then. Inside a transaction it goes
    on too: who opened it decided.
    """
    owner = settings.ENVIRONMENT.owners().get(cells.here())
    if not owner or connection.in_atomic_block:
        yield
        return
    before = dict(connection.settings_dict)
    _connect(owner | {"NAME": before["NAME"]})
    try:
        yield
    finally:
        _connect(before)


def _connect(values: dict[str, object]) -> None:
    """Change the dictionary in place: the connections of other threads are made from it too."""
    connection.close()
    connection.settings_dict.update(values)
