"""The price list a deployment starts with: a yearly adhesion by stratum, and the certificate."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from billing import policies
from billing.models import Price, Product, VatRegime

STRATA: Final = (
    (0, 199, "75.00"),
    (200, 499, "120.00"),
    (500, 999, "190.00"),
    (1_000, 1_999, "300.00"),
    (2_000, 3_499, "450.00"),
    (3_500, 4_999, "600.00"),
    (5_000, 9_999, "900.00"),
    (10_000, None, "1500.00"),
)
"""(from, until, euros HT a year); the boundaries are those national statistics use."""
EXERCISE: Final = "certificat-exercice"
"""What the exercise authority's offer calls its price."""
CERTIFICATE_PRICE: Final = Decimal("75.00")
STANDARD_RATE: Final = Decimal("20.00")


def ensure(*, valid_from: date, exercise_price: Decimal = Decimal("0.00")) -> list[Product]:
    """The products and their prices, created when missing; asking again changes nothing.

    Prices that exist are left as they are: they are the syndicat's, once it changed them. A
    certificate of the exercise authority costs `exercise_price` (euros HT), so that a demonstration
    may bill it.
    """
    strata = [
        Price(
            unit_price=Decimal(amount),
            regime=VatRegime.OUT_OF_SCOPE,
            population_from=low,
            population_until=high,
            valid_from=valid_from,
        )
        for low, high, amount in STRATA
    ]
    certificate, exercise = (
        _taxed(CERTIFICATE_PRICE, valid_from),
        _taxed(exercise_price, valid_from),
    )
    return [
        _product(policies.ADHESION, "Adhésion annuelle au syndicat", strata),
        _product(policies.CERTIFICATE, "Certificat de signature, trois ans", [certificate]),
        _product(EXERCISE, "Certificat d’exercice, trois ans", [exercise]),
    ]


def _product(code: str, label: str, prices: Iterable[Price]) -> Product:
    product, _ = Product.objects.get_or_create(code=code, defaults={"label": label})
    if not product.prices.exists():
        for price in prices:
            price.product = product
            price.save()
    return product


def _taxed(amount: Decimal, valid_from: date) -> Price:
    return Price(
        unit_price=amount, regime=VatRegime.TAXED, rate=STANDARD_RATE, valid_from=valid_from
    )
