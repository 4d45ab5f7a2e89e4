"""Invoices for the tests of billing."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from billing import actions
from billing.models import BillableItem, Invoice, Product, VatRegime
from socle.accounts.models import Person
from socle.directory.models import Organisation

_made = iter(range(1, 10**9))


def item(body: Organisation, at: datetime, **facts: Any) -> BillableItem:
    """Something to bill to `body`: 75 € HT of certificate, unless said otherwise."""
    product, _ = Product.objects.get_or_create(code="CERT", defaults={"label": "Certificat"})
    number = next(_made)
    given = {
        "product": product,
        "source": f"test:{number}",
        "happened_on": at.date(),
        "label": f"Certificat n° {number}",
        "rule": "Tarif en vigueur",
        "unit_price": Decimal("75.00"),
        "regime": VatRegime.TAXED,
        "rate": Decimal("20.00"),
        "collected_at": at,
    }
    return BillableItem.objects.create(organisation=body, **(given | facts))


def draft(body: Organisation, officer: Person, at: datetime, **facts: Any) -> Invoice:
    """A draft with one line."""
    item(body, at, **facts)
    return actions.draft(organisation_id=body.pk, by=officer, at=at)


def issued(body: Organisation, officer: Person, at: datetime, **facts: Any) -> Invoice:
    """An issued invoice with one line."""
    made = draft(body, officer, at, **facts)
    return actions.issue(invoice_id=made.pk, by=officer, at=at)
