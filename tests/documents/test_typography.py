import pytest

from socle.documents.typography import MISSING, NARROW, NBSP, drawn_characters, french


@pytest.mark.parametrize(
    ("typed", "set_as"),
    [
        ("vrai ;", f"vrai{NARROW};"),
        ("Vraiment ?!", f"Vraiment{NARROW}?!"),
        ("DÉCIDE :", f"DÉCIDE{NBSP}:"),
        ("« oui »", f"«{NBSP}oui{NBSP}»"),
        ("1 240,00 €", f"1{NARROW}240,00{NBSP}€"),
        ("217 901 743 00018", f"217{NARROW}901{NARROW}743 00018"),
        ("05 49 27 00 23", "05 49 27 00 23"),
        ("n° 12", f"n°{NBSP}12"),
        ("M. Rey et Mme Roy", f"M.{NBSP}Rey et Mme{NBSP}Roy"),
        ("le 9 janvier 2026 à 18 h 30", f"le 9{NBSP}janvier 2026 à 18{NBSP}h 30"),
        ("l'État d'aujourd'hui", "l’État d’aujourd’hui"),
        ("https://melle.example/a?b=1", "https://melle.example/a?b=1"),
        ("12:30", "12:30"),
        ("une ligne\nune autre", "une ligne\nune autre"),
        (" ; suite ", f"{NARROW}; suite "),
        ("", ""),
    ],
)
def test_french_spacing_is_set_only_where_a_space_was_typed(typed: str, set_as: str) -> None:
    assert french(typed) == set_as


def test_a_character_no_font_has_is_shown_as_missing() -> None:
    assert (
        french("漢字 de Melle \U0001f600 \ud800")
        == f"{MISSING}{MISSING} de Melle {MISSING} {MISSING}"
    )


def test_invisible_characters_disappear() -> None:
    assert french("a\u200bb\u202ec\x00d\x1be") == "abcde"


def test_letters_and_accents_typed_apart_are_joined() -> None:
    assert french("de\u0301lib") == "délib"


def test_all_of_french_can_be_drawn() -> None:
    needed = "àâäæçéèêëîïôöœùûüÿÀÂÄÆÇÉÈÊËÎÏÔÖŒÙÛÜŸ«»‹›“”‘’–—…€£°²³½№™©®§†•·×÷±≤≥≠→☐☑☒✓"

    assert set(needed) <= set(drawn_characters())
