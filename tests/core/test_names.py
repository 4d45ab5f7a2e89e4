import pytest

from socle.core.names import MAX_LENGTH, safe_name


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
