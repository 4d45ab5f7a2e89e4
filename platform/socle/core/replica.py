"""Long reading beside the server that everybody waits for: exports and figures, from a replica.

A replica is a copy of the whole server, roles and fences included, that PostgreSQL keeps by
streaming and lets nobody write in. Without one (`SOCLE_DATABASE_REPLICA_URL`), when it is late or
silent, and inside a transaction, reading is done where writing is.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any, Final

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from socle.core import cells

log = logging.getLogger(__name__)
PATIENCE: Final = 2.0
"""Seconds a replica is given to catch up with what was just written."""
_POLL: Final = 0.05


@dataclass(frozen=True, slots=True)
class AsOf:
    """Until when what is read is complete, and whether a replica gave it."""

    until: datetime
    from_replica: bool


@contextmanager
def reading(*, exact: bool = True) -> Iterator[AsOf]:
    """Read in the current schema, under the current role, where it disturbs least.

    `exact`: everything committed before this call is there; a replica that does not catch up in
    `PATIENCE` is not read. Else it may be `SOCLE_REPLICA_LAG` seconds late, and `until` says so.
    Nothing can be written inside the block.
    """
    now = timezone.now()
    found = None if connection.in_atomic_block else _fresh(now, exact=exact)
    if found is None:
        yield AsOf(now, from_replica=False)
        return
    target, until = found
    tenant, fenced = connection.tenant, connection.fenced
    with cells.using(target):
        connection.set_tenant(tenant)
        connection.fence(up=fenced)
        yield AsOf(until, from_replica=True)


def _fresh(now: datetime, *, exact: bool) -> tuple[Any, datetime] | None:
    """The session on the replica of this cell and until when it is complete; None to do without."""
    alias = f"{cells.here()}_replica"
    if (
        alias not in connections.settings
        or connection.settings_dict.get("REPLICA")
        or monotonic() < _silent_until.get(alias, 0.0)
    ):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
        written = cursor.fetchone()[0]
    try:
        with cells.using(connections[alias]):
            until = _until(written, now, exact=exact)
    except cells.DOWN as problem:
        log.warning("%s does not answer, the main server is read (%s)", alias, problem)
        connections[alias].close()
        until = None
    if until is None:
        _silent_until[alias] = monotonic() + cells.RESPITE
        return None
    return connections[alias], until


_silent_until: dict[str, float] = {}


def _until(written: str, now: datetime, *, exact: bool) -> datetime | None:
    """Until when the replica is complete; None when it is too late, or no replica at all."""
    limit = monotonic() + PATIENCE
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= %s::pg_lsn, "
                "pg_last_xact_replay_timestamp()",
                [written],
            )
            follows, caught_up, last = cursor.fetchone()
        if not follows:
            log.error("SOCLE_DATABASE_REPLICA_URL leads to a server that follows no other")
            return None
        if caught_up:
            return now
        if not exact and last and now - last <= timedelta(seconds=settings.REPLICA_LAG):
            return last
        if monotonic() > limit:
            log.warning("the replica is late (last transaction: %s), the main server is read", last)
            return None
        sleep(_POLL)
