"""What a French reader expects to read."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.web import formats

N = "\u00a0"


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (Decimal("1234.5"), f"1{N}234,50{N}€"),
        (0, f"0,00{N}€"),
        (Decimal("-12.005"), f"-12,01{N}€"),
        (Decimal("1234567.89"), f"1{N}234{N}567,89{N}€"),
    ],
)
def test_an_amount_has_a_decimal_comma_and_grouped_thousands(amount: Decimal, written: str) -> None:
    assert formats.euros(amount) == written


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_no_amount_loses_a_cent_when_written(amount: Decimal) -> None:
    digits = formats.euros(amount).removesuffix("€").replace(N, "").replace(",", ".")
    assert Decimal(digits) == amount


def test_a_siren_is_grouped_by_threes() -> None:
    assert formats.identifier("217901735") == f"217{N}901{N}735"


def test_a_siret_keeps_its_five_last_digits_together() -> None:
    assert formats.identifier("217 901 735 00018") == f"217{N}901{N}735{N}00018"


def test_what_is_no_siren_is_left_alone() -> None:
    assert formats.identifier("2179") == "2179"


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (0, f"0{N}octet"),
        (1, f"1{N}octet"),
        (999, f"999{N}octets"),
        (1000, f"1{N}ko"),
        (12_400_000, f"12,4{N}Mo"),
        (150_000_000, f"150{N}Mo"),
        (2_500_000_000, f"2,5{N}Go"),
    ],
)
def test_a_size_is_written_in_decimal_units(octets: int, written: str) -> None:
    assert formats.size(octets) == written


def test_a_day_is_written_in_full() -> None:
    assert formats.day(date(2026, 11, 24)) == "mardi 24 novembre 2026"


def test_the_first_of_the_month_is_an_ordinal() -> None:
    assert formats.day(date(2026, 2, 1)) == "dimanche 1er février 2026"


def test_an_instant_late_in_utc_is_already_the_next_day_in_paris() -> None:
    assert formats.day(datetime(2026, 11, 24, 23, 30, tzinfo=UTC)) == "mercredi 25 novembre 2026"


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 11, 24, 13, 5, tzinfo=UTC), "24/11/2026 à 14 h 05"),
        (datetime(2026, 7, 1, 5, 0, tzinfo=UTC), "01/07/2026 à 7 h 00"),
    ],
)
def test_an_instant_is_read_on_the_clock_of_paris(at: datetime, written: str) -> None:
    assert formats.instant(at).replace(N, " ") == written


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        formats.instant(datetime(2026, 11, 24, 14, 5))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("quantity", "written"),
    [(0, f"0{N}acte"), (1, f"1{N}acte"), (2, f"2{N}actes"), (1240, f"1{N}240{N}actes")],
)
def test_zero_and_one_are_singular(quantity: int, written: str) -> None:
    assert formats.count(quantity, "acte", "actes") == written


def test_zero_may_have_its_own_phrase() -> None:
    assert formats.count(0, "acte", "actes", "aucun acte") == "aucun acte"
