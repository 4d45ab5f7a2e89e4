"""The two things everybody forgets about tasks, written once."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from celery import current_app
from django.db import connection, transaction
from django_tenants.utils import schema_context


def after_commit(task: str, **message: str | int) -> None:
    """Queue `task` when the current transaction is really committed, for the current schema.

    A broker that does not answer is no failure: the sweep finds what is due within a minute.
    Raises RuntimeError outside a transaction and KeyError for a task nobody registered.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{task} would be queued outside any transaction")
    send = current_app.tasks[task].apply_async  # an unknown name fails here, not in the worker
    kwargs = {"schema": connection.schema_name, **message}
    transaction.on_commit(partial(send, kwargs=kwargs, retry=False), robust=True)


def in_tenant(task: Callable[..., Any]) -> Callable[..., Any]:
    """Run `task` inside the schema named by its required keyword `schema`."""

    @wraps(task)
    def inside(*args: Any, schema: str, **kwargs: Any) -> Any:
        with schema_context(schema):
            return task(*args, **kwargs)

    return inside
