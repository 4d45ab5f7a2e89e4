"""Which PostgreSQL server the work of this thread goes to (docs/decisions/0009-growing.md).

A cell is one whole database: people, directory, outbox and the schemas of its communes. So a
transaction never spans two servers, and no room knows that there are several: it speaks to the
default connection, and `inside` decides which server that is, in one thread, for one block.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.utils import DatabaseError, InterfaceError, OperationalError

from socle.core.refusals import Refusal

RESPITE: Final = 5.0
"""Seconds this process leaves alone a server that did not answer: one request waits, not all."""
DOWN: Final = (OperationalError, InterfaceError)


class CellDown(Exception):
    """The server of a cell does not answer."""


class OtherCell(Refusal):
    """The body is placed on another server, which has a portal of its own."""

    code = "cells.other_cell"


def names() -> tuple[str, ...]:
    """Every cell, the main one first."""
    return tuple(settings.CELLS)


def here() -> str:
    """The cell this thread works in."""
    return str(connection.cell)


@contextmanager
def inside(cell: str) -> Iterator[None]:
    """Work on the server of `cell`, in its public schema, until the end of the block.

    Raises RuntimeError inside a transaction (it would not hold what the block writes) and KeyError
    for a cell nobody configured.
    """
    if cell not in settings.CELLS:
        raise KeyError(cell)
    if cell == here():
        yield
        return
    with using(connections[cell]):
        yield


@contextmanager
def using(target: Any) -> Iterator[None]:
    """Let the default connection of this thread be `target`, another session of ours.

    It begins in the public schema. Raises RuntimeError inside a transaction: a transaction belongs
    to one session.
    """
    before = connections[DEFAULT_DB_ALIAS]
    if before.in_atomic_block:
        raise RuntimeError("a transaction never spans two servers")
    if len(settings.CELLS) > 1 and not before.settings_dict.get("REPLICA"):
        connections[before.cell] = before  # so that whoever asks for it by name finds it again
    connections[DEFAULT_DB_ALIAS] = target
    tenant, fenced = target.tenant, target.fenced
    target.fence(up=False)
    target.set_schema_to_public()
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
        target.set_tenant(tenant)
        target.fence(up=fenced)


def carry(work: Callable[..., Any]) -> Callable[..., Any]:
    """`work`, done in the cell of whoever asks now: a new thread begins in the process's own."""
    cell = here()

    @wraps(work)
    def there(*args: Any, **kwargs: Any) -> Any:
        with inside(cell):
            return work(*args, **kwargs)

    return there


def streamed(content: Iterable[bytes]) -> Iterator[bytes]:
    """`content`, each block made in the cell of whoever asks now: an answer outlives its view."""
    cell, blocks = here(), iter(content)

    def there() -> Iterator[bytes]:
        while True:
            with inside(cell):
                block = next(blocks, None)
            if block is None:
                return
            yield block

    return there()


def check_answers(cell: str) -> None:
    """Open the session of `cell` unless it is open. Raises CellDown, at once during its respite."""
    if monotonic() < _silent_until.get(cell, 0.0):
        raise CellDown(cell)
    with inside(cell):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except DOWN as problem:
            note_down(cell)
            connection.close()  # a dead session would be asked for ever
            raise CellDown(cell) from problem


def lost(problem: BaseException | None) -> bool:
    """Whether `problem` is that the server of this cell went away, and not that it refused."""
    return isinstance(problem, DOWN) and (
        connection.connection is None or bool(connection.connection.closed)
    )


def starved(problem: BaseException | None) -> bool:
    """Whether the server refused for want of disk, memory or sessions (SQLSTATE class 53).

    The journal then takes no line, and what was to be written with it is undone: nobody did
    anything wrong, and the same gesture will do later.
    """
    cause = getattr(problem, "__cause__", None)
    return isinstance(problem, DatabaseError) and str(getattr(cause, "sqlstate", "")).startswith(
        "53"
    )


def note_down(cell: str) -> None:
    """Leave the server of `cell` alone for a moment."""
    _silent_until[cell] = monotonic() + RESPITE


_silent_until: dict[str, float] = {}


def placed(*, departement: str, siren: str) -> str:
    """The cell where the configuration puts a body: by its SIREN, else its département, else main.

    It depends on nothing but the two arguments and SOCLE_PLACEMENT: a body has one place, whoever
    asks, and two cells can never both take it.
    """
    places = settings.PLACEMENT
    main = next(iter(settings.CELLS))
    return str(places.get(siren) or places.get(departement) or main)


def check_placed_here(*, departement: str, siren: str) -> None:
    """Refuse to open here what is placed elsewhere. Raises OtherCell."""
    cell = placed(departement=departement, siren=siren)
    if cell != here():
        raise OtherCell(
            "Cette collectivité est tenue sur un autre serveur de la plateforme : ouvrez son "
            f"dossier depuis le portail {portal_host(cell)}."
        )


def portal_host(cell: str = "") -> str:
    """The host of the portal of `cell`, by default of this one."""
    cell = cell or here()
    main = next(iter(settings.CELLS))
    host: str = settings.BASE_HOST
    return host if cell == main else f"portail-{cell}.{host}"


def portals() -> dict[str, str]:
    """The cell each portal's host leads to."""
    return {portal_host(cell): cell for cell in names()}


def mark() -> str:
    """What numbers given here must carry so that no other cell gives them: "" in the main one."""
    return "" if here() == next(iter(settings.CELLS)) else here().upper()
