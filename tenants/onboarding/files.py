"""Files of a case: always in the public schema, whatever host the request came to."""

import hashlib
from datetime import datetime
from typing import BinaryIO, Final
from uuid import UUID

from django_tenants.utils import get_public_schema_name, schema_context

from socle.core.text import slug_host
from socle.directory.models import Organisation
from socle.documents import actions as documents
from socle.documents import render
from socle.documents.intake import check_pdf
from socle.documents.model import Document
from socle.documents.models import StoredFile
from socle.documents.sniff import MEBIBYTE

LIMIT: Final = 30 * MEBIBYTE
"""Bytes of a scanned paper: a convention of ten pages scanned in colour is 10 MB."""


def keep_signed(content: BinaryIO, *, name: str, by: str, at: datetime) -> UUID:
    """Store a signed copy, if it is a whole and unlocked PDF; the refusals of `check_pdf`.

    The same content kept twice is one blob.
    """
    check_pdf(content, name=name, limit=LIMIT)
    return _store(content, name=name, by=by, at=at)


def keep_generated(document: Document, *, stem: str, by: str, at: datetime) -> tuple[UUID, UUID]:
    """Store `document` as PDF/A and as ODT, under the same stem; the two identifiers."""
    pdf = _store(render.to_pdf(document), name=f"{stem}.pdf", by=by, at=at)
    odt = _store(render.to_odt(document), name=f"{stem}.odt", by=by, at=at)
    return pdf, odt


def stem(paper: str, organisation: Organisation) -> str:
    """« convention-melle »: what a generated file is called, without its extension."""
    return f"{paper}-{slug_host(organisation.name)}"


def same_content(stored: UUID | None, content: BinaryIO) -> bool:
    """Whether the stored file has exactly this content: the same deposit made twice."""
    if stored is None:
        return False
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    content.seek(0)
    with schema_context(get_public_schema_name()):
        return StoredFile.objects.filter(pk=stored, sha256=digest).exists()


def _store(content: bytes | BinaryIO, *, name: str, by: str, at: datetime) -> UUID:
    with schema_context(get_public_schema_name()):
        return documents.store(content=content, name=name, by=by, at=at).pk
