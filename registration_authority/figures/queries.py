"""Counted in the database, one query for each figure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from registration_authority.models import CertificateFile, FileState, HandOver
from socle.directory.models import Organisation

ZERO = Decimal(0)


def files_by_state() -> list[tuple[str, int]]:
    """How many files stand in each state, in the order of the path."""
    counted = dict(CertificateFile.objects.order_by().values_list("state").annotate(Count("pk")))
    return [(str(state.label), counted.get(state.value, 0)) for state in FileState]


@dataclass(frozen=True, slots=True)
class Saving:
    """What the certificates of one commune cost it, and what they would have cost it alone."""

    organisation: Organisation
    certificates: int
    cost: Decimal
    saving: Decimal
    unpriced: int
    """Certificates of an offer whose prices nobody wrote down: they count for nothing here."""


def savings(since: datetime, until: datetime) -> list[Saving]:
    """The hand-overs signed from `since` to `until`, by commune, the largest saving first."""
    prefix = "certificate_files__certificate__hand_over"
    signed = Q(
        **{f"{prefix}__signed_at__gte": since, f"{prefix}__signed_at__lt": until},
    )
    cost = F("certificate_files__offer__cost__member")
    alone = F("certificate_files__offer__cost__alone")
    money = DecimalField(max_digits=12, decimal_places=2)
    found: QuerySet[Organisation] = (
        Organisation.objects.filter(signed)
        .annotate(
            handed=Count("certificate_files__certificate__hand_over"),
            paid=Coalesce(Sum(cost), ZERO, output_field=money),
            saved=Coalesce(Sum(alone - cost), ZERO, output_field=money),
            without=Count(
                "certificate_files__certificate__hand_over",
                filter=Q(certificate_files__offer__cost=None),
            ),
        )
        .order_by("-saved", "sort_key")
    )
    return [
        Saving(one, one.handed, one.paid, one.saved, one.without)  # type: ignore[attr-defined]
        for one in found
    ]


def handed_over(since: datetime, until: datetime) -> int:
    """How many certificates were handed over."""
    return HandOver.objects.filter(signed_at__gte=since, signed_at__lt=until).count()
