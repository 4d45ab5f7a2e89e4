"""Revocations that wait for somebody, on the home page of the counter."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from registration_authority.revocation import queries
from socle.notices.todos import Todo


def to_decide(request: HttpRequest) -> Iterable[Todo]:
    """Requests to confirm or to call back, urgent ones to look at again, those that drag."""
    address = reverse("registration_authority:revocations")
    waiting = queries.pending().exclude(four_eyes=True, asked_by=request.user.pk)
    count = waiting.count()
    yield Todo(
        count,
        _agreed(count, "demande", "demandes") + " de révocation à décider",
        address,
        "Décider",
        "danger",
    )
    review = queries.to_review().exclude(asked_by=request.user.pk).count()
    yield Todo(
        review,
        _agreed(review, "révocation urgente", "révocations urgentes") + " à relire",
        address,
        "Relire",
        "warning",
    )
    drags = queries.unpublished(timezone.now()).filter(warned_at__isnull=False).count()
    yield Todo(
        drags,
        _agreed(drags, "révocation", "révocations") + " que l’autorité tarde à publier",
        f"{address}?vue=en-cours",
        "Relancer",
        "danger",
    )


def _agreed(count: int, one: str, many: str) -> str:
    return one if count < 2 else many
