"""What happens to prices, items and invoices: one function per event."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from billing import amounts, exports, papers, policies, queries
from billing.collecting import Collected, Collector
from billing.models import (
    BillableItem,
    Counter,
    Invoice,
    InvoiceKind,
    InvoiceState,
    Line,
    Price,
    Product,
)
from socle.accounts.models import Person
from socle.core import cells
from socle.core.clock import legal_date
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.documents import actions as vault
from socle.documents.render import to_pdf
from socle.journal.actions import Actor, record

LINE_FACTS = ("product_id", "label", "rule", "quantity", "unit_price", "regime", "rate")


@transaction.atomic
def collect(*, until: date, by: Actor, at: datetime) -> Collected:
    """Make an item of every fact up to `until` that was not collected; again makes none.

    A fact without price is told in the result and collected once its price exists.
    """
    collector = Collector(until=until, at=at)
    items = list(collector.items())
    before = BillableItem.objects.count()
    BillableItem.objects.bulk_create(items, ignore_conflicts=True)
    collected = Collected(BillableItem.objects.count() - before, tuple(collector.problems))
    record(
        event="billing.collected",
        subject=directory.syndicat(),
        by=by,
        at=at,
        detail={
            "until": str(until),
            "created": collected.created,
            "problems": len(collected.problems),
        },
    )
    return collected


@transaction.atomic
def draft(*, organisation_id: int, by: Person, at: datetime) -> Invoice:
    """Put a body's open items in its draft, a new one if it has none. Raises NothingToBill."""
    organisation = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation_id)
    items = list(
        queries.open_items()
        .filter(organisation=organisation)
        .select_for_update(of=("self",))
        .order_by("happened_on", "pk")
    )
    owed = sum((amounts.line_ht(one.quantity, one.unit_price) for one in items), amounts.ZERO)
    invoice = Invoice.objects.filter(
        organisation=organisation, state=InvoiceState.DRAFT, kind=InvoiceKind.INVOICE
    ).first()
    if invoice is None or not items:
        policies.check_claims(owed, organisation.name)
    invoice = invoice or Invoice.objects.create(organisation=organisation, created_at=at)
    for item in items:
        item.line = _add(invoice, item)
        item.save(update_fields=["line"])
    _sum(invoice)
    _record("billing.drafted", invoice, by=by, at=at, items=len(items))
    return invoice


@transaction.atomic
def add_line(*, invoice_id: int, product: Product, quantity: int, by: Person, at: datetime) -> Line:
    """Add a product of the price list to a draft, at today's price.

    Raises AlreadyIssued, WrongQuantity, MissingPrice, UnknownPopulation.
    """
    invoice = _locked(invoice_id)
    policies.check_editable(invoice.state)
    policies.check_quantity(quantity)
    price = policies.price_for(
        queries.prices(product.code),
        product=product.label,
        on=legal_date(at),
        population=invoice.organisation.population,
    )
    line = _add(
        invoice,
        Line(
            product=product,
            label=product.label,
            rule=policies.stratum(price) or policies.LIST_PRICE,
            quantity=quantity,
            unit_price=price.unit_price,
            regime=price.regime,
            rate=price.rate,
        ),
    )
    _sum(invoice)
    _record("billing.line_added", invoice, by=by, at=at, label=line.label, quantity=quantity)
    return line


@transaction.atomic
def remove_line(*, line_id: int, by: Person, at: datetime) -> Invoice:
    """Take a line off a draft; what it billed is to be billed again."""
    line = Line.objects.get(pk=line_id)
    invoice = _locked(line.invoice_id)
    policies.check_editable(invoice.state)
    line.delete()
    _sum(invoice)
    _record("billing.line_removed", invoice, by=by, at=at, label=line.label)
    return invoice


@transaction.atomic
def refer(
    *, invoice_id: int, chorus_service: str, engagement: str, by: Person, at: datetime
) -> Invoice:
    """Write the references the debtor asks for (Chorus Pro refuses an invoice without them)."""
    invoice = _locked(invoice_id)
    policies.check_editable(invoice.state)
    invoice.chorus_service, invoice.engagement = chorus_service, engagement
    invoice.save(update_fields=["chorus_service", "engagement"])
    _record("billing.referred", invoice, by=by, at=at, engagement=engagement)
    return invoice


@transaction.atomic
def discard(*, invoice_id: int, by: Person, at: datetime) -> Organisation:
    """Throw a draft away; what it billed is to be billed again. Raises AlreadyIssued."""
    invoice = _locked(invoice_id)
    policies.check_editable(invoice.state)
    _record("billing.discarded", invoice, by=by, at=at)
    invoice.delete()
    return invoice.organisation


@transaction.atomic
def issue(*, invoice_id: int, by: Person, at: datetime) -> Invoice:
    """Give a draft its number, its date and its paper; an issued one comes back as it is.

    Numbers follow each other without gap in each series and year: the counter's row is locked until
    the transaction ends, and a number is only taken with the invoice that bears it. Raises
    EmptyDraft, NothingToBill, Incomplete.
    """
    invoice = _locked(invoice_id)
    if invoice.state == InvoiceState.ISSUED:
        return invoice
    return _issue(invoice, by=by, at=at)


@transaction.atomic
def credit(*, invoice_id: int, reason: str, bill_again: bool, by: Person, at: datetime) -> Invoice:
    """Issue the credit note that cancels a whole invoice: the only correction there is.

    With `bill_again` what the invoice billed becomes open items again. Raises NotCreditable.
    """
    invoice = _locked(invoice_id)
    known = Invoice.objects.filter(corrects=invoice).exists()
    policies.check_credit(invoice.kind, invoice.state, has_credit_note=known)
    note = Invoice.objects.create(
        kind=InvoiceKind.CREDIT_NOTE,
        organisation=invoice.organisation,
        created_at=at,
        chorus_service=invoice.chorus_service,
        engagement=invoice.engagement,
        corrects=invoice,
        reason=reason,
    )
    for line in invoice.lines.all():
        _add(note, line)
    _sum(note)
    if bill_again:
        BillableItem.objects.filter(line__invoice=invoice).update(line=None)
    return _issue(note, by=by, at=at)


@transaction.atomic
def add_price(
    *, code: str, label: str, facts: Mapping[str, Any], by: Person, at: datetime
) -> Price:
    """Add a product, or a stratum to a product that exists. Raises WrongPrice."""
    _check_price(facts)
    product, _ = Product.objects.get_or_create(code=code, defaults={"label": label})
    _check_free(product, facts)
    price = Price.objects.create(product=product, **facts)
    _record_price("billing.price_added", price, by=by, at=at)
    return price


@transaction.atomic
def revise_price(*, price_id: int, facts: Mapping[str, Any], by: Person, at: datetime) -> Price:
    """Replace a price from a day on: the former version ends the day before. Raises WrongPrice."""
    price = Price.objects.select_for_update(of=("self",)).get(pk=price_id)
    _check_price(facts)
    valid_from: date = facts["valid_from"]
    policies.check_new_version(valid_from, replaced_from=price.valid_from, today=legal_date(at))
    policies.check_current(price.valid_until)
    price.valid_until = valid_from - timedelta(days=1)
    price.save(update_fields=["valid_until"])
    version = Price.objects.create(
        product=price.product,
        population_from=price.population_from,
        population_until=price.population_until,
        **facts,
    )
    _record_price("billing.price_revised", version, by=by, at=at)
    return version


@transaction.atomic
def export(*, year: int | None, text: str, by: Person, at: datetime) -> bytes:
    """The issued invoices of a year as a CSV for the finance software; who took it is recorded."""
    found = list(
        queries.issued(year=year, text=text)
        .select_related("organisation", "corrects", "file")
        .prefetch_related("lines")
    )
    record(
        event="billing.exported",
        subject=directory.syndicat(),
        by=by,
        at=at,
        detail={"year": year, "invoices": len(found)},
    )
    return exports.to_csv(reversed(found))


def _locked(invoice_id: int) -> Invoice:
    return (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .get(pk=invoice_id)
    )


def _add(invoice: Invoice, like: BillableItem | Line) -> Line:
    """A line of `invoice` with the words and the price of `like`."""
    facts = {name: getattr(like, name) for name in LINE_FACTS}
    ht = amounts.line_ht(like.quantity, like.unit_price)
    vat = amounts.line_vat(ht, like.rate)
    return Line.objects.create(invoice=invoice, ht=ht, vat=vat, **facts)


def _sum(invoice: Invoice) -> None:
    found = amounts.totals(invoice.lines.all())
    invoice.total_ht, invoice.total_vat, invoice.total_ttc = found.ht, found.vat, found.ttc
    invoice.save(update_fields=["total_ht", "total_vat", "total_ttc"])


def _issue(invoice: Invoice, *, by: Person, at: datetime) -> Invoice:
    lines = list(invoice.lines.all())
    total = amounts.totals(lines).ttc
    policies.check_issue(lines=len(lines), total=total, who=invoice.organisation.name)
    invoice.seller = papers.party(directory.syndicat())
    invoice.buyer = papers.party(invoice.organisation)
    kind, day = InvoiceKind(invoice.kind), legal_date(at)
    invoice.year, invoice.rank = day.year, _next_rank(kind, day.year)
    invoice.number = policies.number(kind, day.year, invoice.rank, mark=cells.mark())
    invoice.issued_on, invoice.due_on = day, day + policies.PAYMENT_DELAY
    invoice.issued_by, invoice.state = by, InvoiceState.ISSUED
    invoice.file = vault.store(
        content=to_pdf(papers.paper(invoice, lines, at=at)),
        name=f"{invoice.number}.pdf",
        by=str(by),
        at=at,
    )
    invoice.save()
    event = "billing.issued" if kind == InvoiceKind.INVOICE else "billing.credited"
    _record(event, invoice, by=by, at=at, sha256=invoice.file.sha256)
    return invoice


def _next_rank(kind: InvoiceKind, year: int) -> int:
    Counter.objects.get_or_create(kind=kind, year=year)
    counter = Counter.objects.select_for_update(of=("self",)).get(kind=kind, year=year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last


def _check_price(facts: Mapping[str, Any]) -> None:
    policies.check_price(facts["unit_price"], facts["regime"], facts["rate"])


def _check_free(product: Product, facts: Mapping[str, Any]) -> None:
    """Refuse a price over another for the same body on the same day."""
    low, high = facts.get("population_from", 0), facts.get("population_until")
    others = product.prices.filter(
        Q(valid_until=None) | Q(valid_until__gte=facts["valid_from"]),
        Q(population_until=None) | Q(population_until__gte=low),
    )
    if high is not None:
        others = others.filter(population_from__lte=high)
    policies.check_free(product.label, is_taken=others.exists())


def _record(event: str, invoice: Invoice, *, by: Person, at: datetime, **detail: Any) -> None:
    told = {
        "number": invoice.number or "",
        "body": invoice.organisation.name,
        "total": str(invoice.signed_ttc),
        **detail,
    }
    schema = directory.journal_of(invoice.organisation)
    record(event=event, subject=invoice, by=by, at=at, detail=told, schema=schema)


def _record_price(event: str, price: Price, *, by: Person, at: datetime) -> None:
    detail = {
        "label": price.product.label,
        "stratum": policies.stratum(price),
        "unit_price": str(price.unit_price),
        "valid_from": str(price.valid_from),
    }
    record(event=event, subject=price, by=by, at=at, detail=detail)
