"""« Copie pour certificat », across every page of a PDF and every image. Pure: no Django."""

import io
from typing import Final

import pikepdf
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

SIDE: Final = 400.0
LARGEST: Final = 4000
"""Pixels of the longer side of an image that is shown: more tells an officer nothing."""
MAX_PIXELS: Final = 60_000_000
_INK: Final = (0.7, 0.15, 0.12)
JPEG: Final = "image/jpeg"
PDF: Final = "application/pdf"


class UnreadableImage(ValueError):
    """The image cannot be opened, or would fill the memory once opened."""


def watermarked(content: bytes, *, media_type: str, text: str) -> tuple[bytes, str]:
    """A copy with `text` across it, and its media type; an image is drawn again as a JPEG.

    Raises UnreadableImage, or `pikepdf.PdfError`.
    """
    if media_type == PDF:
        return _on_pdf(content, text), PDF
    return _on_image(content, text), JPEG


def _on_pdf(content: bytes, text: str) -> bytes:
    out = io.BytesIO()
    with (
        pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf,
        pikepdf.open(io.BytesIO(_drawing(text))) as drawing,
    ):
        for page in pdf.pages:
            page.add_overlay(drawing.pages[0], pikepdf.Rectangle(*map(float, page.mediabox)))
        pdf.save(out, deterministic_id=True)
    return out.getvalue()


def _drawing(text: str) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(SIDE, SIDE), invariant=1)
    canvas.setFillColorRGB(*_INK, alpha=0.45)
    canvas.setFont("Helvetica-Bold", 11)
    for rank in range(5):
        canvas.saveState()
        canvas.translate(SIDE / 2, SIDE * (rank + 0.5) / 5)
        canvas.rotate(20)
        canvas.drawCentredString(0, 0, text)
        canvas.restoreState()
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _on_image(content: bytes, text: str) -> bytes:
    try:
        with Image.open(io.BytesIO(content)) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise UnreadableImage("too many pixels")
            picture = opened.convert("RGB")
    except (OSError, Image.DecompressionBombError) as fault:
        raise UnreadableImage(str(fault)) from fault
    picture.thumbnail((LARGEST, LARGEST))
    layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    font = ImageFont.load_default(max(12, picture.width // 26))
    for rank in range(5):
        place = (picture.width / 2, picture.height * (rank + 0.5) / 5)
        pen.text(place, text, fill=(178, 38, 30, 130), font=font, anchor="mm")
    marked = Image.alpha_composite(picture.convert("RGBA"), layer.rotate(8)).convert("RGB")
    out = io.BytesIO()
    marked.save(out, "JPEG", quality=85)
    return out.getvalue()
