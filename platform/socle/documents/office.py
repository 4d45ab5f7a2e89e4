"""The neutral document as an ODT that an office opens, corrects and prints. Pure: no Django.

Set with the same sobriety as the PDF, under named styles an office finds in its own list. Texts
are added as text nodes, never as markup.
"""

import io
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final, assert_never

import odfdo
from odfdo import Element, Paragraph, Span

from socle.documents import model
from socle.documents.model import (
    Articles,
    Block,
    Document,
    Fields,
    Heading,
    Items,
    PageBreak,
    Signatures,
    Table,
    Text,
    ordinal,
    runs,
)
from socle.documents.typography import NBSP, french

_FONT: Final = "Liberation Serif"
_PAGE_WIDTH: Final = 16.4  # centimetres between the margins
_INK: Final = "#1d3557"
_GREY: Final = "#55606e"
_HAIRLINE: Final = "0.5pt solid #b9c2cd"
_RULE: Final = f"0.8pt solid {_INK}"

# name: (paragraph properties, text properties)
_PARAGRAPHS: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {
    "Corps": (
        {"fo:text-align": "justify", "fo:margin-bottom": "0.22cm", "fo:line-height": "115%"},
        {"fo:font-size": "11pt"},
    ),
    "Centré": (
        {"fo:text-align": "center", "fo:margin-bottom": "0.22cm"},
        {"fo:font-size": "11pt"},
    ),
    "Décision": (
        {
            "fo:text-align": "center",
            "fo:margin-top": "0.5cm",
            "fo:margin-bottom": "0.4cm",
            "fo:keep-with-next": "always",
        },
        {"fo:font-size": "11pt", "fo:font-weight": "bold"},
    ),
    "Note": (
        {"fo:text-align": "justify", "fo:margin-bottom": "0.15cm"},
        {"fo:font-size": "9pt", "fo:color": _GREY},
    ),
    "En-tête au-dessus": (
        {},
        {"fo:font-size": "8.5pt", "fo:color": _GREY, "fo:text-transform": "uppercase"},
    ),
    "En-tête nom": (
        {"fo:margin-top": "0.1cm"},
        {"fo:font-size": "14pt", "fo:font-weight": "bold", "fo:color": _INK},
    ),
    "En-tête ligne": ({}, {"fo:font-size": "9pt", "fo:color": _GREY}),
    "Filet": ({"fo:border-bottom": _RULE, "fo:margin-bottom": "0.4cm"}, {"fo:font-size": "4pt"}),
    "Destinataire": ({"fo:margin-left": "8cm"}, {"fo:font-size": "11pt"}),
    "Lieu et date": (
        {
            "fo:text-align": "end",
            "fo:margin-top": "0.6cm",
            "fo:margin-bottom": "0.3cm",
            "fo:keep-with-next": "always",
        },
        {"fo:font-size": "11pt"},
    ),
    "Titre du document": (
        {"fo:text-align": "center", "fo:margin-top": "0.9cm", "fo:margin-bottom": "0.25cm"},
        {"fo:font-size": "18pt", "fo:font-weight": "bold", "fo:color": _INK},
    ),
    "Sous-titre du document": (
        {"fo:text-align": "center", "fo:margin-bottom": "0.2cm"},
        {"fo:font-size": "11.5pt", "fo:font-style": "italic"},
    ),
    "Référence": (
        {"fo:text-align": "center", "fo:margin-bottom": "0.8cm"},
        {"fo:font-size": "9.5pt", "fo:color": _GREY},
    ),
    "Intitulé": (
        {
            "fo:margin-top": "0.5cm",
            "fo:margin-bottom": "0.15cm",
            "fo:keep-with-next": "always",
        },
        {"fo:font-size": "11pt", "fo:font-weight": "bold", "fo:color": _INK},
    ),
    "Titre de partie": (
        {
            "fo:margin-top": "0.6cm",
            "fo:margin-bottom": "0.25cm",
            "fo:keep-with-next": "always",
        },
        {"fo:font-size": "12.5pt", "fo:font-weight": "bold", "fo:color": _INK},
    ),
    "Titre de sous-partie": (
        {
            "fo:margin-top": "0.45cm",
            "fo:margin-bottom": "0.2cm",
            "fo:keep-with-next": "always",
        },
        {"fo:font-size": "11pt", "fo:font-weight": "bold"},
    ),
    "Libellé": ({}, {"fo:font-size": "11pt", "fo:color": _GREY}),
    "Valeur": ({}, {"fo:font-size": "11pt"}),
    "Cellule": ({}, {"fo:font-size": "10pt"}),
    "Cellule centrée": ({"fo:text-align": "center"}, {"fo:font-size": "10pt"}),
    "Cellule à droite": ({"fo:text-align": "end"}, {"fo:font-size": "10pt"}),
    "Pied": ({"fo:border-top": _HAIRLINE}, {"fo:font-size": "8pt", "fo:color": _GREY}),
    "Exercice": (
        {"fo:text-align": "center"},
        {"fo:font-size": "16pt", "fo:font-weight": "bold", "fo:color": "#b3261e"},
    ),
    "Espace": ({}, {"fo:font-size": "6pt"}),
    "Saut de page": ({"fo:break-before": "page"}, {"fo:font-size": "2pt"}),
}
_WORDS: Final[dict[str, dict[str, str]]] = {
    "Gras": {"fo:font-weight": "bold"},
    "Exposant": {"style:text-position": "super 62%"},
}
# name: (kind of level, its attributes)
_LISTS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "Tirets": ("text:list-level-style-bullet", {"text:bullet-char": "–"}),
    "Numéros": (
        "text:list-level-style-number",
        {"style:num-format": "1", "style:num-suffix": "."},
    ),
}
# name: (family, properties)
_TABLES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "Tableau": ("table", {"style:width": f"{_PAGE_WIDTH}cm", "table:align": "margins"}),
    "Rangée": ("table-row", {"fo:keep-together": "always"}),
    "Signatures": (
        "table-row",
        {"style:min-row-height": "4.2cm", "fo:keep-together": "always"},
    ),
    "Champ": ("table-cell", {"fo:border-bottom": _HAIRLINE, "fo:padding": "0.08cm 0"}),
    "Case": ("table-cell", {"fo:border-bottom": _HAIRLINE, "fo:padding": "0.1cm"}),
    "Tête": (
        "table-cell",
        {
            "fo:border-top": _RULE,
            "fo:border-bottom": _RULE,
            "fo:background-color": "#eef2f6",
            "fo:padding": "0.1cm",
        },
    ),
    "Total": ("table-cell", {"fo:border-bottom": _HAIRLINE, "fo:padding": "0.1cm"}),
    "Signature": ("table-cell", {"fo:border": _HAIRLINE, "fo:padding": "0.3cm"}),
    "Blanc": ("table-cell", {"fo:padding": "0.1cm"}),
}
_ALIGNED: Final = {"left": "Cellule", "center": "Cellule centrée", "right": "Cellule à droite"}
_STYLED: Final = {
    model.Style.BODY: "Corps",
    model.Style.CENTERED: "Centré",
    model.Style.DECISION: "Décision",
    model.Style.NOTE: "Note",
}


def render_odt(document: Document) -> bytes:
    """The document as ODT bytes; dated `document.at`, titled and authored in its metadata."""
    office = odfdo.Document("text")
    office.body.clear()
    _declare_styles(office)
    _set_page(office, document)
    for element in [*_masthead(document), *_blocks(document.blocks)]:
        office.body.append(element)
    _number_columns(office)
    _set_metadata(office, document)
    out = io.BytesIO()
    office.save(out)
    return out.getvalue()


def _masthead(document: Document) -> Iterator[Element]:
    issuer = document.issuer
    yield from _lines("En-tête au-dessus", issuer.over)
    yield _paragraph("En-tête nom", issuer.name)
    yield from _lines("En-tête ligne", issuer.lines)
    yield _paragraph("Filet", "")
    yield from _lines("Destinataire", document.addressee)
    yield from _unless_empty("Lieu et date", document.place_and_date)
    yield _heading("Titre du document", document.title, level=1)
    yield from _unless_empty("Sous-titre du document", document.subtitle)
    yield from _unless_empty("Référence", document.reference)


def _blocks(blocks: Iterable[Block]) -> Iterator[Element]:
    for block in blocks:
        yield from _block(block)


def _block(block: Block) -> Iterator[Element]:
    match block:
        case Heading(text, level):
            style = "Titre de partie" if level == 1 else "Titre de sous-partie"
            yield _heading(style, text, level=level + 1)
        case model.Paragraph(text, style):
            yield _paragraph(_STYLED[style], text)
        case Items():
            yield _items(block)
        case Fields():
            yield from _fields(block)
        case Table():
            yield from _table(block)
        case Articles():
            yield from _articles(block)
        case Signatures():
            yield from _signatures(block)
        case PageBreak():
            yield _paragraph("Saut de page", "")
        case _:
            assert_never(block)


def _items(block: Items) -> Element:
    listing = _node(
        "text:list", {"text:style-name": _style("Numéros" if block.numbered else "Tirets")}
    )
    for item in block.items:
        entry = _node("text:list-item")
        entry.append(_paragraph("Corps", item))
        listing.append(entry)
    return listing


def _fields(block: Fields) -> Iterator[Element]:
    yield from _unless_empty("Intitulé", block.title)
    rows = [
        _row(
            _cell("Champ", _paragraph("Libellé", label)),
            _cell("Champ", _paragraph("Valeur", value)),
        )
        for label, value in block.rows
    ]
    yield _grid((0.34, 0.66), rows)
    yield _paragraph("Espace", "")


def _table(block: Table) -> Iterator[Element]:
    yield from _unless_empty("Intitulé", block.title)
    whole = sum(column.share for column in block.columns)
    styles = [_ALIGNED[column.align] for column in block.columns]
    head = _row(
        *(
            _cell("Tête", _paragraph(style, (model.Strong(column.title),)))
            for style, column in zip(styles, block.columns, strict=True)
        )
    )
    rows = [
        _row(
            *(
                _cell("Case", _paragraph(style, cell))
                for style, cell in zip(styles, cells, strict=True)
            )
        )
        for cells in block.rows
    ]
    yield _grid(tuple(column.share / whole for column in block.columns), rows, head=head)
    if block.totals:
        yield _paragraph("Espace", "")
        yield _totals(block.totals)
    yield _paragraph("Espace", "")


def _totals(totals: tuple[tuple[str, str], ...]) -> Element:
    rows = []
    for rank, (label, amount) in enumerate(totals, start=1):
        last = rank == len(totals)
        named, counted = ((model.Strong(text),) if last else text for text in (label, amount))
        rows.append(
            _row(
                _cell("Blanc", _paragraph("Cellule", "")),
                _cell("Total", _paragraph("Cellule", named)),
                _cell("Total", _paragraph("Cellule à droite", counted)),
            )
        )
    return _grid((0.48, 0.30, 0.22), rows)


def _articles(block: Articles) -> Iterator[Element]:
    for rank, article in enumerate(block.articles, start=block.first):
        number, raised = ordinal(rank)
        heading = _heading("Titre de partie", f"Article{NBSP}{number}", level=2)
        if raised:
            heading.append(Span(raised, style=_style("Exposant")))
        if article.title:
            heading.append_plain_text(f" — {french(article.title)}")
        yield heading
        yield from _blocks(article.body)


def _signatures(block: Signatures) -> Iterator[Element]:
    yield from _unless_empty("Lieu et date", block.place_and_date)
    cells = [_signature(signatory) for signatory in block.signatories]
    if len(cells) == 1:
        cells.insert(0, _cell("Blanc", _paragraph("Valeur", "")))
    wide = min(len(cells), 3)
    rows = []
    for start in range(0, len(cells), wide):
        some = cells[start : start + wide]
        some += [_cell("Blanc", _paragraph("Valeur", "")) for _ in range(wide - len(some))]
        rows.append(_row(*some, style="Signatures"))
    yield _grid((1 / wide,) * wide, rows)
    yield _paragraph("Espace", "")


def _signature(signatory: model.Signatory) -> Element:
    return _cell(
        "Signature",
        _paragraph("Valeur", (model.Strong(signatory.quality),)),
        *_unless_empty("Valeur", signatory.name),
        *_unless_empty("En-tête ligne", signatory.mention),
    )


def _grid(shares: tuple[float, ...], rows: list[Element], head: Element | None = None) -> Element:
    table = _node("table:table", {"table:style-name": _style("Tableau")})
    for share in shares:
        table.append(_node("table:table-column", {"table:style-name": _column(share)}))
    if head is not None:
        headed = _node("table:table-header-rows")
        headed.append(head)
        table.append(headed)
    for row in rows:
        table.append(row)
    return table


def _row(*cells: Element, style: str = "Rangée") -> Element:
    row = _node("table:table-row", {"table:style-name": _style(style)})
    for cell in cells:
        row.append(cell)
    return row


def _cell(style: str, *paragraphs: Element) -> Element:
    cell = _node(
        "table:table-cell",
        {"table:style-name": _style(style), "office:value-type": "string"},
    )
    for paragraph in paragraphs:
        cell.append(paragraph)
    return cell


def _column(share: float) -> str:
    return f"Colonne_20_{round(share * 1000)}"


def _lines(style: str, lines: Iterable[str]) -> Iterator[Element]:
    return (_paragraph(style, line) for line in lines)


def _unless_empty(style: str, text: str) -> Iterator[Element]:
    return _lines(style, [text] if text else [])


def _heading(style: str, text: str, *, level: int) -> odfdo.Header:
    heading = odfdo.Header(level, french(text))
    heading.set_attribute("text:style-name", _style(style))
    return heading


def _paragraph(style: str, text: Text) -> Paragraph:
    paragraph = Paragraph(style=_style(style))
    for words, strong in runs(text):
        if strong:
            paragraph.append(Span(french(words), style=_style("Gras")))
        else:
            paragraph.append_plain_text(french(words))
    return paragraph


def _declare_styles(office: odfdo.Document) -> None:
    # The empty document of odfdo numbers its headings; our articles bear their own numbers.
    _within(office.styles, "text:outline-style").delete()
    named = _within(office.styles, "office:styles")
    for name, (paragraph, text) in _PARAGRAPHS.items():
        style = _named(name, "paragraph")
        style.append(_node("style:paragraph-properties", paragraph))
        style.append(_node("style:text-properties", {"style:font-name": _FONT, **text}))
        named.append(style)
    for name, text in _WORDS.items():
        style = _named(name, "text")
        style.append(_node("style:text-properties", text))
        named.append(style)
    for name, (kind, level) in _LISTS.items():
        named.append(_list_style(name, kind, level))
    automatic = _within(office.content, "office:automatic-styles")
    for name, (family, properties) in _TABLES.items():
        style = _named(name, family)
        style.append(_node(f"style:{family}-properties", properties))
        automatic.append(style)


def _number_columns(office: odfdo.Document) -> None:
    """Declare the width of each column style in use."""
    columns = office.body.get_elements("descendant::table:table-column")
    for name in {column.get_attribute_string("table:style-name") for column in columns}:
        thousandths = int(str(name).rpartition("_")[2])
        width = f"{thousandths * _PAGE_WIDTH / 1000:.3f}cm"
        style = _node("style:style", {"style:name": str(name), "style:family": "table-column"})
        style.append(_node("style:table-column-properties", {"style:column-width": width}))
        _within(office.content, "office:automatic-styles").append(style)


def _list_style(name: str, kind: str, level: dict[str, str]) -> Element:
    style = _node("text:list-style", {"style:name": _style(name), "style:display-name": name})
    entry = _node(kind, {"text:level": "1", **level})
    properties = _node(
        "style:list-level-properties",
        {"text:list-level-position-and-space-mode": "label-alignment"},
    )
    properties.append(
        _node(
            "style:list-level-label-alignment",
            {
                "text:label-followed-by": "listtab",
                "fo:text-indent": "-0.5cm",
                "fo:margin-left": "0.9cm",
            },
        )
    )
    entry.append(properties)
    style.append(entry)
    return style


def _set_page(office: odfdo.Document, document: Document) -> None:
    layout = _within(office.styles, "style:page-layout-properties")
    for side in ("left", "right"):
        layout.set_attribute(f"fo:margin-{side}", "2.3cm")
    master = _within(office.styles, "style:master-page")
    if document.exercise:
        header = _node("style:header")
        header.append(_paragraph("Exercice", "EXERCICE"))
        master.append(header)
    footer = _node("style:footer")
    footer.append(_foot(document))
    master.append(footer)


def _foot(document: Document) -> Element:
    marks = " · ".join(mark for mark in (document.reference, document.verification) if mark)
    foot = _paragraph("Pied", f"{marks} — page{NBSP}" if marks else f"Page{NBSP}")
    foot.append(_node("text:page-number", {"text:select-page": "current"}))
    foot.append_plain_text(f"{NBSP}/{NBSP}")
    foot.append(_node("text:page-count"))
    return foot


def _set_metadata(office: odfdo.Document, document: Document) -> None:
    naive = (document.at - (document.at.utcoffset() or timedelta())).replace(tzinfo=None)
    office.meta.title = french(document.title).replace("\n", " ")
    office.meta.creator = french(document.issuer.name)
    office.meta.creation_date = naive
    office.meta.date = naive
    office.meta.generator = "Socle"


def _named(name: str, family: str) -> Element:
    return _node(
        "style:style",
        {
            "style:name": _style(name),
            "style:display-name": name,
            "style:family": family,
            "style:parent-style-name": "Standard" if family == "paragraph" else "",
        },
    )


def _style(name: str) -> str:
    """A display name as the NCName ODF wants: anything but ASCII letters becomes _hex_."""
    return "".join(
        char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in name
    )


def _within(part: odfdo.XmlPart, tag: str) -> Element:
    """The first `tag` of a part of the empty document of odfdo, which has each of those we use."""
    element = part.get_element(f"descendant::{tag}")
    if element is None:
        raise LookupError(tag)
    return element


def _node(tag: str, attributes: dict[str, str] | None = None) -> Element:
    element = Element.from_tag(tag)
    for name, value in (attributes or {}).items():
        if value:
            element.set_attribute(name, value)
    return element
