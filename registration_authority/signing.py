"""Signatures drawn on the screen, added to the receipt as a last page. Pure: no Django."""

import hashlib
import io
from datetime import datetime
from typing import Final

import pikepdf
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from socle.core.clock import PARIS
from socle.core.refusals import Refusal

MAX_BYTES: Final = 400_000
MAX_SIDE: Final = 3_000
LEAST_INK: Final = 40
"""Dark pixels below which nobody signed: a touch by mistake."""


class UnreadableDrawing(Refusal):
    """A signature is missing or is no drawing."""

    code = "ra.unreadable_drawing"


def read_drawing(content: bytes, *, field: str) -> bytes:
    """A signature drawn on the screen, as a small black on white PNG. Raises UnreadableDrawing."""
    try:
        if not content or len(content) > MAX_BYTES:
            raise ValueError("size")
        with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
            if max(opened.size) > MAX_SIDE:
                raise ValueError("pixels")
            drawn = opened.convert("RGBA")
    except (ValueError, OSError, Image.DecompressionBombError) as fault:
        raise UnreadableDrawing(
            "La signature à l’écran est illisible : recommencez, ou signez sur papier et versez "
            "le procès-verbal scanné.",
            field=field,
        ) from fault
    plain = Image.new("RGB", drawn.size, "white")
    plain.paste(drawn, mask=drawn.getchannel("A"))
    grey = plain.convert("L")
    if sum(grey.histogram()[:128]) < LEAST_INK:
        raise UnreadableDrawing(
            "La zone de signature est vide : signez dans les deux cadres.", field=field
        )
    out = io.BytesIO()
    grey.save(out, "PNG")
    return out.getvalue()


def signed(
    receipt: bytes, *, drawings: tuple[bytes, bytes], names: tuple[str, str], at: datetime
) -> bytes:
    """The receipt (PDF) with a last page: both signatures, who drew them, when, over which bytes.

    Raises UnreadableDrawing.
    """
    drawn = [
        read_drawing(one, field=field)
        for one, field in zip(drawings, ("holder_drawing", "officer_drawing"), strict=True)
    ]
    page = io.BytesIO()
    canvas = Canvas(page, pagesize=A4, invariant=1)
    top = A4[1] - 30 * mm
    canvas.setFont("Helvetica-Bold", 13)
    canvas.drawString(20 * mm, top, "Signatures recueillies à l’écran")
    canvas.setFont("Helvetica", 9)
    told = f"Le {at.astimezone(PARIS):%d/%m/%Y à %H h %M}, sur le procès-verbal qui précède."
    canvas.drawString(20 * mm, top - 7 * mm, told)
    digest = hashlib.sha256(receipt).hexdigest()
    canvas.drawString(20 * mm, top - 12 * mm, f"Empreinte SHA-256 du procès-verbal : {digest}")
    qualities = ("La personne qui reçoit", "L’opérateur d’enregistrement")
    for rank, (quality, name, drawing) in enumerate(zip(qualities, names, drawn, strict=True)):
        base = top - (75 + 65 * rank) * mm
        canvas.drawString(20 * mm, base + 46 * mm, f"{quality} : {name}")
        canvas.rect(20 * mm, base, 120 * mm, 42 * mm)
        canvas.drawImage(
            ImageReader(io.BytesIO(drawing)),
            22 * mm,
            base + 2 * mm,
            116 * mm,
            38 * mm,
            preserveAspectRatio=True,
        )
    canvas.showPage()
    canvas.save()
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(receipt)) as pdf, pikepdf.open(page) as last:
        pdf.pages.extend(last.pages)
        pdf.save(out, deterministic_id=True)
    return out.getvalue()
