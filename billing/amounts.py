"""Money: Decimal euros with two places, rounded half up line by line. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Protocol

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")


class Line(Protocol):
    """What a sum needs of a line of an invoice."""

    @property
    def ht(self) -> Decimal: ...
    @property
    def vat(self) -> Decimal: ...
    @property
    def rate(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Totals:
    """What an invoice comes to, in euros."""

    ht: Decimal
    vat: Decimal

    @property
    def ttc(self) -> Decimal:
        """All taxes included."""
        return self.ht + self.vat


def cents(amount: Decimal) -> Decimal:
    """`amount` to the cent, half a cent away from zero."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def line_ht(quantity: int, unit_price: Decimal) -> Decimal:
    """What a line comes to before tax."""
    return cents(quantity * unit_price)


def line_vat(ht: Decimal, rate: Decimal) -> Decimal:
    """The tax of one line; `rate` is in percent (Decimal("20.00"))."""
    return cents(ht * rate / 100)


def totals(lines: Iterable[Line]) -> Totals:
    """The sums of lines that were rounded one by one."""
    found = list(lines)
    return Totals(sum((one.ht for one in found), ZERO), sum((one.vat for one in found), ZERO))


def vat_by_rate(lines: Iterable[Line]) -> list[tuple[Decimal, Totals]]:
    """(rate, base and tax) for each rate but zero, lowest first (CGI annexe II, 242 nonies A)."""
    found = [one for one in lines if one.rate]
    rates = sorted({one.rate for one in found})
    return [(rate, totals(one for one in found if one.rate == rate)) for rate in rates]


def comma(amount: Decimal) -> str:
    """`amount` as a French spreadsheet reads it: « 1234,50 », without space nor sign of euro."""
    return f"{cents(amount):f}".replace(".", ",")


def percent(rate: Decimal) -> str:
    """`rate` as it is printed: « 20 % », « 5,5 % »."""
    return f"{rate.normalize():f}".replace(".", ",") + " %"


def euros(amount: Decimal) -> str:
    """`amount` as it is printed: « 1 234,50 € »."""
    return f"{cents(amount):,f}".replace(",", " ").replace(".", ",") + " €"
