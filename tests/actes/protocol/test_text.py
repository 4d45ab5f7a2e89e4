import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.actes.protocol.text import (
    Replacement,
    Untransmittable,
    is_transmittable,
    transliterate,
)


def test_A19_typographic_characters_are_transliterated_and_never_become_question_marks() -> None:
    result = transliterate("L’œuvre – 100 €")

    assert result.text == "L'oeuvre - 100 EUR"
    assert Replacement("€", "EUR") in result.replacements
    assert len(result.replacements) == 4


def test_A18_line_breaks_and_runs_of_spaces_become_one_space() -> None:
    assert transliterate("  Budget\r\n\tprincipal   2025 ").text == "Budget principal 2025"


def test_a_text_that_iso_8859_1_carries_is_not_reported_as_changed() -> None:
    assert transliterate("Été à l'école : 50 % « gratuit »").replacements == ()


def test_windows_1252_punctuation_taken_for_iso_is_repaired() -> None:
    assert transliterate("l\x92arr\xeat\xe9 \x96 \x80").text == "l'arrêté - EUR"


def test_decomposed_accents_and_foreign_letters_are_brought_back() -> None:
    assert transliterate("e\u0301cole de Škoda ﬁnancée").text == "école de Skoda financée"


def test_a_character_without_equivalent_is_refused_by_name() -> None:
    with pytest.raises(Untransmittable, match="« 🎉 »") as refused:
        transliterate("Fête 🎉", field="objet")
    assert refused.value.field == "objet"


@given(st.text(max_size=80))
def test_what_is_transliterated_can_always_be_sent_and_never_changes_again(text: str) -> None:
    try:
        once = transliterate(text).text
    except Untransmittable:
        return
    assert is_transmittable(once)
    assert once.encode("iso-8859-1").decode("iso-8859-1") == once
    assert transliterate(once) == transliterate(once).__class__(once)
