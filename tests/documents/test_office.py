import io
import re
import zipfile
from dataclasses import replace

import odfdo
import pytest
from lxml import etree

from socle.documents import render, sniff
from socle.documents.model import Article, Articles, Heading, Paragraph, Signatory, Signatures
from tests.documents.samples import EVERYTHING, SAID, document

STYLE = "urn:oasis:names:tc:opendocument:xmlns:style:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"


def part(odt: bytes, name: str) -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(odt)) as archive:
        return etree.fromstring(archive.read(name))


def spoken(odt: bytes) -> str:
    """The words of the body and of the foot, spaces made plain."""
    texts = []
    for name in ("content.xml", "styles.xml"):
        for paragraph in part(odt, name).iter(f"{{{TEXT}}}p", f"{{{TEXT}}}h"):
            for gap in paragraph.iter(f"{{{TEXT}}}s", f"{{{TEXT}}}line-break"):
                gap.tail = " " + (gap.tail or "")
            texts.append("".join(paragraph.itertext()))
    return re.sub(r"\s+", " ", "\n".join(texts))


@pytest.fixture(scope="module")
def odt() -> bytes:
    return render.to_odt(EVERYTHING)


def test_everything_said_is_written(odt: bytes) -> None:
    assert [words for words in SAID if words not in spoken(odt)] == []


def test_it_is_an_odt(odt: bytes) -> None:
    assert sniff.sniff(odt) is sniff.Kind.ODT
    assert odfdo.Document(io.BytesIO(odt)).get_type() == "text"


def test_every_style_used_is_declared(odt: bytes) -> None:
    content, styles = part(odt, "content.xml"), part(odt, "styles.xml")
    declared = {
        (node.get(f"{{{STYLE}}}name"))
        for tree in (content, styles)
        for node in tree.iter(f"{{{STYLE}}}style", f"{{{TEXT}}}list-style")
    }
    used = {
        value
        for tree in (content, styles)
        for node in tree.iter()
        for name, value in node.attrib.items()
        if name in (f"{{{TEXT}}}style-name", f"{{{TABLE}}}style-name")
    }

    assert used - declared - {"Numbering_20_Symbols", "Bullet_20_Symbols"} == set()


def test_a_text_is_never_read_as_markup() -> None:
    hostile = "<text:p>&amp; ]]> <!-- x --> & Co"

    assert hostile in spoken(render.to_odt(document(Paragraph(hostile))))


def test_headings_make_an_outline_without_numbers(odt: bytes) -> None:
    levels = [
        int(heading.get(f"{{{TEXT}}}outline-level"))
        for heading in part(odt, "content.xml").iter(f"{{{TEXT}}}h")
    ]

    assert levels == [1, 2, 3, 2, 2]
    assert part(odt, "styles.xml").find(f".//{{{TEXT}}}outline-style") is None


def test_the_first_article_bears_its_raised_ordinal() -> None:
    articles = Articles((Article("Objet", (Paragraph("x"),)),))

    assert "Article 1er — Objet" in spoken(render.to_odt(document(articles)))


def test_a_single_signatory_signs_on_the_right() -> None:
    odt = render.to_odt(document(Signatures((Signatory("Le maire"),))))
    row = part(odt, "content.xml").find(f".//{{{TABLE}}}table-row")

    assert ["".join(cell.itertext()) for cell in row] == ["", "Le maire"]


def test_exercise_is_written_at_the_head_of_every_page(odt: bytes) -> None:
    practice = render.to_odt(replace(EVERYTHING, exercise=True))

    def head(odt: bytes) -> list[str]:
        headers = part(odt, "styles.xml").iter(f"{{{STYLE}}}header")
        return ["".join(header.itertext()) for header in headers]

    assert head(practice) == ["EXERCICE"]
    assert head(odt) == []


def test_its_metadata_are_the_document_s(odt: bytes) -> None:
    meta = odfdo.Document(io.BytesIO(odt)).meta

    assert meta.title == "Convention de transmission"
    assert str(meta.creation_date).startswith("2026-01-12 09:00")


def test_a_heading_alone_is_enough() -> None:
    assert "Titre" in spoken(render.to_odt(document(Heading("Titre"))))
