"""PDFs made for the tests, and what a page looks like."""

import io
import os

import pikepdf
import pypdfium2
from PIL import Image, ImageOps
from reportlab.pdfgen.canvas import Canvas


def plain(pages: int = 1, *, size: tuple[int, int] = (595, 842), text: str = "") -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=size, invariant=1)
    for _ in range(pages):
        canvas.drawString(60, 60, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def saved(pdf: pikepdf.Pdf, **options: object) -> bytes:
    out = io.BytesIO()
    pdf.save(out, **options)
    return out.getvalue()


def locked(*, owner: str = "owner", user: str = "") -> bytes:
    with pikepdf.open(io.BytesIO(plain())) as pdf:
        no_print = pikepdf.Permissions(print_highres=False, print_lowres=False)
        return saved(pdf, encryption=pikepdf.Encryption(owner=owner, user=user, allow=no_print))


def with_signature_field(*, signed: bool) -> bytes:
    with pikepdf.open(io.BytesIO(plain())) as pdf:
        field = pikepdf.Dictionary(FT=pikepdf.Name.Sig, T="Signature1")
        if signed:
            field.V = pikepdf.Dictionary(
                Type=pikepdf.Name.Sig, Filter=pikepdf.Name("/Adobe.PPKLite")
            )
        group = pdf.make_indirect(pikepdf.Dictionary(T="form", Kids=[pdf.make_indirect(field)]))
        pdf.Root.AcroForm = pdf.make_indirect(pikepdf.Dictionary(Fields=[group]))
        return saved(pdf)


def picture(pdf: bytes, page: int = 0) -> Image.Image:
    """The page as shown, one pixel per point."""
    with pypdfium2.PdfDocument(pdf) as document:
        return document[page].render(scale=1).to_pil().convert("RGB")


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) around everything that is not white."""
    box = ImageOps.invert(image.convert("L")).getbbox()
    assert box is not None, "the page is blank"
    return box


def words(pdf: bytes, page: int = 0) -> str:
    with pypdfium2.PdfDocument(pdf) as document:
        return document[page].get_textpage().get_text_bounded()


def heavy(mebibytes: int) -> bytes:
    """A PDF of about this weight, that no compression makes lighter."""
    with pikepdf.open(io.BytesIO(plain())) as pdf:
        pdf.Root.Blob = pikepdf.Array(
            pdf.make_stream(os.urandom(1024 * 1024)) for _ in range(mebibytes)
        )
        return saved(pdf)
