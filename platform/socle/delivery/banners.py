"""What people at work must know of their operator, instead of sending again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Scope
from socle.core.clock import PARIS, legal_date
from socle.delivery import windows
from socle.delivery.models import TransmissionOperator, Window
from socle.directory.models import TransmissionRight
from socle.notices import announcements
from socle.notices.announcements import Announcement

AHEAD: Final = timedelta(hours=24)
"""How long before it begins an unavailability is announced."""


def register(protocol: str, url_name: str, capability: Capability) -> None:
    """Say that the pages under `url_name` are about what travels under `protocol`."""
    announcements.register(Scope.COMMUNE, capability, partial(_for_commune, protocol, url_name))


def moment(at: datetime) -> str:
    """« 26/11/2026 à 6 h 00 », on the clock of Paris."""
    local = at.astimezone(PARIS)
    return f"{local:%d/%m/%Y} à {local.hour} h {local:%M}"


def _for_commune(protocol: str, url_name: str, request: HttpRequest) -> Iterator[Announcement]:
    """On the pages of a protocol: what holds its operator back, or soon will."""
    if not request.path.startswith(reverse(url_name)):
        return
    now = timezone.now()
    near = Window.objects.filter(operator=OuterRef("pk"), ended_at=None, ends_at__gt=now)
    troubled = TransmissionOperator.objects.filter(
        windows.silent(now) | Exists(near),
        code__in=(OuterRef("operator"), OuterRef("next_operator")),
    )
    right = TransmissionRight.objects.filter(
        Exists(troubled),  # on most days one question is enough
        organisation=request.tenant.organisation_id,  # type: ignore[attr-defined]
        protocol=protocol,
    ).first()
    if right is not None:
        code = right.operator_on(legal_date(now))
        yield from _windows(Q(operator__code=code, protocol__in=("", protocol)), at=now)
        yield from _silent(Q(code=code), at=now)


def for_portal(request: HttpRequest) -> Iterator[Announcement]:
    """At the desk of the corridor: every operator."""
    if request.path == reverse("delivery:desk"):
        now = timezone.now()
        yield from _windows(Q(), at=now)
        yield from _silent(Q(), at=now)


def _windows(which: Q, *, at: datetime) -> Iterable[Announcement]:
    standing = Window.objects.filter(which, ended_at=None, ends_at__gt=at, starts_at__lt=at + AHEAD)
    for window in standing.select_related("operator").order_by("starts_at", "pk"):
        yield _announced(window) if window.starts_at > at else _standing(window)


def _standing(window: Window) -> Announcement:
    until = moment(window.ends_at)
    if window.hourly_limit:
        return Announcement(
            f"Envois ralentis jusqu’au {until}",
            f"{window.operator} ne prend que peu de fichiers à la fois ({window.reason}). Les "
            "vôtres partent d’eux-mêmes, les uns après les autres : ne déposez rien deux fois.",
            "info",
        )
    return Announcement(
        f"Envois suspendus jusqu’au {until}",
        f"{window.operator} ne prend rien pour l’instant ({window.reason}). Déposez comme "
        f"d’habitude : ce qui attend partira de lui-même le {until}. N’envoyez rien une seconde "
        "fois.",
    )


def _announced(window: Window) -> Announcement:
    return Announcement(
        f"Interruption prévue du {moment(window.starts_at)} au {moment(window.ends_at)}",
        f"{window.operator} : {window.reason}. Ce qui sera déposé pendant ce temps partira de "
        "lui-même ensuite.",
        "info",
    )


def _silent(which: Q, *, at: datetime) -> Iterable[Announcement]:
    for operator in TransmissionOperator.objects.filter(which & windows.silent(at)).order_by("pk"):
        yield _unsent(operator) if operator.unsent_since else _unread(operator)


def _unsent(operator: TransmissionOperator) -> Announcement:
    return Announcement(
        f"{operator} ne répond plus depuis le {moment(operator.unsent_since)}",
        "Déposez comme d’habitude : l’envoi est réessayé sans cesse et partira de lui-même. "
        "N’envoyez rien une seconde fois. En cas d’urgence, appelez votre syndicat.",
    )


def _unread(operator: TransmissionOperator) -> Announcement:
    return Announcement(
        f"Les réponses de {operator} tardent depuis le {moment(operator.unread_since)}",
        "Les accusés de réception arriveront d’eux-mêmes dès que l’opérateur répondra : n’envoyez "
        "rien une seconde fois.",
        "info",
    )


@dataclass(frozen=True, slots=True)
class Leaving:
    """When a file leaves that the operator does not take now."""

    title: str
    sentence: str


def leaves_later(what: str, *, operator: str, protocol: str, at: datetime) -> Leaving | None:
    """When `what` (« L’acte », « Le flux ») leaves, while its operator is closed; else None.

    `operator` is its code.
    """
    window = windows.closing(operator, protocol, at=at)
    if window is None:
        return None
    return Leaving(
        f"{what} partira le {moment(window.ends_at)}",
        f"{window.operator} ne prend rien pour l’instant ({window.reason}). {what} partira de "
        "lui-même : vous n’avez rien à faire.",
    )
