"""The door of the files people bring: each is clean, is what it should be, and is whole.

Every file somebody uploads passes here before it is kept; `sniff` alone is for what we have
already. The antivirus comes before anything reads the content.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import BinaryIO

from socle.documents import antivirus, signatures, sniff, trust
from socle.documents.signatures import Signature
from socle.documents.sniff import Kind, PdfFacts


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file was found to be. `signed`: it is a PDF with electronic signatures, all whole."""

    kind: Kind
    signed: bool = False
    signatures: tuple[Signature, ...] = ()


def check_clean(content: bytes | BinaryIO, *, name: str, limit: int) -> None:
    """Refuse an empty file, one beyond `limit` bytes, and what `antivirus.check` refuses."""
    sniff.check_size(content, name=name, limit=limit)
    antivirus.check(content, name=name)


def check_file(
    content: bytes | BinaryIO, *, name: str, allowed: Collection[Kind], limit: int
) -> Kind:
    """As `sniff.check_file`, and clean. Raises also what `antivirus.check` raises."""
    check_clean(content, name=name, limit=limit)
    return sniff.check_file(content, name=name, allowed=allowed, limit=limit)


def check_pdf(content: bytes | BinaryIO, *, name: str, limit: int) -> PdfFacts:
    """As `sniff.check_pdf`, and clean. Raises also what `antivirus.check` raises."""
    check_clean(content, name=name, limit=limit)
    return sniff.check_pdf(content, name=name, limit=limit)


def inspect(
    content: bytes | BinaryIO, *, name: str, allowed: Collection[Kind], limit: int
) -> Inspected:
    """What the file is, with its signatures verified when it is a signed PDF.

    Raises what `sniff.inspect_file`, `antivirus.check` and `signatures.read` raise.
    """
    check_clean(content, name=name, limit=limit)
    kind, facts = sniff.inspect_file(content, name=name, allowed=allowed, limit=limit)
    if facts is None or not facts.signed:
        return Inspected(kind)
    found = signatures.read(content, name=name, anchors=trust.anchors())
    return Inspected(kind, signed=True, signatures=found)
