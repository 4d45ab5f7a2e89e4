"""The words of a PDF, read by a process that may fail without us."""

import io
from typing import Any

import pikepdf
import pytest

from socle.core import apart
from socle.documents import text
from tests.documents import pdfs


def test_the_words_of_a_pdf_are_read_in_order() -> None:
    found = text.read(pdfs.plain(text="Le conseil municipal fixe les tarifs"), name="a.pdf")
    assert found is not None
    assert "Le conseil municipal fixe les tarifs" in found.words
    assert (found.pages, found.images, found.cut) == (1, 0, False)


def test_a_page_without_words_is_an_image() -> None:
    blank = pikepdf.new()
    for _ in range(3):
        blank.add_blank_page()
    content = io.BytesIO()
    blank.save(content)
    found = text.read(content, name="scan.pdf")
    assert found is not None
    assert (found.words, found.pages, found.images) == ("", 3, 3)
    assert content.tell() == 0


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"not a pdf", pdfs.plain()[:200]])
def test_what_cannot_be_read_has_no_words(content: bytes) -> None:
    assert text.read(content, name="x.pdf") is None


def test_an_endless_document_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "TIME_LIMIT", 0)
    assert text.read(pdfs.plain(), name="x.pdf") is None


def test_a_long_document_is_cut() -> None:
    many: Any = pikepdf.new()
    one = pikepdf.open(io.BytesIO(pdfs.plain(text="Une page")))
    for _ in range(505):
        many.pages.append(one.pages[0])
    content = io.BytesIO()
    many.save(content)
    found = text.read(content, name="long.pdf")
    assert found is not None
    assert (found.pages, found.cut) == (505, True)
    assert found.words.count("Une page") == 500
