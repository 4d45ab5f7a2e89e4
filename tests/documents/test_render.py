import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
import typst

from socle.documents import render, sniff
from socle.documents.model import (
    Article,
    Articles,
    Column,
    Document,
    Fields,
    Letterhead,
    Paragraph,
    Signatory,
    Signatures,
    Strong,
    Table,
)
from socle.documents.typography import drawn_characters
from tests.documents import pdfs
from tests.documents.samples import AT, EVERYTHING, SAID, document


def spoken(pdf: bytes) -> str:
    """The words of all pages, with ordinary spaces."""
    pages = (pdfs.words(pdf, page) for page in range(sniff.inspect_pdf(pdf).pages))
    return " ".join(re.sub(r"\s", " ", page).replace("\ufffe", "-") for page in pages)


def test_everything_said_is_printed() -> None:
    text = spoken(render.to_pdf(EVERYTHING))

    assert [words for words in SAID if words not in re.sub(" +", " ", text)] == []


def test_the_pdf_is_archivable_accessible_and_in_french() -> None:
    with pikepdf.open(io.BytesIO(render.to_pdf(EVERYTHING))) as pdf, pdf.open_metadata() as meta:
        assert meta["pdfaid:part"] == "2"
        assert meta["pdfaid:conformance"] == "A"
        assert meta["pdfuaid:part"] == "1"
        assert meta["dc:title"] == "Convention de transmission"
        assert str(pdf.Root.Lang).startswith("fr")


def test_the_same_document_gives_the_same_bytes() -> None:
    assert render.to_pdf(EVERYTHING) == render.to_pdf(EVERYTHING)


def test_the_date_of_creation_is_the_document_s() -> None:
    later = replace(EVERYTHING, at=AT + timedelta(days=1))

    assert b"20260112" in render.to_pdf(EVERYTHING)
    assert b"20260113" in render.to_pdf(later)


@pytest.mark.parametrize(
    "hostile",
    ['#read("/etc/passwd")', "*gras* _it_ $x$ = titre", '"); #panic("x")', "<label> @ref \\ // /*"],
)
def test_a_text_is_never_read_as_markup(hostile: str) -> None:
    text = spoken(render.to_pdf(document(Paragraph(hostile), title=hostile)))

    assert text.count(hostile) == 2


@pytest.mark.parametrize("strong", [False, True])
def test_every_character_kept_has_a_glyph(strong: bool) -> None:
    everything = " ".join(drawn_characters())

    render.to_pdf(document(Paragraph((Strong(everything),) if strong else everything)))


def test_a_character_no_font_has_does_not_stop_the_document() -> None:
    assert "Melle" in spoken(render.to_pdf(document(Paragraph("Melle 漢字 \U0001f600"))))


def test_pages_are_counted_in_the_foot() -> None:
    text = spoken(render.to_pdf(EVERYTHING))

    assert "1 / 3" in text
    assert "3 / 3" in text


def test_nobody_signs_a_page_that_says_nothing() -> None:
    filling = [Article("Objet", (Paragraph("Texte de l’article. " * 12),)) for _ in range(7)]
    signatures = Signatures((Signatory("Le maire"), Signatory("La préfète")))
    for spare in range(8):
        spaced = (Paragraph("ligne"),) * spare
        last = Article("Fin", (Paragraph("Dernier article de la convention."),))
        pdf = render.to_pdf(document(*spaced, Articles((*filling, last)), signatures))
        page = next(
            words
            for number in range(sniff.inspect_pdf(pdf).pages)
            if "La préfète" in (words := pdfs.words(pdf, number))
        )
        assert "Dernier article" in page


def test_a_digest_is_cut_to_stay_in_its_column() -> None:
    digest = "0123456789abcdef" * 4
    narrow = Table((Column("a"), Column("b"), Column("c")), ((digest, digest, "x"),))
    image = pdfs.picture(render.to_pdf(document(Fields((("Empreinte", digest),)), narrow)))

    left, _, right, _ = pdfs.ink(image)
    assert left >= 60
    assert right <= image.width - 60


def test_an_article_without_title_has_only_its_number() -> None:
    pdf = render.to_pdf(document(Articles((Article("", (Paragraph("x"),)),), first=4)))

    assert "Article 4" in spoken(pdf)
    assert "—" not in spoken(pdf)


def test_exercise_is_printed_on_every_page() -> None:
    pdf = render.to_pdf(replace(EVERYTHING, exercise=True))

    plain = render.to_pdf(EVERYTHING)
    for page in range(3):
        assert "EXERCICE" in pdfs.words(pdf, page)
        assert "EXERCICE" not in pdfs.words(plain, page)


def test_a_room_s_own_template_may_use_the_common_hand(tmp_path: Path) -> None:
    template = tmp_path / "fiche.typ"
    template.write_text(
        '#import "socle.typ": ink\n'
        "#let data = json(bytes(sys.inputs.data))\n"
        '#set document(title: "Fiche")\n#set text(lang: "fr")\n'
        "= #text(fill: ink, data.name)\n"
    )

    assert "Melle" in spoken(render.render_pdf(template, data={"name": "Melle"}, at=AT))


@pytest.mark.parametrize("reach", ["/etc/passwd", "../model.py", "document.typ"])
def test_a_template_reads_no_other_file(tmp_path: Path, reach: str) -> None:
    template = tmp_path / "fiche.typ"
    template.write_text(f'#read("{reach}")')

    with pytest.raises(typst.TypstError):
        render.render_pdf(template, data={}, at=AT)


def test_a_row_has_one_cell_per_column() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        Table((Column("a"), Column("b")), (("seul",),))


def test_a_document_is_created_at_an_aware_time() -> None:
    with pytest.raises(ValueError, match="aware"):
        Document(title="x", issuer=Letterhead("y"), blocks=(), at=AT.replace(tzinfo=None))
