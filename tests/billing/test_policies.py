"""Prices, free certificates and what may be issued, without a database."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing import policies
from billing.models import InvoiceKind, InvoiceState, VatRegime

DAY = date(2026, 11, 24)


@dataclass
class Price:
    unit_price: Decimal = Decimal("75.00")
    population_from: int = 0
    population_until: int | None = None
    valid_from: date = date(2026, 1, 1)
    valid_until: date | None = None
    regime: str = VatRegime.TAXED
    rate: Decimal = Decimal("20.00")


def find(prices: list[Any], *, on: date = DAY, population: int | None = 500) -> Any:
    return policies.price_for(prices, product="Adhésion", on=on, population=population)


def test_the_stratum_of_the_population_is_chosen_bounds_included() -> None:
    small = Price(population_until=499)
    large = Price(population_from=500, population_until=999)
    assert find([small, large], population=499) is small
    assert find([small, large], population=500) is large
    assert find([small, large], population=999) is large


def test_a_commune_without_inhabitants_has_a_stratum() -> None:
    price = Price(population_until=99)
    assert find([price], population=0) is price


def test_the_version_of_the_day_is_chosen() -> None:
    old = Price(valid_until=date(2026, 6, 30))
    new = Price(valid_from=date(2026, 7, 1))
    assert find([old, new], on=date(2026, 6, 30)) is old
    assert find([old, new], on=date(2026, 7, 1)) is new


def test_a_missing_price_says_which_product_day_and_population() -> None:
    with pytest.raises(policies.MissingPrice, match=r"« Adhésion ».*24/11/2026 pour 500 habitants"):
        find([Price(valid_from=date(2027, 1, 1)), Price(population_from=501)])


def test_an_unknown_population_is_told_where_the_price_depends_on_it() -> None:
    with pytest.raises(policies.UnknownPopulation, match="annuaire"):
        find([Price(population_until=499)], population=None)
    flat = Price()
    assert find([flat], population=None) is flat


def test_the_first_certificate_of_a_member_is_free_and_says_so() -> None:
    rated = policies.rate_certificate(Price(), is_member=True, is_first=True)
    assert (rated.unit_price, rated.rule) == (Decimal("0.00"), policies.FIRST_FREE)


@pytest.mark.parametrize(("is_member", "is_first"), [(True, False), (False, True), (False, False)])
def test_any_other_certificate_is_at_the_list_price(is_member: bool, is_first: bool) -> None:
    rated = policies.rate_certificate(Price(), is_member=is_member, is_first=is_first)
    assert (rated.unit_price, rated.rule) == (Decimal("75.00"), policies.LIST_PRICE)


def test_a_certificate_that_costs_nothing_does_not_use_up_the_free_one() -> None:
    free = Price(unit_price=Decimal("0.00"))
    rated = policies.rate_certificate(free, is_member=True, is_first=True)
    assert rated.rule == policies.LIST_PRICE


def test_an_adhesion_names_its_stratum_and_the_population() -> None:
    price = Price(population_from=500, population_until=999)
    rated = policies.rate_adhesion(price, population=612)
    assert rated.rule == "Strate de 500 à 999 habitants : 612"


def test_a_body_is_a_member_until_the_eve_of_its_departure() -> None:
    joined, left = date(2026, 1, 1), date(2027, 1, 1)
    assert policies.is_member(joined, left, on=date(2026, 12, 31))
    assert not policies.is_member(joined, left, on=left)
    assert not policies.is_member(None, None, on=DAY)


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_below_one_is_refused(quantity: int) -> None:
    with pytest.raises(policies.WrongQuantity, match="avoir"):
        policies.check_quantity(quantity)


@pytest.mark.parametrize(
    ("amount", "regime", "rate", "field"),
    [
        ("-1", VatRegime.TAXED, "20", "unit_price"),
        ("10", VatRegime.TAXED, "0", "rate"),
        ("10", VatRegime.FRANCHISE, "20", "rate"),
    ],
)
def test_a_price_that_cannot_be_is_refused(amount: str, regime: str, rate: str, field: str) -> None:
    with pytest.raises(policies.WrongPrice) as refused:
        policies.check_price(Decimal(amount), regime, Decimal(rate))
    assert refused.value.field == field


@pytest.mark.parametrize("start", [date(2026, 11, 23), date(2026, 1, 1)])
def test_a_new_version_never_rewrites_the_past(start: date) -> None:
    with pytest.raises(policies.WrongPrice, match="trop tôt"):
        policies.check_new_version(start, replaced_from=date(2026, 1, 1), today=DAY)


def test_a_body_without_siret_is_told_what_to_complete() -> None:
    with pytest.raises(policies.Incomplete, match=r"SIRET de « Melle ».*annuaire"):
        policies.check_party("Melle", "")


def test_an_empty_draft_is_not_issued() -> None:
    with pytest.raises(policies.EmptyDraft, match="aucune ligne"):
        policies.check_issue(lines=0, total=Decimal(0), who="Melle")


def test_a_draft_that_claims_nothing_is_not_issued() -> None:
    with pytest.raises(policies.NothingToBill):
        policies.check_issue(lines=1, total=Decimal("0.00"), who="Melle")


@pytest.mark.parametrize(
    ("kind", "state", "known"),
    [
        (InvoiceKind.INVOICE, InvoiceState.DRAFT, False),
        (InvoiceKind.CREDIT_NOTE, InvoiceState.ISSUED, False),
        (InvoiceKind.INVOICE, InvoiceState.ISSUED, True),
    ],
)
def test_only_an_issued_invoice_gets_one_credit_note(kind: str, state: str, known: bool) -> None:
    with pytest.raises(policies.NotCreditable):
        policies.check_credit(kind, state, has_credit_note=known)


def test_numbers_fit_what_the_finance_software_takes() -> None:
    assert policies.number(InvoiceKind.INVOICE, 2026, 1) == "2026-F-00001"
    assert policies.number(InvoiceKind.CREDIT_NOTE, 2026, 12) == "2026-A-00012"
    assert len(policies.number(InvoiceKind.INVOICE, 2026, 999_999_999)) <= 20


def test_every_regime_without_tax_has_its_mention() -> None:
    assert policies.mentions(["taxed"]) == []
    assert policies.mentions(["franchise", "franchise"]) == [
        "TVA non applicable, art. 293 B du CGI"
    ]
    assert len(policies.mentions(VatRegime.values)) == len(VatRegime) - 1
