"""Liveness and readiness, answered before routing: a probe comes by address, not by commune."""

from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu.exceptions import OperationalError

from socle.config.environment import BROKER_PATIENCE

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
    checks = {"base": _database_answers(), "courtier": _broker_answers()}
    return JsonResponse(checks, status=200 if checks["base"] else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    """Reported, not required: without its broker Socle is slower, never wrong."""
    from socle.config.celery import app

    try:
        with app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=0, timeout=BROKER_PATIENCE)
    except (OperationalError, OSError):
        return False
    return True
