"""Questions about the corridor."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_tenants.utils import get_tenant_model

from socle.core.clock import legal_date
from socle.delivery import policies
from socle.delivery.models import (
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
    Stumble,
    TransmissionOperator,
)
from socle.directory.models import TransmissionRight
from socle.notices import queries as notices
from socle.notices.todos import Todo

STUCK = Q(state__in=(OutboundState.REFUSED, OutboundState.HELD)) | Q(
    state=OutboundState.DUE, attempts__gte=1
)

WAITING = (InboundState.UNMATCHED, InboundState.DOUBTFUL, InboundState.FAILED)
"""Returns a person has to look at."""


def stuck_outbound() -> QuerySet[Outbound]:
    """Files that did not go: refused, held, or failing again and again. Oldest first."""
    return (
        Outbound.objects.filter(STUCK)
        .select_related("organisation", "operator", "asked_by")
        .order_by("created_at", "pk")
    )


def unread_inbound(*, at: datetime) -> QuerySet[Inbound]:
    """Returns nobody could read or place, or that nothing has read yet. Oldest first."""
    late = Q(received_at__lt=at - policies.READ_WITHIN) | ~Q(message="")
    waiting = Q(state=InboundState.RECEIVED) & late
    return (
        Inbound.objects.filter(waiting | Q(state__in=WAITING))
        .select_related("operator")
        .order_by("received_at", "pk")
    )


def stumbles() -> QuerySet[Stumble]:
    """What failed in a round of the clock and has not gone since. Oldest first."""
    return Stumble.objects.order_by("since", "pk")


def operators(*, at: datetime) -> list[dict[str, Any]]:
    """Each operator, how many bodies go through it today, and since when it does not answer."""
    today = legal_date(at)
    counts: dict[str, int] = {}
    for right in TransmissionRight.objects.all():
        code = right.operator_on(today)
        counts[code] = counts.get(code, 0) + 1
    return [
        {
            "operator": one,
            "rights": counts.get(one.code, 0),
            "silent": min(filter(None, (one.unsent_since, one.unread_since)), default=None),
        }
        for one in TransmissionOperator.objects.order_by("is_exercise", "name")
    ]


def tenant_of_siren(siren: str) -> Any | None:
    """The tenant of the body with this SIREN, or None, also while its space is destroyed.

    A return that comes then is nobody's: it stays raw on the desk.
    """
    return (
        get_tenant_model()
        .objects.select_related("organisation")
        .filter(organisation__siren=siren)
        .exclude(organisation__space_stop__is_final=True)
        .first()
    )


def todos(request: HttpRequest) -> Iterable[Todo]:
    """The line of the portal's to-do list about the desk."""
    count = stuck_outbound().count() + unread_inbound(at=timezone.now()).count()
    count += stumbles().count() + notices.unmailed().count()
    one = "envoi ou retour attend" if count == 1 else "envois ou retours attendent"
    yield Todo(count, f"{one} une décision", reverse("delivery:desk"), "Voir", "danger")
