"""The register the authority's auditor asks for: every file, who did what, proofs by their hash.

Nothing but facts already written: tables of the counter, and of the journal what tells who was
accredited when. Identity documents are named by their hash, never opened.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final
from uuid import UUID

from django.db import transaction
from django_tenants.utils import get_public_schema_name, schema_context

from registration_authority import files
from registration_authority.dossier.models import IdentityCopy
from registration_authority.evidence.models import Tombstone
from registration_authority.evidence.retention import purge_at
from registration_authority.models import (
    CertificateFile,
    CertificateRequest,
    HandOver,
    Piece,
    PieceState,
    RequestState,
)
from registration_authority.revocation.models import RevocationRequest, RevocationState
from socle.accounts.models import Person
from socle.core.clock import PARIS
from socle.journal import actions as journal
from socle.journal.events import sentence
from socle.journal.export import Summary, inert
from socle.journal.models import Entry

ACCREDITATION: Final = "ra.accreditation"
Row = dict[str, str]


def dossiers() -> Iterator[Row]:
    """One line for each file: its dates, its people, its certificate, its delays."""
    found = CertificateFile.objects.select_related(
        "organisation",
        "holder",
        "offer__authority",
        "offer__profile",
        "checked_by",
        "face_to_face__officer",
        "certificate__hand_over__officer",
    ).order_by("pk")
    receipts = HandOver.objects.values_list("receipt", flat=True)
    hashes = files.hashes(list(receipts)) | dict(Tombstone.objects.values_list("content", "sha256"))
    for file in found.iterator(chunk_size=500):
        yield _file_row(file, hashes)


def _file_row(file: CertificateFile, hashes: dict[UUID, str]) -> Row:
    met = getattr(file, "face_to_face", None)
    certificate = getattr(file, "certificate", None)
    receipt = getattr(certificate, "hand_over", None) if certificate else None
    issued = certificate.issued_at if certificate else None
    signed = receipt.signed_at if receipt else None
    return {
        "dossier": str(file.pk),
        "organisme": file.organisation.name,
        "siren": file.organisation.siren,
        "titulaire": str(file.holder),
        "offre": file.offer.name,
        "autorité": file.offer.authority.name,
        "état": str(file.get_state_display()),
        "ouvert": _when(file.created_at),
        "envoyé": _when(file.submitted_at),
        "vérifié": _when(file.checked_at),
        "vérifié par": str(file.checked_by or ""),
        "délai de vérification (h)": _hours(file.submitted_at, file.checked_at),
        "face à face": _when(met.held_at if met else None),
        "face à face par": str(met.officer) if met else "",
        "pièce présentée": str(met.get_document_kind_display()) if met else "",
        "numéro de série": certificate.serial if certificate else "",
        "établi": _when(issued),
        "fin": _when(certificate.not_after if certificate else None),
        "remis": _when(signed),
        "remis par": str(receipt.officer) if receipt else "",
        "procès-verbal (SHA-256)": hashes.get(receipt.receipt, "") if receipt else "",
        "délai de remise (h)": _hours(issued, signed),
        "motif de clôture": file.closing_reason,
        "pièces gardées jusqu’au": _when(purge_at(file)),
    }


def pieces() -> Iterator[Row]:
    """One line for each document brought: its hash, what was decided, by whom, why."""
    found = Piece.objects.select_related("decided_by", "deposited_by").order_by("file_id", "pk")
    purged = dict(Tombstone.objects.values_list("content", "purged_at"))
    copies = IdentityCopy.objects.exclude(purged_at=None)
    purged |= dict(copies.values_list("pk", "purged_at"))
    for piece in found.iterator(chunk_size=500):
        yield {
            "dossier": str(piece.file_id),
            "pièce": str(piece.get_kind_display()),
            "sha256": piece.sha256,
            "déposée": _when(piece.deposited_at),
            "déposée par": str(piece.deposited_by),
            "décision": str(piece.get_state_display()),
            "décidée": _when(piece.decided_at),
            "décidée par": str(piece.decided_by or ""),
            "motif": piece.reason,
            "remplacée": _when(piece.replaced_at),
            "purgée": _when(purged.get(piece.content)),
        }


def refusals() -> Iterator[Row]:
    """Everything that was refused, with its reason: pieces, answers, requests to revoke."""
    refused = Piece.objects.filter(state=PieceState.REFUSED).select_related("decided_by")
    for piece in refused.order_by("decided_at"):
        what = str(piece.get_kind_display())
        yield _refusal(piece.file_id, piece.decided_at, what, piece.decided_by, piece.reason)
    failed = (RequestState.FAILED, RequestState.QUARANTINED)
    for request in CertificateRequest.objects.filter(state__in=failed).order_by("pk"):
        what = str(request.get_state_display())
        yield _refusal(request.file_id, request.approved_at, what, "autorité", request.message)
    ended = RevocationRequest.objects.filter(state=RevocationState.REFUSED)
    for one in ended.select_related("certificate", "decided_by").order_by("decided_at"):
        file_id = one.certificate.file_id
        yield _refusal(file_id, one.decided_at, "Révocation", one.decided_by, one.refusal)


def _refusal(file_id: int, at: datetime | None, what: str, by: Any, why: str) -> Row:
    return {
        "dossier": str(file_id),
        "date": _when(at),
        "objet": what,
        "par": str(by or ""),
        "motif": why,
    }


def revocations() -> Iterator[Row]:
    """One line for each request to revoke: who, how she was recognised, how long it took."""
    found = RevocationRequest.objects.select_related(
        "certificate", "asked_by", "decided_by", "reviewed_by"
    ).order_by("received_at")
    for one in found.iterator(chunk_size=500):
        yield {
            "dossier": str(one.certificate.file_id),
            "numéro de série": one.certificate.serial,
            "reçue": _when(one.received_at),
            "demandée par": f"{one.get_asker_display()} {one.asked_by or ''}".strip(),
            "preuve": one.proof,
            "motif": str(one.get_reason_display()),
            "urgente": "oui" if one.urgent else "non",
            "état": str(one.get_state_display()),
            "décidée": _when(one.decided_at),
            "décidée par": str(one.decided_by or ""),
            "relue par": str(one.reviewed_by or ""),
            "transmise": _when(one.certificate.revocation_sent_at),
            "publiée": _when(one.published_at),
            "vue par": one.published_by,
            "délai (h)": _hours(one.received_at, one.published_at),
            "à publier avant": _when(one.deadline),
        }


def accreditations() -> Iterator[Row]:
    """Who was accredited for what, over time, as the journal of the portal tells it."""
    with schema_context(get_public_schema_name()):
        for entry in Entry.objects.filter(event__startswith=ACCREDITATION).order_by("position"):
            yield {
                "position": str(entry.position),
                "date": _when(entry.at),
                "par": entry.actor_label,
                "fait": sentence(entry),
            }


TABLES: Final = {
    "dossiers.csv": dossiers,
    "pieces.csv": pieces,
    "refus.csv": refusals,
    "revocations.csv": revocations,
    "habilitations.csv": accreditations,
}


def export(*, out: BinaryIO, by: Person, at: datetime, reason: str) -> Summary:
    """The register in the sealed parcel of the portal's journal: it verifies itself.

    The hash of each table is written in the journal before the seal, so that a table changed later
    is found out. Returns what the parcel holds.
    """
    written = {name: _table(rows()) for name, rows in TABLES.items()}
    hashes = {name: _sha256(content) for name, content in written.items()}
    schema = get_public_schema_name()
    with transaction.atomic():
        journal.record(
            event="ra.evidence_exported",
            subject=("register", "ra"),
            by=by,
            at=at,
            detail={"reason": reason, "tables": hashes},
            schema=schema,
        )
    parts = [(f"registre/{name}", hashes[name], [written[name]]) for name in written]
    return journal.export(schema=schema, out=out, by=by, at=at, reason=reason, files=parts)


def _table(rows: Iterable[Row]) -> bytes:
    """A table for a spreadsheet: UTF-8 with its mark, semicolons; no cell is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    for rank, row in enumerate(rows):
        if rank == 0:
            writer.writerow(row)
        writer.writerow(inert(cell) for cell in row.values())
    return text.getvalue().encode("utf-8-sig")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _when(at: datetime | None) -> str:
    return at.astimezone(PARIS).strftime("%d/%m/%Y %H:%M") if at else ""


def _hours(start: datetime | None, end: datetime | None) -> str:
    return f"{(end - start) / timedelta(hours=1):.1f}".replace(".", ",") if start and end else ""
