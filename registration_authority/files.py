"""Files of the counter: pieces, receipts and scans stay with the syndicat, in the public schema.

A holder deposits her pieces from her commune's host, whose schema has files of its own.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final
from uuid import UUID

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django_tenants.utils import get_public_schema_name, schema_context

from registration_authority.dossier import vault
from registration_authority.dossier.models import IdentityCopy
from registration_authority.dossier.watermark import watermarked
from registration_authority.models import IDENTITY_KINDS, Piece
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.names import safe_name
from socle.documents import actions as documents
from socle.documents.intake import check_file
from socle.documents.models import StoredFile
from socle.documents.responses import download
from socle.documents.sniff import Kind

ACCEPTED: Final = (Kind.PDF, Kind.JPEG, Kind.PNG)
EXTENSIONS: Final = (".pdf", ".jpg", ".jpeg", ".png")
MAX_BYTES: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class KeptPiece:
    """Where a piece was kept: among the files of the counter, or among the sealed copies."""

    pk: UUID
    name: str
    size: int
    sha256: str


def keep_piece(content: bytes | BinaryIO, *, name: str, by: Person, at: datetime) -> StoredFile:
    """Keep a PDF, JPEG or PNG after looking at its content.

    Raises EmptyFile, FileTooBig, WrongKind, UnreadablePdf, LockedPdf, and Infected, NotScanned or
    AntivirusAway where there is an antivirus.
    """
    check_file(content, name=name, allowed=ACCEPTED, limit=MAX_BYTES)
    return keep(content, name=name, by=by, at=at)


def keep_piece_of(
    kind: str, content: bytes | BinaryIO, *, name: str, by: Person, at: datetime
) -> KeptPiece:
    """Keep a piece of a file; the copy of an identity document under a key of its own.

    Raises as `keep_piece`.
    """
    if kind not in IDENTITY_KINDS:
        stored = keep_piece(content, name=name, by=by, at=at)
        return KeptPiece(stored.pk, stored.name, stored.size, stored.sha256)
    check_file(content, name=name, allowed=ACCEPTED, limit=MAX_BYTES)
    with _public():
        copy = vault.keep(content, at=at)
    return KeptPiece(copy.pk, safe_name(name), copy.size, copy.sha256)


def give_piece(piece: Piece, *, reader: str, at: datetime) -> HttpResponseBase:
    """A piece as a download; the copy of an identity document with who looks at it across it.

    Raises Http404 when it was purged.
    """
    if piece.kind not in IDENTITY_KINDS:
        return give(piece.content)
    copy = IdentityCopy.objects.get(pk=piece.content)
    if copy.purged_at is not None:
        raise Http404("purged")
    text = f"Copie pour certificat - {legal_date(at):%d/%m/%Y} - {reader}"
    shown, media_type = watermarked(vault.read(copy), media_type=copy.media_type, text=text)
    return inline_copy(shown, media_type=media_type, name=piece.name)


def inline_copy(content: bytes, *, media_type: str, name: str) -> HttpResponse:
    """Bytes as a download that the browser neither runs nor keeps."""
    response = HttpResponse(content, content_type=media_type)
    disposition = content_disposition_header(as_attachment=True, filename=name)
    response["Content-Disposition"] = disposition or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def keep(content: bytes | BinaryIO, *, name: str, by: Person, at: datetime) -> StoredFile:
    """Keep a file of the counter."""
    with _public():
        return documents.store(content=content, name=name, by=str(by), at=at)


def give(content: UUID, *, name: str = "") -> StreamingHttpResponse:
    """A kept file as a download."""
    with _public():
        return download(StoredFile.objects.get(pk=content), name=name)


def read(content: UUID) -> bytes:
    """The whole of a kept file."""
    with _public():
        return documents.read(StoredFile.objects.get(pk=content))


def hashes(contents: Iterable[UUID]) -> dict[UUID, str]:
    """The SHA-256 of kept files, without opening them; those that were purged are left out."""
    with _public():
        return dict(StoredFile.objects.filter(pk__in=contents).values_list("pk", "sha256"))


def forget(content: UUID) -> StoredFile | None:
    """Keep a file no longer; what was known of it, or None when it is gone already."""
    with _public():
        stored = StoredFile.objects.filter(pk=content).first()
        if stored is not None:
            documents.forget(stored)
        return stored


def erase_forgotten(*, before: datetime) -> list[str]:
    """Erase the blobs of the counter no file names, last written before `before`; their keys."""
    with _public():
        return documents.delete_orphans(before=before)


@contextmanager
def _public() -> Iterator[None]:
    with schema_context(get_public_schema_name()):
        yield
