"""What a file is for an archive: its format by its content, its SHA-512, its size. Pure.

Formats are the identifiers of the PRONOM registry (The National Archives), as the SEDA wants them
in `FormatId`. A name never counts: « plan.pdf » may be a picture.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import BinaryIO, Final

_CHUNK: Final = 1 << 20
_HEAD: Final = 4096
_OVERLAP: Final = 64
"""Bytes of a chunk looked at again with the next one: longer than any mark of PDF/A."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of the PRONOM registry: its identifier, its usual name, its media type."""

    puid: str
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Measure:
    """What was found while reading a file once: SHA-512 (hexadecimal), size in bytes, format."""

    sha512: str
    size: int
    format: Format


UNKNOWN: Final = Format("", "", "application/octet-stream")

_PDF: Final = {
    "1.0": "fmt/14",
    "1.1": "fmt/15",
    "1.2": "fmt/16",
    "1.3": "fmt/17",
    "1.4": "fmt/18",
    "1.5": "fmt/19",
    "1.6": "fmt/20",
    "1.7": "fmt/276",
    "2.0": "fmt/1129",
}
_PDF_A: Final = {
    "1a": "fmt/95",
    "1b": "fmt/354",
    "2a": "fmt/476",
    "2b": "fmt/477",
    "2u": "fmt/478",
    "3a": "fmt/479",
    "3b": "fmt/480",
    "3u": "fmt/481",
}
_JFIF: Final = {b"\x01\x00": "fmt/42", b"\x01\x01": "fmt/43", b"\x01\x02": "fmt/44"}
_PDF_HEADER: Final = re.compile(rb"%PDF-(\d\.\d)")
_A_PART: Final = re.compile(rb"pdfaid:part\s*(?:>|=\s*[\"'])\s*([123])")
_A_LEVEL: Final = re.compile(rb"pdfaid:conformance\s*(?:>|=\s*[\"'])\s*([ABUabu])")
_MAIL: Final = re.compile(
    rb"\A(?:[A-Za-z][A-Za-z0-9-]*: ?[^\r\n]*\r?\n(?:[ \t][^\r\n]*\r?\n)*){2,}"
)


def measure(content: BinaryIO, *, copy_to: BinaryIO | None = None) -> Measure:
    """Read `content` once to its end, writing it to `copy_to` on the way.

    A format nobody recognises has an empty identifier.
    """
    digest, size, head, tail = hashlib.sha512(), 0, b"", b""
    part = level = b""
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if copy_to is not None:
            copy_to.write(chunk)
        if len(head) < _HEAD:
            head += chunk[: _HEAD - len(head)]
        seen = tail + chunk
        part, level = part or _first(_A_PART, seen), level or _first(_A_LEVEL, seen)
        tail = chunk[-_OVERLAP:]
    return Measure(digest.hexdigest(), size, _format(head, (part + level).decode().lower()))


def _first(mark: re.Pattern[bytes], seen: bytes) -> bytes:
    found = mark.search(seen)
    return found[1] if found else b""


def _format(head: bytes, archive_level: str) -> Format:
    if pdf := _PDF_HEADER.search(head[:1024]):
        return _pdf(pdf[1].decode(), archive_level)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format(_png(head), "Portable Network Graphics", "image/png")
    if head.startswith(b"\xff\xd8\xff"):
        return Format(_jpeg(head), "JPEG", "image/jpeg")
    if head.startswith(b"\x1f\x8b"):
        return Format("x-fmt/266", "GZIP", "application/gzip")
    if head.startswith(b"PK\x03\x04"):
        return Format("x-fmt/263", "ZIP", "application/zip")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"<?xml", b"<actes:")):
        return Format("fmt/101", "Extensible Markup Language 1.0", "application/xml")
    if text.startswith(b"{"):
        return Format("fmt/817", "JSON Data Interchange Format", "application/json")
    if _MAIL.match(head):
        return Format("fmt/278", "Internet Message Format", "message/rfc822")
    return UNKNOWN


def _pdf(version: str, archive_level: str) -> Format:
    if archive_level in _PDF_A:
        return Format(_PDF_A[archive_level], f"PDF/A-{archive_level}", "application/pdf")
    name = f"Portable Document Format {version}"
    return Format(_PDF.get(version, "fmt/276"), name, "application/pdf")


def _png(head: bytes) -> str:
    """PNG 1.2 brought `iTXt`, 1.1 brought `iCCP`, `sPLT` and `sRGB`."""
    if b"iTXt" in head:
        return "fmt/13"
    return "fmt/12" if any(mark in head for mark in (b"iCCP", b"sPLT", b"sRGB")) else "fmt/11"


def _jpeg(head: bytes) -> str:
    if head[6:11] == b"JFIF\0":
        return _JFIF.get(head[11:13], "fmt/44")
    return "fmt/645" if head[6:11] == b"Exif\0" else "fmt/41"
