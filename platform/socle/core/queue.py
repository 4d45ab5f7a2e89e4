"""The two things everybody forgets about tasks, written once."""

import logging
from collections.abc import Callable
from functools import partial, wraps
from time import monotonic
from typing import Any, Final

from celery import Task, current_app
from django.db import DatabaseError, connection, transaction
from kombu.exceptions import OperationalError

from socle.core.fences import inside as inside_fence

log = logging.getLogger(__name__)
RESPITE: Final = 30.0
"""Seconds this process leaves alone a broker that did not answer: one request waits, not all."""


class CommuneGone(Exception):
    """The schema a task works in is not there, or not there any more: the commune was deleted."""


def after_commit(task: str, **message: str | int) -> None:
    """Queue `task` when the current transaction is really committed, for the current schema.

    A broker that does not answer is no failure: the sweep finds what is due within a minute. The
    request waits for it once, as long as `broker_options` of the environment says.
    Raises RuntimeError outside a transaction and KeyError for a task nobody registered.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{task} would be queued outside any transaction")
    known = current_app.tasks[task]  # an unknown name fails here, not in the worker
    kwargs = {"schema": connection.schema_name, **message}
    transaction.on_commit(partial(_send, known, kwargs), robust=True)


_silent_until: dict[str, float] = {}
"""Until when each broker is left alone, by its address."""


def _send(task: Task, kwargs: dict[str, str | int]) -> None:
    broker = task.app.conf.broker_url
    if monotonic() < _silent_until.get(broker, 0.0):
        return
    try:
        task.apply_async(kwargs=kwargs, retry=False)
    except (OperationalError, OSError) as problem:
        _silent_until[broker] = monotonic() + RESPITE
        log.warning("the broker does not answer, %s waits for the sweep (%s)", task.name, problem)


def in_tenant(task: Callable[..., Any]) -> Callable[..., Any]:
    """Run `task` inside the schema named by its required keyword `schema`, under its role.

    Raises CommuneGone when the schema is missing, from the start or from the middle on; what the
    task's transaction had written until then is not kept.
    """

    @wraps(task)
    def inside(*args: Any, schema: str, **kwargs: Any) -> Any:
        try:
            with inside_fence(schema):
                return task(*args, **kwargs)
        except DatabaseError as problem:
            if connection.in_atomic_block or _exists(schema):
                raise
            raise CommuneGone(f"{schema} does not exist (any more): nothing is left to do") from (
                problem
            )

    return inside


def _exists(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema])
        return cursor.fetchone() is not None
