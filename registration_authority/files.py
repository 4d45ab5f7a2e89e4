"""Files of the counter: pieces, receipts and scans stay with the syndicat, in the public schema.

A holder deposits her pieces from her commune's host, whose schema has files of its own.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO, Final
from uuid import UUID

from django.http import StreamingHttpResponse
from django_tenants.utils import get_public_schema_name, schema_context

from socle.accounts.models import Person
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.responses import download
from socle.documents.sniff import Kind, check_file

ACCEPTED: Final = (Kind.PDF, Kind.JPEG, Kind.PNG)
EXTENSIONS: Final = (".pdf", ".jpg", ".jpeg", ".png")
MAX_BYTES: Final = 10_000_000


def keep_piece(content: bytes | BinaryIO, *, name: str, by: Person, at: datetime) -> StoredFile:
    """Keep a PDF, JPEG or PNG after looking at its content.

    Raises EmptyFile, FileTooBig, WrongKind, UnreadablePdf or LockedPdf.
    """
    check_file(content, name=name, allowed=ACCEPTED, limit=MAX_BYTES)
    return keep(content, name=name, by=by, at=at)


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
