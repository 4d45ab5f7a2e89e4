"""What a file really is, whatever its name says."""

import re
from typing import BinaryIO, Final

import pikepdf

from socle.actes.protocol.codes import FileKind
from socle.core.refusals import Refusal

HEAD_SIZE: Final = 1024
_XML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml\s|!--|[A-Za-z_][\w.-]*(?:[:\s/>]))")
_HTML: Final = re.compile(rb"<(?:!doctype\s+)?html[\s>]", re.IGNORECASE)


class UnusablePdf(Refusal):
    """A PDF the préfecture could not open, print or keep."""

    code = "actes.unusable_pdf"


def sniff(head: bytes) -> FileKind | None:
    """The kind of a file from its first 1024 bytes; None when the norm does not allow it."""
    if head.startswith(b"\xff\xd8\xff"):
        return FileKind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return FileKind.PNG
    if head.lstrip(b"\xef\xbb\xbf\x00\t\n\f\r ").startswith(b"%PDF-"):
        return FileKind.PDF
    if _XML.match(head) and not _HTML.search(head[:HEAD_SIZE]):
        return FileKind.XML
    return None


def check_pdf(source: BinaryIO, *, name: str) -> None:
    """Refuse a PDF that is damaged, empty of pages, or protected by a password or against printing.

    `source` is a seekable file; `name` is quoted in the sentence. Raises UnusablePdf.
    """
    try:
        with pikepdf.open(source) as pdf:
            locked, pages = pdf.is_encrypted, len(pdf.pages)
    except pikepdf.PasswordError as fault:
        raise _locked(name) from fault
    except pikepdf.PdfError as fault:
        raise _damaged(name) from fault
    if locked:
        raise _locked(name)
    if not pages:
        raise _damaged(name)


def _locked(name: str) -> UnusablePdf:
    return UnusablePdf(
        f"Le fichier « {name} » est protégé : enregistrez-le sans mot de passe ni restriction.",
        code="actes.locked_pdf",
        field="documents",
    )


def _damaged(name: str) -> UnusablePdf:
    return UnusablePdf(
        f"Le fichier « {name} » est un PDF abîmé : produisez-le de nouveau.",
        code="actes.damaged_pdf",
        field="documents",
    )
