"""The acknowledgement stamp (« tampon ») printed on every page of a PDF. Pure: no Django.

The stamp is drawn once and shared by all pages; it stands in the chosen corner of the page as it
is *shown*, whatever its rotation, its crop box or its user unit. The PDF given is never altered:
a stamped copy is returned, and a signed PDF is refused since stamping would break its signature.
"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import BinaryIO, Final

import pikepdf
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from socle.core.names import safe_name
from socle.core.refusals import Refusal
from socle.documents import sniff

MARGIN: Final = 22.0  # points between the stamp and the edges of the page, about 8 mm
EXERCISE: Final = "EXERCICE"

_INK: Final = HexColor("#1d3557")
_WARNING: Final = HexColor("#b3261e")
_REGULAR: Final = "SocleStamp"
_BOLD: Final = "SocleStampBold"
_TITLE_SIZE: Final = 8.5
_LINE_SIZE: Final = 7.5
_LEADING: Final = 10.5
_PADDING: Final = 6.0
_SQUARE: Final = 400.0  # side of the drawing that carries the diagonal watermark

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]


class Corner(StrEnum):
    """Where the stamp stands on the page as a reader sees it."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"

    @property
    def label(self) -> str:
        """The corner in French, for a list of choices."""
        return _CORNERS[self]


_CORNERS: Final = {
    Corner.TOP_LEFT: "en haut à gauche",
    Corner.TOP_RIGHT: "en haut à droite",
    Corner.BOTTOM_LEFT: "en bas à gauche",
    Corner.BOTTOM_RIGHT: "en bas à droite",
}


class SignedPdf(Refusal):
    """Stamping would break the electronic signature the PDF carries."""

    code = "documents.signed_pdf"


def stamp(
    content: bytes | BinaryIO,
    *,
    lines: Sequence[str],
    corner: Corner = Corner.TOP_RIGHT,
    exercise: bool = False,
    name: str = "document.pdf",
) -> bytes:
    """A copy of the PDF with `lines` framed in `corner` of every page; the first line is the title.

    `exercise` adds « EXERCICE » across every page. The same input gives the same bytes.
    Raises SignedPdf, and UnreadablePdf or LockedPdf as `sniff` does; `name` is for the sentence.
    """
    facts = sniff.inspect_pdf(content, name=name)
    sniff.check_facts(facts, name=name)
    if facts.signed:
        raise SignedPdf(
            f"Le fichier « {safe_name(name)} » porte une signature électronique que le tampon "
            "romprait : l’original signé reste tel quel, joignez-lui sa feuille de tampon."
        )
    with pikepdf.open(sniff.as_stream(content), suppress_warnings=True) as pdf:
        drawings = [_Drawing.of(pdf, _draw_box(lines), corner)] if lines else []
        if exercise:
            drawings.append(_Drawing.of(pdf, _draw_watermark(), None))
        for page in pdf.pages:
            _print_on(page, drawings)
        return _saved(pdf)


def _saved(pdf: pikepdf.Pdf) -> bytes:
    out = io.BytesIO()
    pdf.save(out, min_version="1.4", deterministic_id=True)
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A form XObject with its size in points, and its corner (None: fills the page's middle).

    Its `name` in a page's resources comes from what is drawn: the same stamp given twice takes the
    same place, another one takes another.
    """

    name: pikepdf.Name
    form: pikepdf.Object
    width: float
    height: float
    corner: Corner | None

    @classmethod
    def of(cls, pdf: pikepdf.Pdf, one_page: bytes, corner: Corner | None) -> "_Drawing":
        with pikepdf.open(io.BytesIO(one_page)) as source:
            page = source.pages[0]
            form = pdf.copy_foreign(page.as_form_xobject())
            _, _, width, height = (float(side) for side in page.mediabox)
        name = pikepdf.Name(f"/SocleStamp{hashlib.sha256(one_page).hexdigest()[:16]}")
        return cls(name, form, width, height, corner)

    def place(self, width: float, height: float) -> tuple[float, float, float]:
        """(scale, u, v) of the drawing on a shown page of `width` by `height` points."""
        if self.corner is None:
            scale = min(width, height) / self.width
            return scale, (width - scale * self.width) / 2, (height - scale * self.height) / 2
        margin = min(MARGIN, width / 20, height / 20)
        scale = min(1.0, (width - 2 * margin) / self.width, (height - 2 * margin) / self.height)
        left, bottom = "left" in self.corner, "bottom" in self.corner
        return (
            scale,
            margin if left else width - margin - scale * self.width,
            margin if bottom else height - margin - scale * self.height,
        )


def _print_on(page: pikepdf.Page, drawings: Sequence[_Drawing]) -> None:
    box, turn, unit = _shown_box(page), int(page.rotation), float(page.obj.get("/UserUnit", 1))
    sides = (box[2] - box[0], box[3] - box[1])
    width, height = (side * unit for side in (sides if turn % 180 == 0 else sides[::-1]))
    commands = []
    for drawing in drawings:
        scale, u, v = drawing.place(width, height)
        matrix = _on_page(box, turn, scale=scale / unit, u=u / unit, v=v / unit)
        page.add_resource(drawing.form, pikepdf.Name.XObject, drawing.name)
        commands.append(
            "q {} cm {} Do Q".format(" ".join(f"{n:.4f}" for n in matrix), drawing.name)
        )
    # The page's own content may leave its graphics state open: without this the stamp could be
    # drawn upside down or off the page.
    closing = "Q\n" * (1 + _open_states(page))
    page.contents_add(b"q\n", prepend=True)
    page.contents_add((closing + "\n".join(commands) + "\n").encode("ascii"))


def _on_page(box: Box, turn: int, *, scale: float, u: float, v: float) -> Matrix:
    """The matrix from the drawing to the page's own space, where (u, v) is on the page as shown."""
    left, bottom, right, top = box
    cosine, sine, x, y = {
        0: (1, 0, left + u, bottom + v),
        90: (0, 1, right - v, bottom + u),
        180: (-1, 0, right - u, top - v),
        270: (0, -1, left + v, top - u),
    }[turn]
    return (scale * cosine, scale * sine, -scale * sine, scale * cosine, x, y)


def _shown_box(page: pikepdf.Page) -> Box:
    """The crop box kept inside the media box, as readers show it."""
    media, crop = _ordered(page.mediabox), _ordered(page.cropbox)
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else media


def _ordered(box: pikepdf.Array) -> Box:
    x0, y0, x1, y1 = (float(side) for side in box)
    return (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _open_states(page: pikepdf.Page) -> int:
    """How many graphics states the page's content opens (q) and forgets to close (Q)."""
    depth = 0
    for instruction in pikepdf.parse_content_stream(page, "q Q"):
        depth = depth + 1 if str(instruction.operator) == "q" else max(0, depth - 1)
    return depth


def _draw_box(lines: Sequence[str]) -> bytes:
    """One PDF page exactly as large as the framed lines."""
    _register_fonts()
    texts = [line.replace("\u202f", "\u00a0") for line in lines]
    styles = [(_BOLD, _TITLE_SIZE)] + [(_REGULAR, _LINE_SIZE)] * (len(texts) - 1)
    width = 2 * _PADDING + max(
        pdfmetrics.stringWidth(text, *style) for text, style in zip(texts, styles, strict=True)
    )
    height = 2 * _PADDING + _LEADING * len(texts) - (_LEADING - _TITLE_SIZE)
    canvas, out = _canvas(width, height)
    canvas.setFillColorRGB(1, 1, 1, alpha=0.88)
    canvas.setStrokeColor(_INK)
    canvas.setLineWidth(0.9)
    canvas.roundRect(0.5, 0.5, width - 1, height - 1, 2, stroke=1, fill=1)
    canvas.setFillColor(_INK, alpha=1)
    baseline = height - _PADDING - _TITLE_SIZE * 0.78
    for text, style in zip(texts, styles, strict=True):
        canvas.setFont(*style)
        canvas.drawString(_PADDING, baseline, text)
        baseline -= _LEADING
    return _finished(canvas, out)


def _draw_watermark() -> bytes:
    _register_fonts()
    canvas, out = _canvas(_SQUARE, _SQUARE)
    canvas.setFillColor(_WARNING, alpha=0.22)
    canvas.translate(_SQUARE / 2, _SQUARE / 2)
    canvas.rotate(45)
    size = _SQUARE * 0.9 / pdfmetrics.stringWidth(EXERCISE, _BOLD, 1)
    canvas.setFont(_BOLD, size)
    canvas.drawCentredString(0, -size * 0.36, EXERCISE)
    return _finished(canvas, out)


def _canvas(width: float, height: float) -> tuple[Canvas, io.BytesIO]:
    out = io.BytesIO()
    return Canvas(out, pagesize=(width, height), invariant=1), out


def _finished(canvas: Canvas, out: io.BytesIO) -> bytes:
    canvas.showPage()
    canvas.save()
    return out.getvalue()


@cache
def _register_fonts() -> None:
    """Bitstream Vera, shipped with reportlab: embedded, so that the copy prints anywhere."""
    pdfmetrics.registerFont(TTFont(_REGULAR, "Vera.ttf"))
    pdfmetrics.registerFont(TTFont(_BOLD, "VeraBd.ttf"))
