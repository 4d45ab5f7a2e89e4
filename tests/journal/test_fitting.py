"""What came from outside fits in one line of the journal, and says where it was cut."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.journal.canonical import DETAIL_LIMIT, encode
from socle.journal.fitting import fitted
from tests.journal.samples import entry


@pytest.mark.parametrize(
    "detail",
    [
        {"why": "é" * 9000},
        {"why": "x" * 9000, "name": "acte.xml"},
        {"names": ["annexe " * 30] * 400},
        {"names": [f"{n}" for n in range(5000)]},
        {"inner": {"why": "x" * 9000}},
        {"why": "\0\ud800\u202e", "number": 3, "sure": True, "none": None},
    ],
)
def test_it_fits_and_can_be_written(detail: dict[str, Any]) -> None:
    fit = fitted(detail)
    assert len(encode(fit)) <= DETAIL_LIMIT
    entry(1, detail=fit).check()
    assert fit.keys() == detail.keys()


def test_what_fits_is_left_as_it_is() -> None:
    detail = {"why": "Pièce refusée : « signature » absente.\nVoir l’annexe.", "list": ["a", "b"]}
    assert fitted(detail) == detail


def test_the_short_ones_stay_whole() -> None:
    fit = fitted({"why": "x" * 9000, "name": "acte.xml"})
    assert fit["name"] == "acte.xml"
    assert fit["why"].endswith("x…")


@given(st.dictionaries(st.sampled_from("abc"), st.text(st.characters(), max_size=6000)))
def test_any_text_can_be_written(detail: dict[str, str]) -> None:
    entry(1, detail=fitted(detail)).check()
