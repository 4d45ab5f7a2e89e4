"""What is kept no longer than the convention with the authority says; a tombstone stays.

Two clocks: where the authority keeps the originals, ours is a working copy and goes some days after
the hand-over; where we keep them, they stay years after the certificate ended. A file that never
had a certificate is a working copy in any case. Copies of identity documents have their own keys
and their own two clocks (`dossier.actions.purge`): they are not looked at here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from registration_authority import files
from registration_authority.evidence.models import ArchivePlace, RetentionRules, Tombstone
from registration_authority.models import (
    IDENTITY_KINDS,
    OPEN_STATES,
    Certificate,
    CertificateFile,
    FaceToFace,
    HandOver,
    Offer,
    Piece,
)
from socle.directory import queries as directory
from socle.journal.actions import record

PURGED = "document purgé"


@dataclass(frozen=True, slots=True)
class Kept:
    """One document of a file that is still there."""

    what: str
    content: UUID


def rules_of(offer: Offer) -> RetentionRules:
    """The rules of an offer; those of the reference when nobody wrote its convention down yet."""
    return getattr(offer, "retention_rules", None) or RetentionRules(offer=offer)


def purge_at(file: CertificateFile) -> datetime | None:
    """When the documents of a file go; None while something can still happen to it.

    A revoked certificate counts from its revocation, another from its end.
    """
    if file.is_open:
        return None
    rules = rules_of(file.offer)
    working_copy = timedelta(days=rules.working_copy_days)
    certificate: Certificate | None = getattr(file, "certificate", None)
    if certificate is None:
        last = file.pieces.order_by("-deposited_at").first()
        return (last.deposited_at if last else file.created_at) + working_copy
    if rules.place == ArchivePlace.AUTHORITY:
        receipt: HandOver | None = getattr(certificate, "hand_over", None)
        signed = receipt.signed_at if receipt else None
        return (signed or certificate.issued_at) + working_copy
    end = certificate.revoked_at or certificate.not_after
    return _years_after(end, rules.years_after_end)


def due(at: datetime) -> list[int]:
    """Closed files that still hold a document and whose time has come."""
    held = Q(pieces__in=_pieces()) | Q(certificate__hand_over__in=_receipts())
    closed = (
        CertificateFile.objects.exclude(state__in=OPEN_STATES)
        .filter(held)
        .distinct()
        .select_related("offer__retention_rules", "certificate__hand_over")
        .order_by("pk")
    )
    return [file.pk for file in closed.iterator() if (purge_at(file) or at) < at]


@transaction.atomic
def purge(file_id: int, *, at: datetime) -> int:
    """Take the documents of one file away, when their time has come; how many went.

    The bytes themselves go with `sweep`, once this is committed. Twice changes nothing.
    """
    file = (
        CertificateFile.objects.select_for_update(of=("self",))
        .select_related("offer", "organisation")
        .get(pk=file_id)
    )
    when = purge_at(file)
    if when is None or when >= at:
        return 0
    gone = 0
    for kept in documents_of(file):
        stored = files.forget(kept.content)
        if stored is None:
            continue
        Tombstone.objects.get_or_create(
            content=kept.content,
            defaults={
                "file": file,
                "what": kept.what,
                "sha256": stored.sha256,
                "size": stored.size,
                "kept_from": stored.created_at,
                "purged_at": at,
            },
        )
        gone += 1
    _kept_here(file.pieces.all()).update(name=PURGED)
    record(
        event="ra.purged",
        subject=file,
        by="Socle",
        at=at,
        detail={"documents": str(gone)},
        schema=directory.journal_of(file.organisation),
    )
    return gone


def sweep(*, at: datetime) -> list[str]:
    """Erase the bytes no document names any more, in the vault of the counter."""
    return files.erase_forgotten(before=at - timedelta(days=1))


def documents_of(file: CertificateFile) -> Iterator[Kept]:
    """Every document of a file that was not purged: pieces, signed papers, their scans."""
    gone = set(Tombstone.objects.filter(file=file).values_list("content", flat=True))
    found = [(str(piece.get_kind_display()), piece.content) for piece in _kept_here(file.pieces)]
    for met in FaceToFace.objects.filter(file=file):
        found += [
            ("Attestation de face à face", met.attestation),
            ("Attestation de face à face signée", met.attestation_scan),
        ]
    for receipt in HandOver.objects.filter(certificate__file=file):
        found += [
            ("Procès-verbal de remise", receipt.receipt),
            ("Procès-verbal signé", receipt.signed_scan),
        ]
    for what, content in found:
        if content is not None and content not in gone:
            yield Kept(what, content)


def _kept_here(pieces: Any) -> QuerySet[Piece]:
    return pieces.exclude(kind__in=IDENTITY_KINDS)


def _pieces() -> QuerySet[Piece]:
    return _kept_here(Piece.objects).exclude(content__in=Tombstone.objects.values("content"))


def _receipts() -> QuerySet[HandOver]:
    return HandOver.objects.exclude(receipt__in=Tombstone.objects.values("content"))


def _years_after(at: datetime, years: int) -> datetime:
    try:
        return at.replace(year=at.year + years)
    except ValueError:  # the 29th of February
        return at.replace(year=at.year + years, day=28)
