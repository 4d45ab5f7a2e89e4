"""The two things everybody forgets about tasks, written once."""

import logging
from collections.abc import Callable
from functools import partial, wraps
from time import monotonic
from typing import Any, Final

from celery import Task, current_app
from django.db import DatabaseError, connection, transaction
from kombu.exceptions import OperationalError

from socle.core import cells
from socle.core.fences import inside as inside_fence
from socle.core.messages import message_to

log = logging.getLogger(__name__)
RESPITE: Final = 30.0
"""Seconds this process leaves alone a broker that did not answer: one request waits, not all."""


def after_commit(task: str, **message: str | int) -> None:
    """Queue `task` when the current transaction is really committed, for the current schema
    of the current cell.

    A broker that does not answer is no failure: the sweep finds what is due within a minute. The
    request waits for it once, as long as `broker_options` of the environment says.
    Raises RuntimeError outside a transaction and KeyError for a task nobody registered.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{task} would be queued outside any transaction")
    known = current_app.tasks[task]  # an unknown name fails here, not in the worker
    kwargs = {"schema": connection.schema_name, **message}
    transaction.on_commit(partial(_send, known, kwargs, cells.here()), robust=True)


_silent_until: dict[str, float] = {}
"""Until when each broker is left alone, by its address."""


def _send(task: Task, kwargs: dict[str, str | int], cell: str) -> None:
    broker = task.app.conf.broker_url
    if monotonic() < _silent_until.get(broker, 0.0):
        return
    try:
        task.apply_async(kwargs=kwargs, retry=False, **message_to(cell))
    except (OperationalError, OSError) as problem:
        _silent_until[broker] = monotonic() + RESPITE
        log.warning("the broker does not answer, %s waits for the sweep (%s)", task.name, problem)


class SpaceGone(Exception):
    """The schema a task was to work in, or was working in, was destroyed."""


Gate = Callable[[str], bool]
_gates: list[Gate] = []


def register_gate(gate: Gate) -> None:
    """Ask `gate` before a task enters a schema: False leaves it alone, SpaceGone says it is gone.

    Called once by the room that suspends and destroys spaces, when the application starts.
    """
    if gate not in _gates:
        _gates.append(gate)


def in_tenant(task: Callable[..., Any]) -> Callable[..., Any]:
    """Run `task` inside the schema named by its required keyword `schema`, under its role.

    A schema that stands still is left alone: the task returns None. Raises SpaceGone when it was
    destroyed, before the task or under its feet.
    """

    @wraps(task)
    def inside(*args: Any, schema: str, **kwargs: Any) -> Any:
        if not _is_open(schema):
            log.info("%s leaves %s alone: it stands still", task.__name__, schema)
            return None
        try:
            with inside_fence(schema):
                return task(*args, **kwargs)
        except DatabaseError:
            _is_open(schema)  # says so when the schema went away meanwhile
            raise

    return inside


def _is_open(schema: str) -> bool:
    return all(gate(schema) for gate in _gates)
