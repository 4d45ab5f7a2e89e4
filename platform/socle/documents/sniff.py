"""What a file really is, judged by its content and never by its name. Pure: no Django.

A commune's file is refused here with a sentence its secretary can act on, before it reaches a
préfecture that would refuse it with a code.
"""

import io
import os
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final

import pikepdf
from pikepdf import settings as pdf_settings

from socle.core.names import safe_name
from socle.core.refusals import Refusal

PDF_WINDOW: Final = 1024  # bytes in which readers look for the header, and for the %%EOF mark
PADDING: Final = 64 * 1024  # copiers write thousands of NUL after the end of a PDF
MAX_PAGES: Final = 10_000
MAX_FORM_FIELDS: Final = 20_000
MEBIBYTE: Final = 1024 * 1024

# Process-wide limits of qpdf against decompression bombs; it wants them set before any thread.
pdf_settings.set_qpdf_limits(
    doc_max_warnings=100,
    flate_max_memory=256 * MEBIBYTE,
    png_max_memory=256 * MEBIBYTE,
    run_length_max_memory=64 * MEBIBYTE,
    tiff_max_memory=64 * MEBIBYTE,
)


class Kind(StrEnum):
    """The kinds of file Socle tells apart. The value is the media type."""

    EMPTY = "application/x-empty"
    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    XML = "application/xml"
    ODT = "application/vnd.oasis.opendocument.text"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    ZIP = "application/zip"
    UNKNOWN = "application/octet-stream"

    @property
    def label(self) -> str:
        """The kind as a French noun group with its article, to be read inside a sentence."""
        return _LABELS[self]


_LABELS: Final = {
    Kind.EMPTY: "un fichier vide",
    Kind.PDF: "un document PDF",
    Kind.JPEG: "une image JPEG",
    Kind.PNG: "une image PNG",
    Kind.XML: "un fichier XML",
    Kind.ODT: "un document LibreOffice (ODT)",
    Kind.DOCX: "un document Word (DOCX)",
    Kind.ZIP: "une archive ZIP",
    Kind.UNKNOWN: "un fichier d’un format inconnu",
}


@dataclass(frozen=True, slots=True)
class PdfFacts:
    """What matters of a PDF: `landscape` tells whether the first page is shown wider than high.

    `signatures` counts the filled signature fields; a document may be `signed` with none of them.
    `trap` says what in it would act by itself, or show something else than the act; "" for nothing.
    """

    version: str
    pages: int
    encrypted: bool
    signed: bool
    landscape: bool
    signatures: int = 0
    trap: str = ""


class EmptyFile(Refusal):
    """The file has no byte at all."""

    code = "documents.empty"


class FileTooBig(Refusal):
    """The file is heavier than the transport allows."""

    code = "documents.too_big"


class WrongKind(Refusal):
    """The content is not of a kind accepted here, whatever the name says."""

    code = "documents.wrong_kind"


class UnreadablePdf(Refusal):
    """The file begins like a PDF but is truncated or damaged."""

    code = "documents.unreadable_pdf"


class LockedPdf(Refusal):
    """The PDF has a password or restricts printing: @CTES wants unlocked documents."""

    code = "documents.locked_pdf"


class TrappedPdf(Refusal):
    """The PDF runs something, or shows something else than its pages."""

    code = "documents.trapped_pdf"


class TooManyPages(Refusal):
    """The PDF has more pages than anybody can have meant."""

    code = "documents.too_many_pages"


def sniff(content: bytes | BinaryIO) -> Kind:
    """The kind of `content`, from its first and last bytes only. A stream is left at its start."""
    stream = as_stream(content)
    head = stream.read(4096)
    kind = _kind_of_head(head)
    if kind is Kind.ZIP:
        kind = _kind_of_zip(head, _tail(stream, 256 * 1024))
    stream.seek(0)
    return kind


def _kind_of_head(head: bytes) -> Kind:
    if not head:
        return Kind.EMPTY
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if head.startswith(b"PK\x03\x04"):
        return Kind.ZIP
    if b"%PDF-" in head[:PDF_WINDOW]:
        return Kind.PDF
    return Kind.XML if _looks_like_xml(head) else Kind.UNKNOWN


def _looks_like_xml(head: bytes) -> bool:
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = head.decode(encoding, errors="replace").lstrip()
    if text.startswith("<?xml"):
        return True
    named = text[:1] == "<" and (text[1:2].isalpha() or text[1:2] == "_")
    return named and not text[1:5].lower().startswith("html")


def _kind_of_zip(head: bytes, tail: bytes) -> Kind:
    """ODF puts its media type, uncompressed, in the first entry; OOXML is known by its index."""
    if head[30:].startswith(b"mimetype" + Kind.ODT.encode()):
        return Kind.ODT
    return Kind.DOCX if b"word/document.xml" in tail else Kind.ZIP


def check_file(
    content: bytes | BinaryIO, *, name: str, allowed: Collection[Kind], limit: int
) -> Kind:
    """The kind of the file, if it is one of `allowed` and at most `limit` bytes; a PDF is opened.

    Raises as `inspect_file`.
    """
    return inspect_file(content, name=name, allowed=allowed, limit=limit)[0]


def inspect_file(
    content: bytes | BinaryIO, *, name: str, allowed: Collection[Kind], limit: int
) -> tuple[Kind, PdfFacts | None]:
    """As `check_file`, with the facts of a PDF (None for another kind), which is opened once.

    Raises EmptyFile, FileTooBig, WrongKind, and for a PDF what `check_pdf` raises.
    """
    check_size(content, name=name, limit=limit)
    kind = sniff(content)
    if kind not in allowed:
        raise WrongKind(
            f"Le fichier « {safe_name(name)} » est {kind.label}, un format qui n’est pas accepté "
            f"ici : fournissez plutôt {_choice(allowed)}."
        )
    if kind is not Kind.PDF:
        return kind, None
    return kind, check_facts(inspect_pdf(content, name=name), name=name)


def check_pdf(content: bytes | BinaryIO, *, name: str, limit: int) -> PdfFacts:
    """The facts of a PDF that can be sent: whole, unlocked, at most `limit` bytes.

    `name` is what the person called the file, for the sentence. Raises EmptyFile, FileTooBig,
    WrongKind, UnreadablePdf, LockedPdf, TrappedPdf or TooManyPages. Source: arrêté of 26 October
    2005 and @CTES practice (documents must not be protected).
    """
    check_size(content, name=name, limit=limit)
    kind = sniff(content)
    if kind is not Kind.PDF:
        raise WrongKind(
            f"Le fichier « {safe_name(name)} » n’est pas un PDF mais {kind.label} : ouvrez-le dans "
            "le logiciel qui l’a produit, puis exportez-le en PDF."
        )
    return check_facts(inspect_pdf(content, name=name), name=name)


def inspect_pdf(content: bytes | BinaryIO, *, name: str = "document.pdf") -> PdfFacts:
    """Open the PDF and say what it is. No repair is tried: a damaged file is not sent as if whole.

    A PDF that cannot be opened without its password is reported `encrypted`, with no page.
    Raises UnreadablePdf. A stream is left at its start.
    """
    stream = as_stream(content)
    whole = _unpadded(stream)
    if b"%%EOF" not in _tail(whole, PDF_WINDOW):
        raise _unreadable(name)
    whole.seek(0)
    try:
        with pikepdf.open(whole, attempt_recovery=False, suppress_warnings=True) as pdf:
            return _facts(pdf)
    except pikepdf.PasswordError:
        return PdfFacts(version="", pages=0, encrypted=True, signed=False, landscape=False)
    except _PDF_FAULTS as fault:
        raise _unreadable(name) from fault
    finally:
        stream.seek(0)


def _unpadded(stream: BinaryIO) -> BinaryIO:
    """The stream without the NUL and blanks behind its end, where there are more than a few."""
    tail = _tail(stream, PADDING + PDF_WINDOW)
    padding = len(tail) - len(tail.rstrip(b"\0\t\n\x0c\r "))
    if padding < PDF_WINDOW // 2:
        return stream
    size = stream.seek(0, os.SEEK_END)
    return io.BufferedReader(_Start(stream, size - padding))


class _Start(io.RawIOBase):
    """The first `size` bytes of a stream, which stays open."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size, self._at = stream, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within what there is."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """The next bytes."""
        self._stream.seek(self._at)
        found = self._stream.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


# What pikepdf raises on hostile trees: missing keys, wrong types, cycles, bombs, bad numbers.
_PDF_FAULTS: Final = (
    pikepdf.PdfError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)


def _facts(pdf: pikepdf.Pdf) -> PdfFacts:
    signatures = sum(map(_is_signature, _form_fields(pdf)))
    first = pdf.pages[0]
    left, bottom, right, top = (float(side) for side in first.cropbox)
    wide = abs(right - left) > abs(top - bottom)
    turned = int(first.rotation) % 180 == 90
    return PdfFacts(
        version=pdf.pdf_version,
        pages=len(pdf.pages),
        encrypted=pdf.is_encrypted,
        signed=bool(signatures) or "/Perms" in pdf.Root,
        landscape=wide != turned,
        signatures=signatures,
        trap=_trap(pdf.Root),
    )


_ACTIONS: Final = {
    "/JavaScript": "un programme (JavaScript)",
    "/Launch": "une commande qui lance un logiciel",
}


def _trap(root: pikepdf.Object) -> str:
    """What the PDF does when it is opened, or shows in place of its pages; "" for nothing."""
    form = root.get("/AcroForm")
    if form is not None and "/XFA" in form and bool(root.get("/NeedsRendering", False)):
        return "un formulaire dynamique (XFA), qui ne s’ouvre que dans un seul logiciel"
    if "/Collection" in root:
        return "un portefeuille d’autres fichiers"
    opening = root.get("/OpenAction")
    if isinstance(opening, pikepdf.Dictionary) and str(opening.get("/S")) in _ACTIONS:
        return _ACTIONS[str(opening.get("/S"))]
    names = root.get("/Names")
    return _ACTIONS["/JavaScript"] if names is not None and "/JavaScript" in names else ""


def _is_signature(field: pikepdf.Object) -> bool:
    """Whether a field of a form carries an electronic signature (type /Sig, filled)."""
    return field.get("/FT") == "/Sig" and "/V" in field


def _form_fields(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    form = pdf.Root.get("/AcroForm")
    waiting = list(form.get("/Fields", [])) if form is not None else []
    seen = 0
    while waiting:
        seen += 1
        if seen > MAX_FORM_FIELDS:
            raise ValueError("too many form fields, or fields in a circle")
        field = waiting.pop()
        yield field
        waiting.extend(field.get("/Kids", []))


def check_facts(facts: PdfFacts, *, name: str) -> PdfFacts:
    """`facts` back, or LockedPdf, TrappedPdf or TooManyPages."""
    if facts.trap:
        raise TrappedPdf(
            f"Le fichier « {safe_name(name)} » contient {facts.trap} : la préfecture et le public "
            "ne liraient pas l’acte. Imprimez-le en PDF, puis déposez ce nouveau fichier."
        )
    if facts.encrypted:
        raise LockedPdf(
            f"Le fichier « {safe_name(name)} » est protégé par un mot de passe ou interdit "
            "l’impression : retirez la protection dans le logiciel qui l’a produit, puis "
            "exportez-le de nouveau en PDF."
        )
    if facts.pages > MAX_PAGES:
        raise TooManyPages(
            f"Le fichier « {safe_name(name)} » compte {facts.pages} pages, plus que les "
            f"{MAX_PAGES} acceptées : découpez-le en plusieurs documents."
        )
    return facts


def check_size(content: bytes | BinaryIO, *, name: str, limit: int) -> None:
    """Refuse an empty file or one beyond `limit` bytes. Raises EmptyFile or FileTooBig."""
    size = size_of(content)
    if size == 0:
        raise EmptyFile(
            f"Le fichier « {safe_name(name)} » est vide : vérifiez qu’il s’ouvre sur votre poste, "
            "puis déposez-le de nouveau."
        )
    if size > limit:
        raise FileTooBig(
            f"Le fichier « {safe_name(name)} » pèse {_weight(size)}, plus que les {_weight(limit)} "
            "acceptés : réduisez la définition des images ou découpez-le en plusieurs documents."
        )


def _unreadable(name: str) -> UnreadablePdf:
    return UnreadablePdf(
        f"Le fichier « {safe_name(name)} » n’est pas un PDF lisible : ouvrez-le pour vérifier, "
        "puis exportez-le de nouveau en PDF."
    )


def _choice(allowed: Collection[Kind]) -> str:
    *others, last = (kind.label for kind in Kind if kind in allowed)
    return f"{', '.join(others)} ou {last}" if others else last


def _weight(size: int) -> str:
    """A size as French offices write it (Mo meaning mebibyte, as the 150 Mo of @CTES does)."""
    if size < MEBIBYTE:
        return f"{-(-size // 1024)} Ko"
    return f"{-(-size * 10 // MEBIBYTE) / 10:.1f} Mo".replace(".", ",").replace(",0 ", " ")


def as_stream(content: bytes | BinaryIO) -> BinaryIO:
    """`content` as a seekable stream at its start."""
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    stream.seek(0)
    return stream


def size_of(content: bytes | BinaryIO) -> int:
    """The number of bytes in `content`. A stream is left at its start."""
    if isinstance(content, bytes):
        return len(content)
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    return size


def _tail(stream: BinaryIO, length: int) -> bytes:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - length))
    return stream.read(length)
