"""What is kept no longer than the policy of its offer says; a tombstone stays of each document.

One room for every document of a file, and two clocks (`Clock`). Where the authority keeps the
originals, ours are a working copy and leave some days after the file closed. Where we keep them,
they stay years after the certificate ended. A file that never had a certificate is a working copy
in any case. Copies of identity documents may leave before the rest (data minimisation, GDPR article
5.1.c), never after.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from registration_authority import files
from registration_authority.dossier import vault
from registration_authority.dossier.models import ArchiveLocation, Clock, IdentityCopy
from registration_authority.dossier.profiles import profile_of
from registration_authority.evidence.models import Tombstone
from registration_authority.models import (
    IDENTITY_KINDS,
    OPEN_STATES,
    Certificate,
    CertificateFile,
    FaceToFace,
    HandOver,
    Piece,
)
from socle.directory import queries as directory
from socle.journal.actions import record

PURGED = "document purgé"


@dataclass(frozen=True, slots=True)
class Term:
    """When something goes, and by which clock."""

    at: datetime
    clock: Clock


@dataclass(frozen=True, slots=True)
class Kept:
    """One document of a file that is still there."""

    what: str
    content: UUID
    identity: bool = False


def term_of(file: CertificateFile) -> Term | None:
    """When the documents of a file go; None while something can still happen to it.

    A revoked certificate counts from its revocation, another from its end.
    """
    if file.is_open:
        return None
    profile = profile_of(file.offer)
    certificate: Certificate | None = getattr(file, "certificate", None)
    if certificate is not None and profile.archive_location == ArchiveLocation.COUNTER:
        end = certificate.revoked_at or certificate.not_after
        return Term(_years_after(end, profile.retention_years), Clock.AUTHORITY)
    return Term(_closed_at(file) + timedelta(days=profile.working_copy_days), Clock.COUNTER)


def identity_term_of(file: CertificateFile) -> Term | None:
    """When the copies of identity documents of a file go: with the rest, or before it."""
    term = term_of(file)
    days = profile_of(file.offer).identity_copy_days
    if term is None or days is None:
        return term
    sooner = Term(_closed_at(file) + timedelta(days=days), Clock.COUNTER)
    return min(term, sooner, key=lambda one: one.at)


def purge_at(file: CertificateFile) -> datetime | None:
    """When the last document of a file goes; None while something can still happen to it."""
    term = term_of(file)
    return term and term.at


def due(at: datetime) -> list[int]:
    """Closed files that still hold a document whose time has come."""
    left = Piece.objects.filter(file=OuterRef("pk")).exclude(name=PURGED)
    receipts = HandOver.objects.filter(certificate__file=OuterRef("pk")).exclude(
        receipt__in=Tombstone.objects.values("content")
    )
    copies = IdentityCopy.objects.filter(purged_at=None).values("pk")
    closed = (
        CertificateFile.objects.exclude(state__in=OPEN_STATES)
        .annotate(
            holds=Exists(left.exclude(kind__in=IDENTITY_KINDS)) | Exists(receipts),
            identifies=Exists(left.filter(kind__in=IDENTITY_KINDS, content__in=copies)),
        )
        .filter(Q(holds=True) | Q(identifies=True))
        .select_related("offer__profile", "certificate__hand_over")
        .order_by("pk")
    )
    return [
        file.pk
        for file in closed.iterator()
        if (file.holds and _is_over(term_of(file), at))
        or (file.identifies and _is_over(identity_term_of(file), at))
    ]


@transaction.atomic
def purge(file_id: int, *, at: datetime) -> int:
    """Take the documents of one file away, when their time has come; how many went.

    The key of an identity copy is forgotten at once; the other bytes go with `sweep`, once this is
    committed. Twice changes nothing.
    """
    file = (
        CertificateFile.objects.select_for_update(of=("self",))
        .select_related("offer__profile", "organisation")
        .get(pk=file_id)
    )
    terms = {False: term_of(file), True: identity_term_of(file)}
    gone: dict[bool, list[str]] = {False: [], True: []}
    for kept in documents_of(file):
        term = terms[kept.identity]
        if term is None or not _is_over(term, at):
            continue
        forget = _forget_identity if kept.identity else _forget
        gone[kept.identity] += forget(file, kept, term.clock, at)
    for identity, hashes in gone.items():
        if hashes:
            _rename(file, identity=identity)
            _journal(file, hashes, terms[identity], at)
    return sum(len(hashes) for hashes in gone.values())


def sweep(*, at: datetime) -> list[str]:
    """Erase the bytes no document names any more, in the vault of the counter."""
    return files.erase_forgotten(before=at - timedelta(days=1))


def documents_of(file: CertificateFile) -> Iterator[Kept]:
    """Every document of a file that was not purged: pieces, signed papers, their scans."""
    gone = set(Tombstone.objects.filter(file=file).values_list("content", flat=True))
    found: list[tuple[str, UUID | None, bool]] = [
        (str(piece.get_kind_display()), piece.content, piece.kind in IDENTITY_KINDS)
        for piece in file.pieces.all()
    ]
    for met in FaceToFace.objects.filter(file=file):
        found += [
            ("Attestation de face à face", met.attestation, False),
            ("Attestation de face à face signée", met.attestation_scan, False),
        ]
    for receipt in HandOver.objects.filter(certificate__file=file):
        found += [
            ("Procès-verbal de remise", receipt.receipt, False),
            ("Procès-verbal signé", receipt.signed_scan, False),
        ]
    for what, content, identity in found:
        if content is not None and content not in gone:
            yield Kept(what, content, identity)


def _is_over(term: Term | None, at: datetime) -> bool:
    return term is not None and term.at < at


def _closed_at(file: CertificateFile) -> datetime:
    """When a file closed; one of before this was noted, when it last moved."""
    certificate: Certificate | None = getattr(file, "certificate", None)
    receipt: HandOver | None = getattr(certificate, "hand_over", None) if certificate else None
    if receipt is not None and receipt.signed_at is not None:
        return receipt.signed_at
    if file.closed_at is not None:
        return file.closed_at
    if certificate is not None:
        return certificate.issued_at
    last = file.pieces.order_by("-deposited_at").first()
    return last.deposited_at if last else file.created_at


def _forget(file: CertificateFile, kept: Kept, clock: Clock, at: datetime) -> list[str]:
    stored = files.forget(kept.content)
    if stored is None:
        return []
    _bury(file, kept, clock, at, sha256=stored.sha256, size=stored.size, since=stored.created_at)
    return [stored.sha256]


def _forget_identity(file: CertificateFile, kept: Kept, clock: Clock, at: datetime) -> list[str]:
    copy = IdentityCopy.objects.select_for_update().filter(pk=kept.content).first()
    if copy is None:
        return []
    known = copy.purged_at is not None
    vault.destroy(copy, clock=clock, at=at)
    _bury(file, kept, clock, at, sha256=copy.sha256, size=copy.size, since=copy.kept_at)
    return [] if known else [copy.sha256]


def _bury(
    file: CertificateFile,
    kept: Kept,
    clock: Clock,
    at: datetime,
    *,
    sha256: str,
    size: int,
    since: datetime,
) -> None:
    Tombstone.objects.get_or_create(
        content=kept.content,
        defaults={
            "file": file,
            "what": kept.what,
            "sha256": sha256,
            "size": size,
            "clock": clock,
            "kept_from": since,
            "purged_at": at,
        },
    )


def _rename(file: CertificateFile, *, identity: bool) -> None:
    """Take the name a document had when it came: it may tell whose it was."""
    pieces: QuerySet[Piece] = file.pieces.all()
    same = Q(kind__in=IDENTITY_KINDS)
    pieces.filter(same if identity else ~same).update(name=PURGED)


def _journal(file: CertificateFile, hashes: list[str], term: Term | None, at: datetime) -> None:
    record(
        event="ra.purged",
        subject=file,
        by="Socle",
        at=at,
        detail={
            "documents": str(len(hashes)),
            "clock": str(term.clock.label) if term else "",
            "sha256": sorted(hashes),
        },
        schema=directory.journal_of(file.organisation),
    )


def _years_after(at: datetime, years: int) -> datetime:
    try:
        return at.replace(year=at.year + years)
    except ValueError:  # the 29th of February
        return at.replace(year=at.year + years, day=28)
