"""Questions about prices, what is to be billed and what was; and the facts read in other rooms."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, Prefetch, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse

from billing.amounts import ZERO
from billing.models import (
    BillableItem,
    Invoice,
    InvoiceKind,
    InvoiceState,
    Price,
)
from socle.accounts.models import Person
from socle.core.clock import PARIS, legal_date
from socle.core.text import fold
from socle.directory.models import Membership, Organisation
from socle.notices.todos import Todo

MONEY = DecimalField(max_digits=14, decimal_places=2)


@dataclass(frozen=True, slots=True)
class HandOver:
    """A certificate handed over, as billing reads it."""

    organisation: Organisation
    person: Person
    price_code: str
    on: date
    certificate_id: int


def hand_overs(since: date, until: date) -> list[HandOver]:
    """The certificates handed over between two days, both included, in one order for all runs."""
    from registration_authority import queries as authority

    found = authority.handed_over(_midnight(since), _midnight(until + timedelta(days=1)))
    read = [
        HandOver(
            organisation=one.organisation,
            person=one.person,
            price_code=one.price_code,
            on=legal_date(one.at),
            certificate_id=one.certificate_id,
        )
        for one in found
    ]
    return sorted(read, key=lambda one: (one.on, one.certificate_id))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARIS)


def memberships(until: date) -> QuerySet[Membership]:
    """The adhesions that began by that day and were not over on the first of January."""
    return (
        Membership.objects.filter(joined_on__lte=until)
        .filter(Q(left_on=None) | Q(left_on__gt=date(until.year, 1, 1)))
        .select_related("organisation")
        .order_by("organisation__sort_key", "organisation_id")
    )


def open_items() -> QuerySet[BillableItem]:
    """What is to be billed."""
    return BillableItem.objects.filter(line=None).select_related("product")


def to_bill(text: str = "") -> QuerySet[Organisation]:
    """The bodies with open items, with `owed` (HT, euros) and their items as `open_items`."""
    waiting = Q(billable_items__isnull=False, billable_items__line=None)
    found = (
        Organisation.objects.filter(waiting)
        .annotate(
            owed=Coalesce(
                Sum(
                    F("billable_items__quantity") * F("billable_items__unit_price"), filter=waiting
                ),
                Value(ZERO),
                output_field=MONEY,
            )
        )
        .order_by("sort_key", "pk")
        .prefetch_related(Prefetch("billable_items", queryset=open_items(), to_attr="open_items"))
    )
    return found.filter(sort_key__contains=fold(text)) if text.strip() else found


def drafts(text: str = "") -> QuerySet[Invoice]:
    """The drafts by name of their body, with `lines_count` and `owed` (TTC, euros)."""
    found = (
        Invoice.objects.filter(state=InvoiceState.DRAFT)
        .select_related("organisation")
        .annotate(
            lines_count=Count("lines"),
            owed=Coalesce(Sum(F("lines__ht") + F("lines__vat")), Value(ZERO), output_field=MONEY),
        )
        .order_by("organisation__sort_key", "pk")
    )
    return found.filter(organisation__sort_key__contains=fold(text)) if text.strip() else found


def issued(*, year: int | None = None, text: str = "") -> QuerySet[Invoice]:
    """Issued invoices and credit notes, latest first."""
    found = Invoice.objects.filter(state=InvoiceState.ISSUED).select_related(
        "organisation", "credit_note"
    )
    if year is not None:
        found = found.filter(year=year)
    if text.strip():
        found = found.filter(
            Q(organisation__sort_key__contains=fold(text)) | Q(number__iexact=text.strip())
        )
    return found.order_by("-issued_on", "-pk")


@dataclass(frozen=True, slots=True)
class Summary:
    """How many invoices, and what they come to once credit notes are taken off."""

    count: int
    ht: Decimal
    vat: Decimal
    ttc: Decimal


def summary(found: QuerySet[Invoice]) -> Summary:
    """The sums of a list of issued invoices, in one query."""

    def net(field: str) -> Coalesce:
        given = Sum(field, filter=Q(kind=InvoiceKind.CREDIT_NOTE))
        asked = Sum(field, filter=Q(kind=InvoiceKind.INVOICE))
        zero = Value(ZERO, output_field=MONEY)
        return Coalesce(asked, zero) - Coalesce(given, zero)

    sums: dict[str, Any] = found.order_by().aggregate(
        count=Count("pk"), ht=net("total_ht"), vat=net("total_vat"), ttc=net("total_ttc")
    )
    return Summary(**sums)


def price_list() -> QuerySet[Price]:
    """Every version of every price, by product and stratum, newest first."""
    return Price.objects.select_related("product").order_by(
        "product__code", "population_from", "-valid_from"
    )


def prices(code: str) -> list[Price]:
    """The versions of a product's prices; none for an unknown product."""
    return list(price_list().filter(product__code=code))


def preparer_todos(request: HttpRequest) -> Iterator[Todo]:
    """What waits to be billed, body by body."""
    owed = (
        open_items()
        .filter(unit_price__gt=0)
        .aggregate(bodies=Count("organisation", distinct=True))["bodies"]
    )
    yield Todo(
        count=owed,
        sentence="organisme à facturer" if owed < 2 else "organismes à facturer",
        url=reverse("billing:to_bill"),
        button="Préparer les factures",
    )


def issuer_todos(request: HttpRequest) -> Iterator[Todo]:
    """Drafts that wait to be issued."""
    waiting = Invoice.objects.filter(state=InvoiceState.DRAFT).count()
    yield Todo(
        count=waiting,
        sentence="facture à émettre" if waiting < 2 else "factures à émettre",
        url=reverse("billing:drafts"),
        button="Vérifier et émettre",
    )
