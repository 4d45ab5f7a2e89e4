import pytest

from socle.core.names import MAX_LENGTH, legible, one_line, safe_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("délib n°1 (v2).pdf", "délib n°1 (v2).pdf"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\mairie\acte.pdf", "acte.pdf"),
        ("fichier\r\nSet-Cookie: a.pdf", "fichierSet-Cookie: a.pdf"),
        ("gnp.\u202efdp", "gnp.fdp"),
        ("de\u0301lib.pdf", "délib.pdf"),
        ("  espaces   doubles .pdf ", "espaces doubles .pdf"),
        ("\ud800.pdf", "pdf"),
        ("..", "document"),
        ("", "document"),
    ],
)
def test_a_name_keeps_nothing_that_deceives(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_a_name_too_long_keeps_its_extension() -> None:
    name = safe_name("a" * 400 + ".pdf")

    assert len(name) == MAX_LENGTH
    assert name.endswith("a.pdf")


def test_a_name_too_long_in_bytes_is_cut_between_characters() -> None:
    name = safe_name("é" * 200 + ".xml")

    assert len(name.encode()) <= MAX_LENGTH
    assert name.endswith("é.xml")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a\0b\x1bc\x7fd\x85e", "abcde"),
        ("ligne\r\net\tsuite\rfin", "ligne\net\tsuite\nfin"),
        ("\ud800é\udfff", "é"),
        ("refus\u202e\u2066\u200fé", "refusé"),
        ("« 12,50 € » … cœur ‑ ’", "« 12,50 € » … cœur ‑ ’"),
    ],
)
def test_a_text_keeps_all_that_people_wrote(said: str, kept: str) -> None:
    assert legible(said) == kept


def test_a_title_is_one_line_cut_with_a_mark() -> None:
    assert one_line("Flux\nX-Second: mine\0", longest=50) == "Flux X-Second: mine"
    assert one_line("a" * 60, longest=50) == "a" * 49 + "…"
