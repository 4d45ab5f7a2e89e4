"""Text: the keys by which French names are sorted, searched and made into host names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.core import text


def test_spaces_of_every_kind_become_one_space() -> None:
    assert text.normalise_spaces("  Saint \t Romans\n\N{NO-BREAK SPACE}lès  Melle ") == (
        "Saint Romans lès Melle"
    )


def test_french_names_sort_without_regard_to_accents_or_case() -> None:
    names = ["zèbre", "école", "Éa", "eau", "Œuf", "odeur"]

    assert sorted(names, key=text.fold) == ["Éa", "eau", "école", "odeur", "Œuf", "zèbre"]


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("Saint-Maixent-l'École", "saint maixent l ecole"),
        ("L’Haÿ-les-Roses", "L'HAY LES ROSES"),
        ("Œuilly", "oeuilly"),
        ("Lœuilley", "LOEUILLEY"),
        ("E\N{COMBINING ACUTE ACCENT}chire\N{COMBINING ACUTE ACCENT}", "Échiré"),
    ],
)
def test_a_name_is_found_however_it_is_typed(written: str, searched: str) -> None:
    assert text.fold(written) == text.fold(searched)


@given(st.text())
def test_folding_twice_changes_nothing_more(anything: str) -> None:
    assert text.fold(text.fold(anything)) == text.fold(anything)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Saint-Martin-lès-Melle", "saint-martin-les-melle"),
        ("L'Île-d'Yeu", "l-ile-d-yeu"),
        ("Prailles-La Couarde", "prailles-la-couarde"),
        ("Y", "y"),
        ("CC Mellois en Poitou", "cc-mellois-en-poitou"),
    ],
)
def test_a_commune_has_a_readable_host_label(name: str, label: str) -> None:
    assert text.slug_host(name) == label


@given(st.text())
def test_a_host_label_is_always_one_that_dns_accepts(name: str) -> None:
    try:
        label = text.slug_host(name)
    except text.UnusableName:
        return

    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label)


def test_a_long_name_is_cut_without_a_trailing_hyphen() -> None:
    assert text.slug_host("a" * 62 + " syndicat") == "a" * 62


def test_a_name_without_any_letter_is_refused() -> None:
    with pytest.raises(text.UnusableName, match="ne peut pas servir d'adresse"):
        text.slug_host("« — »")
