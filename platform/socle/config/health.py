"""Liveness and readiness, answered before routing: a probe comes by address, not by commune."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError

from socle.config.environment import BROKER_PATIENCE
from socle.core import cells
from socle.documents import antivirus

ALIVE: Final = "/sante/vivant"
READY: Final = "/sante/pret"


class Probes:
    """Answer the two probe addresses and pass everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == ALIVE:
            return JsonResponse({"vivant": True})
        if request.path == READY:
            return _ready()
        return self.get_response(request)


def _ready() -> HttpResponse:
    """Ready as long as one cell can be served: the communes of the others get a page that says so.

    A pod whose database is older than its code is not ready: during an upgrade it waits for the
    migration, and the pods before it go on.
    """
    states = {cell: _state(cell) for cell in cells.names()}
    serving = [state for state in states.values() if state == _SERVES]
    checks = {
        "base": bool(serving),
        "cellules": states,
        "courtier": _broker_answers(),
        "antivirus": _antivirus(),
    }
    return JsonResponse(checks, status=200 if serving else 503)


_SERVES: Final = "ok"


def _state(cell: str) -> str:
    try:
        cells.check_answers(cell)
        check_serves(cell)
    except _Behind:
        return "schéma plus ancien que le code"
    except (cells.CellDown, DatabaseError):
        return "sans réponse"
    return _SERVES


class _Behind(cells.CellDown):
    """The database is older than this code."""


def check_serves(cell: str) -> None:
    """Refuse to work in a cell whose shared tables are older than this code. Raises CellDown.

    A newer one is served: an upgrade first adds what the next code needs, and the code after that
    takes away what nobody reads any more.
    """
    if cell in _current:
        return  # a schema never goes back
    with cells.inside(cell), connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM public.django_migrations")
        applied = set(cursor.fetchall())
    if not MigrationLoader(None).disk_migrations.keys() <= applied:
        raise _Behind(cell)
    _current.add(cell)


_current: set[str] = set()


def _antivirus() -> str:
    """Reported, not required: without it nothing is taken in, and everything else is served."""
    if settings.ANTIVIRUS is None:
        return "aucun"
    return _SERVES if antivirus.state()[0] else "sans réponse"


def _broker_answers() -> bool:
    """Reported, not required: without its broker Socle is slower, never wrong."""
    from socle.config.celery import app

    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=0, timeout=BROKER_PATIENCE)
    except (OperationalError, OSError):
        return False
    return True
