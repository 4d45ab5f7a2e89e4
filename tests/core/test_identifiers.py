"""Identifiers: the rules of INSEE and of ACTES, and what a wrong one is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.core import identifiers
from socle.core.identifiers import InvalidIdentifier
from socle.core.refusals import Refusal

MELLE = "200081511"
CHAMONIX_SIRET = "21740056300011"
DIGITS = st.text(alphabet="0123456789", min_size=1, max_size=20)


@given(DIGITS)
def test_the_key_completes_any_digits_into_a_luhn_number(digits: str) -> None:
    assert identifiers.luhn(digits + identifiers.luhn_key(digits))


@given(DIGITS, st.integers(0, 18), st.integers(1, 9))
def test_luhn_sees_any_single_wrong_digit(digits: str, at: int, shift: int) -> None:
    number = digits + identifiers.luhn_key(digits)
    at %= len(number)
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]

    assert not identifiers.luhn(wrong)


@pytest.mark.parametrize("text", ["200081511", "200 081 511", " 200\N{NO-BREAK SPACE}081511\n"])
def test_a_siren_is_accepted_with_or_without_spaces(text: str) -> None:
    assert identifiers.check_siren(text) == MELLE


@pytest.mark.parametrize(
    "text", ["", "20008151", "2000815111", "20008151A", "200.081.511", "²00081511"]
)
def test_a_siren_of_the_wrong_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match="doit compter 9 chiffres") as refusal:
        identifiers.check_siren(text)

    assert (refusal.value.code, refusal.value.field) == ("siren-length", "siren")


@pytest.mark.parametrize("text", ["200081512", "200085111", "000000000"])
def test_a_siren_with_a_wrong_key_or_no_owner_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match="un chiffre est faux") as refusal:
        identifiers.check_siren(text)

    assert refusal.value.code == "siren-key"


@pytest.mark.parametrize("siret", [CHAMONIX_SIRET, "21340126800130"])
def test_the_siret_of_a_town_hall_is_accepted(siret: str) -> None:
    assert identifiers.check_siret(siret) == siret


@pytest.mark.parametrize("text", ["21740056300012", "00000000000000"])
def test_a_siret_with_a_wrong_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier, match="un chiffre est faux") as refusal:
        identifiers.check_siret(text)

    assert (refusal.value.code, refusal.value.field) == ("siret-key", "siret")


def test_a_siret_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(InvalidIdentifier, match="doit compter 14 chiffres"):
        identifiers.check_siret(MELLE)


@pytest.mark.parametrize("siret", ["35600000000048", "35600000049837"])
def test_la_poste_has_its_own_key(siret: str) -> None:
    assert identifiers.check_siret(siret) == siret


@pytest.mark.parametrize("siret", ["35600000057236", "35600000000049"])
def test_a_wrong_siret_of_la_poste_is_refused(siret: str) -> None:
    with pytest.raises(InvalidIdentifier):
        identifiers.check_siret(siret)


def test_a_siret_tells_its_siren() -> None:
    assert identifiers.siren_of(CHAMONIX_SIRET) == "217400563"


def test_the_siret_of_an_establishment_is_built_from_its_rank() -> None:
    assert identifiers.siret_of("217400563", 1) == CHAMONIX_SIRET
    assert identifiers.siret_of("213401268", 13) == "21340126800130"


@given(st.integers(0, 99_999_999), st.integers(0, 9_999))
def test_a_completed_siren_gives_valid_sirets(stem: int, establishment: int) -> None:
    siren = identifiers.complete_siren(f"{stem:08d}")
    if siren in {"000000000", identifiers.LA_POSTE}:
        return

    siret = identifiers.siret_of(identifiers.check_siren(siren), establishment)

    assert identifiers.check_siret(siret) == siret


def test_people_read_a_siren_and_a_siret_by_groups() -> None:
    assert identifiers.format_siren(MELLE) == "200\xa0081\xa0511"
    assert identifiers.format_siret(CHAMONIX_SIRET) == "217\xa0400\xa0563\xa000011"


@given(st.integers(1, 99_999_999))
def test_what_people_read_can_be_typed_back(stem: int) -> None:
    siret = identifiers.siret_of(identifiers.complete_siren(f"{stem:08d}"))

    assert identifiers.check_siret(identifiers.format_siret(siret)) == siret


@pytest.mark.parametrize(
    ("typed", "code", "departement"),
    [
        ("79174", "79174", "79"),
        ("01001", "01001", "01"),
        ("2a004", "2A004", "2A"),
        ("2B033", "2B033", "2B"),
        ("97411", "97411", "974"),
        ("98735", "98735", "987"),
        (" 79 174 ", "79174", "79"),
    ],
)
def test_a_commune_code_tells_its_departement(typed: str, code: str, departement: str) -> None:
    assert identifiers.check_insee_commune(typed) == code
    assert identifiers.departement_of(code) == departement


@pytest.mark.parametrize(
    "code",
    ["", "7917", "791740", "1001", "20004", "2C004", "00001", "96001", "99100", "97901", "7917A"],
)
def test_a_code_that_is_no_commune_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidIdentifier, match="n'est pas un code INSEE") as refusal:
        identifiers.check_insee_commune(code)

    assert refusal.value.field == "insee"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("79", "079"), ("01", "001"), ("2A", "02A"), ("2b", "02B"), ("971", "971"), ("988", "988")],
)
def test_actes_writes_a_departement_on_three_characters(code: str, expected: str) -> None:
    assert identifiers.actes_departement(code) == expected


@pytest.mark.parametrize("code", ["", "1", "20", "96", "079", "999", "2C"])
def test_an_unknown_departement_is_refused(code: str) -> None:
    with pytest.raises(InvalidIdentifier, match="n'existe pas"):
        identifiers.actes_departement(code)


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("31", "Commune"),
        ("41", "Syndicat de communes ou syndicat mixte fermé"),
        ("42", "Syndicat mixte ouvert"),
        ("44", "Communauté de communes"),
    ],
)
def test_the_natures_of_our_members_have_a_label(code: str, label: str) -> None:
    assert identifiers.ACTES_NATURES[identifiers.check_actes_nature(code)] == label


@pytest.mark.parametrize("code", ["", "3", "13", "99", "Commune"])
def test_an_unknown_nature_is_refused(code: str) -> None:
    with pytest.raises(InvalidIdentifier, match="n'existe pas dans ACTES"):
        identifiers.check_actes_nature(code)


@pytest.mark.parametrize(
    "check",
    [
        identifiers.check_siren,
        identifiers.check_siret,
        identifiers.check_insee_commune,
        identifiers.actes_departement,
        identifiers.check_actes_nature,
    ],
)
def test_every_refusal_is_one_french_sentence_quoting_what_was_typed(check: object) -> None:
    with pytest.raises(Refusal) as refusal:
        check("bidon")  # type: ignore[operator]

    sentence = str(refusal.value)
    assert "« bidon »" in sentence
    assert sentence.count(". ") == 0
    assert sentence.endswith(".")
