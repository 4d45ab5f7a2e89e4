"""Many items in one round: what one raises is set aside with its cause, and the others go on."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from psycopg.errors import UndefinedColumn, UndefinedTable

from socle.core.names import one_line, shortened
from socle.core.refusals import Refusal

log = logging.getLogger(__name__)
PASSING: Final = (SoftTimeLimitExceeded,)
"""What says that the process must end, and nothing of the item. KeyboardInterrupt and SystemExit
are no `Exception`: they pass by themselves."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Desk(Protocol):
    """Where items that failed are seen by people, under what was to be done with them."""

    def known(self, what: str) -> set[str]:
        """The items that failed the last time."""

    def set_aside(self, what: str, item: str, cause: str) -> None:
        """Show that this item failed, in a transaction of its own."""

    def forget(self, what: str, items: Iterable[str]) -> None:
        """These went since, or are to be done no more."""


class _Log:
    """Where there is no desk yet."""

    def known(self, what: str) -> set[str]:
        return set()

    def set_aside(self, what: str, item: str, cause: str) -> None:
        log.error("%s: %s: %s", what, item, cause)

    def forget(self, what: str, items: Iterable[str]) -> None:
        """There was nothing to see."""


_desk: Desk = _Log()


def register(desk: Desk) -> None:
    """Show on `desk` what fails. Called once, when the application starts."""
    global _desk
    _desk = desk


def each(
    what: str,
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    named: Callable[[Item], str] = str,
    passing: tuple[type[Exception], ...] = (),
) -> list[Result]:
    """Do `work` on every item of a round; the results of those that went.

    `what` says in French what is done, and with the name of the item tells it on the desk, where
    one that fails stays until it goes. `work` has transactions of its own. `passing` are the
    exceptions that speak of the whole round: they end it.
    """
    done, failed = [], {}
    try:
        for item in items:
            try:
                done.append(_alone(work, item, passing))
            except (*PASSING, *passing):
                raise
            except Exception as fault:
                log.exception("%s: %s", what, named(item))
                failed[named(item)] = cause(fault)
    finally:
        tell(what, failed)
    return done


def tell(what: str, failed: Mapping[str, str]) -> None:
    """Show on the desk what failed in a round, item → cause, and nothing else of `what`."""
    what = shortened(what, longest=100)
    failed = {one_line(item, longest=200): why for item, why in failed.items()}
    if gone := _desk.known(what) - failed.keys():
        _desk.forget(what, gone)
    for item, why in failed.items():
        _desk.set_aside(what, item, why)


def cause(fault: BaseException) -> str:
    """Why something failed, in one French sentence for the desk; the log has the rest.

    An exception may bring its own, `for_the_desk`.
    """
    if said := getattr(fault, "for_the_desk", ""):
        return str(said)
    kind = type(fault).__name__
    if is_of_the_moment(fault):
        return f"Le réseau, le disque ou la base a fait défaut ({kind}) : nouvel essai automatique."
    match fault:
        case Refusal():
            return str(fault)
        case MemoryError():
            return "Il demande plus de mémoire que la plateforme n’en donne."
        case FileNotFoundError():
            return "Un fichier gardé manque : prévenez l’exploitant de la plateforme."
        case DatabaseError():
            why = "La base de données ne l’a pas accepté"
        case _:
            why = "Il a arrêté le programme"
    return f"{why} ({kind}) : réessayez, puis donnez ce motif à l’exploitant de la plateforme."


def is_of_the_moment(fault: BaseException) -> bool:
    """Whether a fault says nothing of the item: a server, the disk or the storage is away, or the
    code runs before its migration.

    The item waits for the next round then; nobody has to decide.
    """
    if isinstance(fault, FileNotFoundError):
        return False
    if isinstance(fault, OSError):  # `errno` is the system's own word
        return fault.errno is not None or isinstance(fault, ConnectionError | TimeoutError)
    away = isinstance(fault, OperationalError | InterfaceError)
    away |= isinstance(fault.__cause__, UndefinedTable | UndefinedColumn)
    return away or type(fault).__module__.startswith("botocore.")


def _alone(
    work: Callable[[Item], Result], item: Item, passing: tuple[type[Exception], ...]
) -> Result:
    """Inside a transaction, what one item broke is undone before the next."""
    if not connection.in_atomic_block:
        return work(item)
    with transaction.atomic():
        try:
            return work(item)
        except passing as fault:
            passed = fault  # of the whole round: what was written of it stays
    raise passed
