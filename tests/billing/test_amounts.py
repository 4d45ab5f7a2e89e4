"""Euros and cents."""

from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import amounts

cents = st.decimals(min_value=0, max_value=10**6, places=2)
rates = st.sampled_from([Decimal(rate) for rate in ("0", "2.10", "5.50", "10.00", "20.00")])


@dataclass(frozen=True)
class Line:
    ht: Decimal
    vat: Decimal
    rate: Decimal


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("0.005", "0.01"), ("0.015", "0.02"), ("0.025", "0.03"), ("1.0049", "1.00"), ("2", "2.00")],
)
def test_half_a_cent_goes_up(exact: str, rounded: str) -> None:
    assert amounts.cents(Decimal(exact)) == Decimal(rounded)


def test_tax_is_rounded_line_by_line() -> None:
    ht = Decimal("0.12")
    vat = amounts.line_vat(ht, Decimal("20.00"))  # 0.024
    lines = [Line(ht, vat, Decimal(20))] * 3
    assert vat == Decimal("0.02")
    assert amounts.totals(lines) == amounts.Totals(Decimal("0.36"), Decimal("0.06"))
    assert amounts.totals(lines).ttc == Decimal("0.42")


@given(st.lists(st.tuples(st.integers(1, 1000), cents, rates), max_size=20))
def test_totals_are_the_sum_of_what_is_printed(
    given_lines: list[tuple[int, Decimal, Decimal]],
) -> None:
    lines = []
    for quantity, price, rate in given_lines:
        ht = amounts.line_ht(quantity, price)
        lines.append(Line(ht, amounts.line_vat(ht, rate), rate))
    total = amounts.totals(lines)
    assert total.ttc == sum((line.ht + line.vat for line in lines), Decimal(0))
    assert total.ttc == total.ttc.quantize(Decimal("0.01"))
    by_rate = amounts.vat_by_rate(lines)
    assert sum((found.vat for _, found in by_rate), Decimal(0)) == total.vat


def test_each_rate_is_summed_apart_lowest_first() -> None:
    low, high = Decimal("5.50"), Decimal("20.00")
    lines = [
        Line(Decimal("10.00"), Decimal("2.00"), high),
        Line(Decimal("10.00"), Decimal("0.55"), low),
        Line(Decimal("30.00"), Decimal("0.00"), Decimal(0)),
    ]
    assert [rate for rate, _ in amounts.vat_by_rate(lines)] == [low, high]


def test_amounts_are_written_the_french_way() -> None:
    assert amounts.comma(Decimal("-1234.5")) == "-1234,50"
    assert amounts.euros(Decimal("1234.5")) == "1 234,50 €"
    assert amounts.percent(Decimal("20.00")) == "20 %"
    assert amounts.percent(Decimal("5.50")) == "5,5 %"
