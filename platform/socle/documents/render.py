"""Papers written out: a neutral document, or a Typst template with its data, made into a file.

Pure: no Django. The PDF is PDF/A-2a (which includes 2b) and PDF/UA-1: archivable, and readable
aloud. The same document gives the same bytes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, assert_never

import typst

from socle.documents import office
from socle.documents.model import (
    Articles,
    Block,
    Document,
    Fields,
    Heading,
    Items,
    PageBreak,
    Paragraph,
    Signatures,
    Table,
    Text,
    ordinal,
    runs,
)
from socle.documents.typography import french

LIBRARY: Final = Path(__file__).parent / "typst"
STANDARDS: Final = ["a-2a", "ua-1"]


def to_pdf(document: Document) -> bytes:
    """The document as an A4 PDF."""
    return render_pdf(LIBRARY / "document.typ", data=_document(document), at=document.at)


def to_odt(document: Document) -> bytes:
    """The document as an ODT that LibreOffice and Word open and edit."""
    return office.render_odt(document)


def render_pdf(template: Path, *, data: Mapping[str, Any], at: datetime) -> bytes:
    """The Typst file `template` compiled with `data`; `at` (aware) is the date of creation.

    The template reads its data with ``json(bytes(sys.inputs.data))`` and may import "socle.typ";
    it sees no other file and no package. Texts must have gone through `typography.french`, since
    PDF/A refuses a character no font can draw. Raises typst.TypstError for a faulty template.
    """
    sources = {
        "main.typ": template.read_bytes(),
        "socle.typ": (LIBRARY / "socle.typ").read_bytes(),
    }
    pdf: bytes = typst.compile(  # type: ignore[call-overload]  # the stubs forget in-memory files
        sources,
        root=LIBRARY,
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=STANDARDS,
        timestamp=int(at.timestamp()),
    )
    return pdf


@cache
def _fonts() -> typst.Fonts:
    """Only the fonts shipped with Typst, so that a document looks the same on every machine."""
    return typst.Fonts(include_system_fonts=False)


def _document(document: Document) -> dict[str, Any]:
    issuer = document.issuer
    return {
        "title": french(document.title),
        "subtitle": french(document.subtitle),
        "reference": french(document.reference),
        "place-and-date": french(document.place_and_date),
        "addressee": _lines(document.addressee),
        "verification": french(document.verification),
        "exercise": document.exercise,
        "issuer": {
            "name": french(issuer.name),
            "lines": _lines(issuer.lines),
            "over": _lines(issuer.over),
        },
        "blocks": [_block(block) for block in document.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"kind": "heading", "text": french(text), "level": level}
        case Paragraph(text, style):
            return {"kind": "paragraph", "text": _text(text), "style": style}
        case Items(items, numbered):
            return {"kind": "items", "items": _cells(items), "numbered": numbered}
        case Fields(rows, title):
            named = [{"label": french(label), "value": _text(value)} for label, value in rows]
            return {"kind": "fields", "rows": named, "title": french(title)}
        case Table():
            return _table(block)
        case Articles():
            return _articles(block)
        case Signatures():
            return _signatures(block)
        case PageBreak():
            return {"kind": "pagebreak"}
        case _:
            assert_never(block)


def _table(table: Table) -> dict[str, Any]:
    return {
        "kind": "table",
        "title": french(table.title),
        "columns": [
            {"title": french(column.title), "align": column.align, "share": column.share}
            for column in table.columns
        ],
        "rows": [_cells(row) for row in table.rows],
        "totals": [
            {"label": french(label), "amount": french(amount)} for label, amount in table.totals
        ],
    }


def _articles(block: Articles) -> dict[str, Any]:
    numbered = []
    for rank, article in enumerate(block.articles, start=block.first):
        number, raised = ordinal(rank)
        numbered.append(
            {
                "number": number,
                "raised": raised,
                "title": french(article.title),
                "body": [_block(inner) for inner in article.body],
            }
        )
    return {"kind": "articles", "articles": numbered}


def _signatures(block: Signatures) -> dict[str, Any]:
    return {
        "kind": "signatures",
        "place-and-date": french(block.place_and_date),
        "signatories": [
            {
                "quality": french(signatory.quality),
                "name": french(signatory.name),
                "mention": french(signatory.mention),
            }
            for signatory in block.signatories
        ],
    }


def _cells(texts: tuple[Text, ...]) -> list[dict[str, Any]]:
    return [{"runs": _text(text)} for text in texts]


def _text(text: Text) -> list[dict[str, Any]]:
    return [{"text": french(words), "strong": strong} for words, strong in runs(text)]


def _lines(lines: tuple[str, ...]) -> list[str]:
    return [french(line) for line in lines]
