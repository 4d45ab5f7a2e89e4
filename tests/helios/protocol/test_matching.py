from datetime import UTC, datetime

import pytest

from socle.helios.protocol.header import Header
from socle.helios.protocol.matching import Candidate, Match, attribute_retour, match_acquit

MONDAY = datetime(2026, 1, 5, 9, tzinfo=UTC)
TUESDAY = datetime(2026, 1, 6, 9, tzinfo=UTC)
ACQUIT = Header(nom_fic="PES-1", cod_col="123")


def candidate(
    flux: str,
    *,
    nom_fic: str = "PES-1",
    cod_col: str = "123",
    awaiting: bool = True,
    at: datetime = MONDAY,
) -> Candidate[str]:
    return Candidate(flux, nom_fic, cod_col, awaiting, at)


def test_an_acquit_finds_the_only_flux_with_its_name_and_code() -> None:
    candidates = [
        candidate("a", nom_fic="PES-2"),
        candidate("b"),
        candidate("c", cod_col="456"),
    ]

    assert match_acquit(ACQUIT, candidates) == Match("b", ambiguous=False)


def test_h086_of_two_flux_that_wait_the_most_recent_is_meant() -> None:
    candidates = [candidate("new", at=TUESDAY), candidate("old")]

    assert match_acquit(ACQUIT, candidates) == Match("new", ambiguous=True)


@pytest.mark.parametrize("order", [1, -1])
def test_h087_the_flux_that_waits_is_preferred_in_either_order(order: int) -> None:
    candidates = [candidate("waits"), candidate("done", awaiting=False, at=TUESDAY)]

    assert match_acquit(ACQUIT, candidates[::order]) == Match("waits", ambiguous=True)


def test_h089_an_acquit_without_cod_col_is_matched_by_a_name_that_is_unique() -> None:
    acquit = Header(nom_fic="PES-1")

    assert match_acquit(acquit, [candidate("a")]) == Match("a", ambiguous=False)
    assert match_acquit(acquit, [candidate("a"), candidate("b", cod_col="456")]) is None


def test_h090_an_acquit_of_an_unknown_flux_is_kept_aside() -> None:
    assert match_acquit(ACQUIT, [candidate("a", cod_col="456")]) is None


def test_h101_an_acquit_without_name_matches_nothing() -> None:
    assert match_acquit(Header(cod_col="123"), [candidate("a", nom_fic="")]) is None


def test_h110_an_acquit_that_arrives_before_our_commit_matches_later() -> None:
    assert match_acquit(ACQUIT, []) is None
    assert match_acquit(ACQUIT, [candidate("a", awaiting=False)]) == Match("a", ambiguous=False)


MELLE = "21790174400011"


def test_h080_a_retour_goes_to_the_organisation_of_its_siret() -> None:
    holders = [(MELLE, "Melle"), ("21790174400029", "Melle CCAS")]

    assert attribute_retour(MELLE, holders) == "Melle"


def test_an_organisation_that_declares_its_siret_twice_is_still_one() -> None:
    assert attribute_retour(MELLE, [(MELLE, "Melle"), (MELLE, "Melle")]) == "Melle"


def test_h081_a_retour_of_an_unknown_siret_is_kept_aside() -> None:
    assert attribute_retour("66920145100015", [(MELLE, "Melle")]) is None


def test_h082_a_siret_held_by_two_organisations_is_given_to_none() -> None:
    assert attribute_retour(MELLE, [(MELLE, "Melle"), (MELLE, "CCAS")]) is None


def test_an_unknown_siret_of_a_known_siren_goes_to_its_only_holder() -> None:
    assert attribute_retour("21790174400045", [(MELLE, "Melle")]) == "Melle"


def test_an_unknown_siret_of_a_shared_siren_is_given_to_none() -> None:
    holders = [(MELLE, "Melle"), ("21790174400029", "CCAS")]

    assert attribute_retour("21790174400045", holders) is None


@pytest.mark.parametrize("id_coll", ["", "217901744"])
def test_an_incomplete_siret_is_given_to_none(id_coll: str) -> None:
    assert attribute_retour(id_coll, [(MELLE, "Melle"), ("", "personne")]) is None
