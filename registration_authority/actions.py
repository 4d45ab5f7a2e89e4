"""What happens at the counter: one function per event."""

import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.serialization import Encoding
from django.db import IntegrityError, transaction
from django.db.models import Q

from registration_authority import files, papers, permissions, policies, portal, signing
from registration_authority.accreditation.identity import same_person
from registration_authority.accreditation.models import Power
from registration_authority.accreditation.policies import SamePerson
from registration_authority.adapters import (
    AuthorityUnavailable,
    Enrolment,
    UntrustedAnswer,
    Waiting,
    adapter_for,
)
from registration_authority.dossier import actions as file_actions
from registration_authority.dossier import policies as rules
from registration_authority.dossier.models import Mandate, MandateKind, PolicyProfile
from registration_authority.dossier.profiles import profile_of, required_kinds, rules_of
from registration_authority.dossier.snapshot import digest_of
from registration_authority.models import (
    IDENTITY_KINDS,
    Certificate,
    CertificateFile,
    CertificateRequest,
    CertificateState,
    CertificationAuthority,
    FaceToFace,
    FileState,
    HandOver,
    IdentityDocument,
    Offer,
    Piece,
    PieceKind,
    PieceState,
    Renewal,
    RequestState,
    RevocationListCopy,
    RevocationReason,
)
from registration_authority.pki.bundle import of_key, read_bundle
from registration_authority.pki.certificate import UnreadableCertificate, load_certificate
from registration_authority.pki.check import (
    Expected,
    NotWhatWasAsked,
    check_issued,
    subject_differences,
)
from registration_authority.pki.crl import UnusableList, on_list, read_list
from registration_authority.pki.csr import Request, check_subject, read_request
from registration_authority.pki.names import Holder, checked_holder
from registration_authority.revocation import queries as revocations
from registration_authority.revocation import records
from registration_authority.service import actions as service
from registration_authority.slots import actions as slots
from registration_authority.stock import ledger as stock
from registration_authority.trace import journal as _journal
from registration_authority.trace import tell_holder as _tell
from socle.accounts import actions as accounts
from socle.accounts.capabilities import Capability
from socle.accounts.models import CertificateLevel, Person
from socle.core import queue
from socle.core.clock import PARIS, legal_date
from socle.core.identifiers import check_siren
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.documents.keys import actions as keys
from socle.journal.actions import record
from socle.notices.actions import tell

PUBLIC = "public"
NUMBERS = "identity-numbers"
"""The scope of the key under which numbers of identity documents are digested."""


class NotGranted(Refusal):
    """The person holds no role of the body that goes with a certificate."""

    code = "ra.not_granted"


class AlreadyOpen(Refusal):
    """The person has an open file for this body."""

    code = "ra.already_open"


class KeyAlreadyKnown(Refusal):
    """The public key was already presented or certified, for anyone at any time."""

    code = "ra.key_already_known"


class TokenOfAnother(Refusal):
    """The token carries the valid certificate of somebody else."""

    code = "ra.token_of_another"


# The file and its pieces


@transaction.atomic
def open_file(
    *,
    organisation: Organisation,
    holder: Person,
    function: str,
    offer: Offer,
    by: Person,
    at: datetime,
    renews: Certificate | None = None,
) -> CertificateFile:
    """Open the file of one certificate; `renews` is the one it is to replace.

    Raises WrongIdentifier when the SIREN of the body has a wrong key (it goes in the certificate),
    NoPolicy, NotGranted, AlreadyOpen, OwnFile, SecretInText, or UnfitName when the person's
    or the body's name cannot stand in a certificate.
    """
    policies.check_free_text(function=function)
    check_siren(organisation.siren)
    _check_granted(holder, organisation, at)
    file = CertificateFile(
        organisation=organisation,
        holder=holder,
        function=function,
        offer=offer,
        created_at=at,
        created_by=by,
        assigned_to=by,
        renews=renews,
    )
    policies.check_orderable(written=profile_of(offer).pk is not None, offer=offer.name)
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    holder_of(file)
    _insert_once(
        file,
        AlreadyOpen(
            f"Un dossier est déjà ouvert pour {holder} à « {organisation} » : continuez celui-là."
        ),
    )
    _journal(file, "ra.file_opened", by, at, offer=offer.name, holder=str(holder))
    return file


@transaction.atomic
def deposit_piece(
    *,
    file_id: int,
    kind: PieceKind,
    content: bytes | BinaryIO,
    name: str,
    by: Person,
    at: datetime,
) -> Piece:
    """Put a piece in a file, in place of a pending or refused one.

    Raises ForbiddenStep, PieceIsFinal, or what is wrong with the file itself.
    """
    file = _locked(file_id)
    policies.check_open_for_pieces(file.state)
    former = file.pieces.filter(kind=kind, replaced_at=None).first()
    policies.check_replaceable(former.state if former else None)
    stored = files.keep_piece_of(kind, content, name=name, by=by, at=at)
    if file.on_hold_since is not None and former is not None:
        file_actions.end_hold(file)  # what it waited for has come
    if former is not None:
        former.replaced_at = at
        former.save(update_fields=["replaced_at"])
    piece = Piece.objects.create(
        file=file,
        kind=kind,
        content=stored.pk,
        name=stored.name,
        size=stored.size,
        sha256=stored.sha256,
        deposited_at=at,
        deposited_by=by,
    )
    _journal(
        file, "ra.piece_deposited", by, at, piece=piece.get_kind_display(), sha256=piece.sha256
    )
    return piece


@transaction.atomic
def submit(*, file_id: int, by: Person, at: datetime) -> CertificateFile:
    """Send the file to the counter, with every piece. Raises ForbiddenStep or MissingPieces."""
    file = _locked(file_id)
    policies.check_step(file.state, FileState.SUBMITTED)
    policies.check_pieces_brought(required_kinds(file), _piece_states(file))
    file.submitted_at = at
    _move(file, FileState.SUBMITTED, "submitted_at")
    _journal(file, "ra.file_submitted", by, at, holder=str(file.holder))
    return file


@transaction.atomic
def take(*, file_id: int, by: Person, at: datetime) -> CertificateFile:
    """Make the file mine to handle, and mine alone for the hours its policy gives.

    Raises OwnFile, ForbiddenStep, FileLocked.
    """
    file = _locked(file_id)
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    if not file.is_open:
        raise policies.ForbiddenStep("Ce dossier est clos : il n’y a plus rien à y faire.")
    rules.check_free(file, by, at=at)
    file.assigned_to = by
    file.locked_until = at + timedelta(hours=profile_of(file.offer).lock_hours)
    file.save(update_fields=["assigned_to", "locked_until"])
    _journal(file, "ra.file_taken", by, at, holder=str(file.holder))
    return file


@transaction.atomic
def accept_piece(
    *,
    piece_id: int,
    by: Person,
    at: datetime,
    expires_on: date | None = None,
    dated_on: date | None = None,
    checks: Iterable[str] = (),
    name_read: str = "",
) -> Piece:
    """Accept a piece; the last one makes the file ready for the face to face.

    `expires_on` is the end of an identity document, `dated_on` the day written on the document,
    `checks` what the officer saw, `name_read` whom the mandate names. Raises OwnFile, FileLocked,
    OnHold, ForbiddenStep, PieceIsFinal, DocumentExpired, PieceTooOld, NotExamined,
    MandateNotInForce, AnotherRepresentative.
    """
    piece, file = _locked_piece(piece_id)
    _check_may_decide(by, file, at)
    policies.check_step(file.state, FileState.PIECES_CHECKED)
    policies.check_acceptable(piece.state)
    today = legal_date(at)
    if piece.kind in IDENTITY_KINDS:
        policies.check_document(expires_on, on=today, field="expires_on")
        piece.expires_on = expires_on
    rule = rules_of(file).get(piece.kind)
    rules.check_age(dated_on, max_age_days=rule.max_age_days if rule else None, on=today)
    rules.check_ticked(rule.checks if rule else (), checks)
    _check_signatory(file, piece.kind, dated_on, name_read)
    piece.dated_on = dated_on
    piece.checks = [one for one in (rule.checks if rule else ()) if one in set(checks)]
    _decide(piece, PieceState.ACCEPTED, by, at)
    _journal(file, "ra.piece_accepted", by, at, piece=piece.get_kind_display())
    if policies.all_accepted(required_kinds(file), _piece_states(file)):
        _check_documents_still_valid(file, today)
        file.checked_at, file.checked_by = at, by
        file.checked_digest = digest_of(file)
        _move(file, FileState.PIECES_CHECKED, "checked_at", "checked_by", "checked_digest")
        _journal(file, "ra.pieces_checked", by, at, holder=str(file.holder))
        _tell(
            file,
            "pieces_checked",
            "Votre dossier de certificat est complet",
            at,
            (
                "Vos pièces sont acceptées. Choisissez un rendez-vous dans votre espace, rubrique "
                "« Mon certificat », et venez avec l’original de votre pièce d’identité."
            ),
        )
    return piece


@transaction.atomic
def refuse_piece(*, piece_id: int, reason: str, by: Person, at: datetime) -> Piece:
    """Refuse a piece and tell the holder why; a checked file goes back to the pieces.

    Raises OwnFile, ForbiddenStep, PieceIsFinal, NeedsReason, SecretInText.
    """
    piece, file = _locked_piece(piece_id)
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    rules.check_free(file, by, at=at)
    told = policies.check_reason(reason)
    policies.check_refusable(piece.state)
    if file.state != FileState.SUBMITTED:
        policies.check_step(file.state, FileState.SUBMITTED)
        file.checked_at, file.checked_by = None, None
        _move(file, FileState.SUBMITTED, "checked_at", "checked_by")
    piece.reason = told
    _decide(piece, PieceState.REFUSED, by, at)
    label = piece.get_kind_display()
    _journal(file, "ra.piece_refused", by, at, piece=label, reason=told)
    _tell(
        file,
        f"piece_refused:{piece.pk}",
        f"{label} à remplacer",
        at,
        f"{label} : {told}\nDéposez-la de nouveau dans votre espace, rubrique « Mon certificat ».",
    )
    return piece


@transaction.atomic
def note_reading(*, piece_id: int, by: Person, at: datetime) -> Piece:
    """Write down who opens a piece, before a byte of it leaves.

    Only an officer who serves the file may look. Raises OwnFile, NotAccredited, Denied.
    """
    piece = Piece.objects.select_related(
        "file__organisation", "file__holder", "file__offer__authority"
    ).get(pk=piece_id)
    permissions.check_can_serve(by, piece.file, power=Power.CHECK_FILE, at=at)
    _journal(piece.file, "ra.piece_read", by, at, piece=piece.get_kind_display())
    return piece


# Face to face


@transaction.atomic
def hold_face_to_face(
    *,
    file_id: int,
    held_at: datetime,
    place: str,
    document_kind: IdentityDocument,
    document_number: str,
    document_expires_on: date,
    recognised: bool,
    by: Person,
    at: datetime,
    features: Iterable[str] = (),
) -> FaceToFace:
    """Write down that the holder came in person; only the end of the number is kept.

    `recognised`: the officer compared the face and the names with the original, and saw `features`
    on it. The « mandataire de certification » of the file may receive the person too, where the
    policy admits one. Raises OwnFile, ForbiddenStep, OnHold, NotTheHolder, WrongMoment,
    DocumentExpired, NotReady, NotExamined, SecretInText.
    """
    file = _locked(file_id)
    proxy = _receiving_proxy(file, by, at)
    power = None if proxy else Power.FACE_TO_FACE
    permissions.check_can_serve(by, file, power=power, at=at)
    rules.check_not_on_hold(file)
    policies.check_step(file.state, FileState.FACE_TO_FACE_DONE)
    policies.check_recognised(recognised)
    policies.check_free_text(place=place)
    policies.check_moment(held_at, now=at, field="held_at")
    held_on = legal_date(held_at)
    policies.check_document(document_expires_on, on=held_on, field="document_expires_on")
    profile = profile_of(file.offer)
    policies.check_kind_admitted(document_kind, admitted=profile.identity_documents)
    rules.check_ticked(profile.identity_features, features, field="features")
    met = FaceToFace(
        file=file,
        officer=by,
        holder=file.holder,
        held_at=held_at,
        held_on=held_on,
        place=place,
        document_kind=document_kind,
        document_end=policies.kept_of_number(document_number),
        document_expires_on=document_expires_on,
        document_digest=_digest_if_kept(profile, document_kind, document_number),
        features=[one for one in profile.identity_features if one in set(features)],
        proxy=proxy,
    )
    pdf = papers.attestation(face_to_face=met, syndicat=directory.syndicat(), at=at)
    name = f"Attestation de face à face - {file.holder}.pdf"
    met.attestation = files.keep(pdf, name=name, by=by, at=at).pk
    met.save(force_insert=True)
    slots.honour(file=file, at=at)
    _move(file, FileState.FACE_TO_FACE_DONE)
    _journal(
        file,
        "ra.face_to_face_held",
        by,
        at,
        holder=str(file.holder),
        document=met.get_document_kind_display(),
        place=place,
    )
    return met


@transaction.atomic
def add_attestation(
    *, file_id: int, content: bytes | BinaryIO, name: str, by: Person, at: datetime
) -> FaceToFace:
    """Keep the scan of the attestation signed on paper. Raises OwnFile, NotReady."""
    file = _locked(file_id)
    permissions.check_can_serve(by, file, power=Power.FACE_TO_FACE, at=at)
    met = FaceToFace.objects.select_for_update(of=("self",)).filter(file=file).first()
    if met is None:
        raise policies.no_face_to_face()
    stored = files.keep_piece(content, name=name, by=by, at=at)
    met.attestation_scan = stored.pk
    met.save(update_fields=["attestation_scan"])
    _journal(file, "ra.attestation_kept", by, at, holder=str(file.holder), sha256=stored.sha256)
    return met


# The key and the certificate


@transaction.atomic
def deposit_request(
    *, file_id: int, content: bytes, by: Person, at: datetime
) -> CertificateRequest:
    """Keep the holder's certificate request, in place of one that did not leave yet.

    Raises ForbiddenStep, KeyAlreadyKnown, or what `csr.read_request` and `csr.check_subject` raise.
    """
    file = _locked(file_id)
    if file.state not in (FileState.PIECES_CHECKED, FileState.FACE_TO_FACE_DONE):
        raise policies.ForbiddenStep(
            "La demande de certificat se dépose une fois les pièces acceptées et avant que le "
            "certificat soit établi."
        )
    asked = read_request(
        content, min_rsa_bits=file.offer.min_rsa_bits, until=at + file.offer.validity
    )
    check_subject(asked, email=file.holder.email, siren=file.organisation.siren)
    _replace_request(file)
    _check_new_key(asked.public_key)
    request = CertificateRequest(
        file=file,
        csr_pem=asked.pem,
        public_key=asked.public_key,
        deposited_at=at,
        deposited_by=by,
    )
    _insert_once(request, _known_key())
    _journal(file, "ra.request_deposited", by, at, public_key=asked.public_key)
    return request


@transaction.atomic
def issue(*, request_id: int, by: Person, at: datetime) -> CertificateRequest:
    """Send a request to the authority; a task asks and stores the answer.

    Where the policy asks for two approvals, an operator who did not check the file gives the first.
    Raises OwnFile, SamePerson, OnHold, ForbiddenStep, NotReady, ChangedSince, or UnfitName when a
    name was changed since.
    """
    request, file = _locked_request(request_id)
    _check_may_approve(by, file, at)
    met = _met(file)
    if met is None:
        raise policies.no_face_to_face()
    policies.check_step(file.state, FileState.ISSUED)
    policies.check_approvable(request.state)
    _check_still_fresh(file, met, at)
    holder_of(file)
    request.approved_digest = digest_of(file)
    rules.check_unchanged(file.checked_digest, request.approved_digest)
    request.state = RequestState.APPROVED
    request.approved_at, request.approved_by = at, by
    request.save(update_fields=["state", "approved_at", "approved_by", "approved_digest"])
    _journal(file, "ra.issue_asked", by, at, holder=str(file.holder))
    queue.after_commit("ra.issue", request_id=request.pk)
    return request


def issue_now(request_id: int, *, at: datetime) -> Certificate | None:
    """Obtain and store the certificate of an approved request, however many times it is called.

    None when the authority refused or what it sent is not what was asked: the file says why.
    No lock and no transaction are held while the authority works; the key of the question was
    stored with the request, so a crash repeats the same question. Raises AuthorityUnavailable.
    """
    request = _request(request_id)
    if request.state != RequestState.APPROVED:
        return Certificate.objects.filter(request_id=request_id).first()
    adapter = adapter_for(request.file.offer.authority)
    try:
        answer = adapter.enroll(_enrolment(request), at=at)
    except Refusal as refusal:
        record_failure(request_id=request_id, why=str(refusal), at=at)
        return None
    except UntrustedAnswer as fault:
        note_untrusted(request_id=request_id, why=str(fault), at=at)
        raise
    if isinstance(answer, Waiting):
        CertificateRequest.objects.filter(pk=request_id).update(ask_again_at=answer.until)
        return None
    return _settled(request, answer, at)


def settle_now(request_id: int, *, at: datetime) -> None:
    """Tell the authority again what became of its certificate, when it could not be told.

    Raises AuthorityUnavailable, AuthorityRefused.
    """
    request = _request(request_id)
    if request.settled_at is None and request.answer:
        _settle(request, request.answer, kept=request.state == RequestState.ISSUED, at=at)


@transaction.atomic
def warn_unanswered(request_id: int, *, at: datetime) -> bool:
    """Tell the counter, once, that an authority keeps a request longer than its policy says.

    The request stays sent: it is asked again under the same transaction at each sweep. Whether it
    was told now.
    """
    request = (
        CertificateRequest.objects.select_for_update(of=("self",))
        .select_related("file__offer__profile", "file__organisation", "file__holder")
        .get(pk=request_id)
    )
    if request.state != RequestState.APPROVED or request.late_told_at or not request.approved_at:
        return False
    days = profile_of(request.file.offer).answer_days
    if at <= request.approved_at + timedelta(days=days):
        return False
    request.late_told_at = at
    request.save(update_fields=["late_told_at"])
    file = request.file
    _journal(file, "ra.answer_late", "Socle", at, holder=str(file.holder), days=str(days))
    tell(
        people=revocations.officers(at, Capability.RA_CHECK),
        organisation=directory.syndicat(),
        key=f"ra:answer:{request.pk}",
        subject="Une autorité n’a pas répondu",
        body=(
            f"La demande de {file.holder} ({file.organisation}) est partie depuis plus de {days} "
            "jours et l’autorité n’a pas encore donné le certificat. Elle reste partie et sera "
            "redemandée : appelez l’autorité avec la référence du dossier."
        ),
        at=at,
    )
    return True


@transaction.atomic
def note_untrusted(*, request_id: int, why: str, at: datetime) -> None:
    """Write down an answer that was not believed; the request stays where it was."""
    request = _request(request_id)
    _journal(request.file, "ra.answer_refused", "Socle", at, reason=why, outcome="refused")


def deposit_certificate(
    *, file_id: int, content: bytes, by: Person, at: datetime, revocation_list: bytes = b""
) -> Certificate:
    """Store the certificate an operator brings back from the authority's portal.

    `content` is .cer, .pem or .p7b, in which the certificate of the request's key is chosen;
    `revocation_list` is the authority's, when it publishes none. The file of another person, or of
    no certificate, changes nothing. A certificate for our key that is not exactly what was asked
    is set aside. Raises OwnFile, ForbiddenStep, UnreadableBundle, PrivateKeyInBundle, UnusableList,
    NotWhatWasAsked.
    """
    request = _awaited_by_hand(file_id, by, at)
    authority = request.file.offer.authority
    found = of_key(read_bundle(content), request.public_key)
    if found is None:
        raise NotWhatWasAsked(
            "Aucun certificat de ce fichier n’est celui de la demande (clé publique différente) : "
            "vérifiez sur le portail de l’autorité que c’est bien celui de ce dossier.",
            field="certificate",
        )
    refresh_revocations(authority=authority, content=revocation_list, at=at)
    pem = found.public_bytes(Encoding.PEM).decode()
    certificate = _settled(request, pem, at)
    if certificate is None:
        request.refresh_from_db()
        raise NotWhatWasAsked(request.message, field="certificate")
    return certificate


@transaction.atomic
def export_request(*, file_id: int, by: Person, at: datetime) -> bytes:
    """One ZIP for the authority's portal: the request (PKCS#10) and the sheet of what to type.

    Raises OwnFile, ForbiddenStep.
    """
    request = _awaited_by_hand(file_id, by, at)
    file = request.file
    sheet = papers.request_sheet(
        file=file,
        holder=holder_of(file),
        public_key=request.public_key,
        syndicat=directory.syndicat(),
        at=at,
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _put(archive, "demande.csr", request.csr_pem.encode(), at)
        _put(archive, "fiche.pdf", sheet, at)
    _journal(file, "ra.request_exported", by, at, holder=str(file.holder))
    return out.getvalue()


def refresh_revocations(
    *, authority: CertificationAuthority, at: datetime, content: bytes = b""
) -> RevocationListCopy:
    """Keep the newest list of revoked certificates, and draw from it what it says of ours.

    `content` is a list brought by hand; without it the authority is asked. A certificate found on
    it is out of use at once, even when nobody here asked. Raises UnusableList.
    """
    if not content:
        try:
            content = adapter_for(authority).crl(at=at)
        except AuthorityUnavailable as fault:
            raise UnusableList(
                f"La liste de révocation de « {authority} » manque : téléchargez-la sur le site de "
                "l’autorité et versez-la ici.",
                field="revocation_list",
            ) from fault
    return keep_revocations(authority_id=authority.pk, content=content, at=at)


@transaction.atomic
def bring_revocations(
    *, authority: CertificationAuthority, content: bytes, by: Person, at: datetime
) -> RevocationListCopy:
    """An operator brings the list of revoked certificates of an authority. Raises UnusableList."""
    kept = keep_revocations(authority_id=authority.pk, content=content, at=at)
    record(
        event="ra.list_brought",
        subject=authority,
        by=by,
        at=at,
        detail={"authority": authority.name, "number": kept.number},
        schema=PUBLIC,
    )
    return kept


@transaction.atomic
def keep_revocations(*, authority_id: int, content: bytes, at: datetime) -> RevocationListCopy:
    """Check and keep a list of revoked certificates. Raises UnusableList."""
    authority = CertificationAuthority.objects.select_for_update().get(pk=authority_id)
    former = RevocationListCopy.objects.filter(authority=authority).first()
    checked = read_list(
        content,
        authority_pem=authority.certificate_pem,
        at=at,
        after=int(former.number, 16) if former else 0,
    )
    kept, _ = RevocationListCopy.objects.update_or_create(
        authority=authority,
        defaults={
            "content": checked.content,
            "number": f"{checked.number:x}",
            "this_update": checked.this_update,
            "next_update": checked.next_update,
            "received_at": at,
        },
    )
    ours = Certificate.objects.filter(file__offer__authority=authority, not_after__gt=at).filter(
        Q(revocation_confirmed_at=None) | Q(revocations__published_at=None)
    )
    known = {one.serial: one for one in ours.only("serial", "revocation_confirmed_at")}
    revoked = checked.revoked(known)
    for serial, revoked_at in revoked.items():
        if known[serial].revocation_confirmed_at is None:
            _confirm_revocation(known[serial].pk, revoked_at, at)
    records.note_published(revoked, authority_id=authority.pk, by="crl", at=at)
    return kept


@transaction.atomic
def record_failure(*, request_id: int, why: str, at: datetime) -> None:
    """The authority will not sign: the file waits for another request."""
    request, file = _locked_request(request_id)
    if request.state == RequestState.APPROVED:
        _give_up(request, RequestState.FAILED, why)
        _journal(file, "ra.issue_failed", "Socle", at, reason=why, outcome="refused")


@transaction.atomic
def record_certificate(*, request_id: int, pem: str, at: datetime) -> Certificate | None:
    """Store what the authority signed; the one already stored if another delivery won.

    A certificate that is not exactly what was asked is set aside, and None returned.
    """
    request, file = _locked_request(request_id)
    if request.state != RequestState.APPROVED:
        return Certificate.objects.filter(request=request).first()
    try:
        facts = check_issued(pem, expected=_expected(request), at=at)
        _check_not_revoked(file.offer.authority, facts.serial)
    except (NotWhatWasAsked, UnreadableCertificate) as refusal:
        _give_up(request, RequestState.QUARANTINED, str(refusal))
        _journal(file, "ra.issue_failed", "Socle", at, reason=str(refusal), outcome="refused")
        return None
    certificate = Certificate.objects.create(
        request=request,
        file=file,
        issuer=facts.issuer,
        serial=facts.serial,
        fingerprint=facts.fingerprint,
        public_key=facts.public_key,
        pem=pem,
        issued_at=at,
        not_before=facts.not_before,
        not_after=facts.not_after,
    )
    request.state = RequestState.ISSUED
    request.save(update_fields=["state"])
    _move(file, FileState.ISSUED)
    _journal(
        file,
        "ra.issued",
        "Socle",
        at,
        holder=str(file.holder),
        serial=facts.serial,
        until=legal_date(facts.not_after).isoformat(),
    )
    return certificate


# The hand-over


@transaction.atomic
def prepare_hand_over(
    *,
    file_id: int,
    place: str,
    token_serial: str,
    by: Person,
    at: datetime,
    collected_by: Mandate | None = None,
    override_reason: str = "",
) -> HandOver:
    """Draw up the receipt to print and sign; drawing it up again replaces the unsigned one.

    `collected_by` is the « mandataire » who comes in place of the holder, `override_reason` why it
    is handed over although an operator does not know its authority. Raises OwnFile, ForbiddenStep,
    OnHold, NotReady, DocumentExpired, TokenOfAnother, RouteNotAdmitted, UnknownDownstream,
    SecretInText, and what `stock.actions.check_for_file` raises.
    """
    file = _locked(file_id)
    certificate, met = _check_can_hand_over(file, by, at)
    policies.check_free_text(
        place=place, token_serial=token_serial, override_reason=override_reason
    )
    _check_token(token_serial, file, at)
    token = stock.check_for_file(token_serial, file)
    _check_collector(file, collected_by, by, at)
    _check_downstream(certificate, override_reason, at)
    pdf = papers.receipt(
        certificate=certificate,
        face_to_face=met,
        syndicat=directory.syndicat(),
        officer=by,
        place=place,
        token_serial=token_serial,
        at=at,
        collected_by=str(collected_by) if collected_by else "",
    )
    name = f"Procès-verbal de remise - {file.holder}.pdf"
    stored = files.keep(pdf, name=name, by=by, at=at)
    hand_over, _ = HandOver.objects.update_or_create(
        certificate=certificate,
        defaults={
            "face_to_face": met,
            "holder": file.holder,
            "officer": by,
            "place": place,
            "token_serial": token_serial,
            "receipt": stored.pk,
            "prepared_at": at,
            "collected_by": collected_by,
            "override_reason": override_reason.strip(),
        },
    )
    if token is not None:
        stock.reserve(token=token, file=file, by=by, at=at)
    if override_reason.strip():
        told = override_reason.strip()
        _journal(file, "ra.check_overridden", by, at, holder=str(file.holder), reason=told)
    _journal(file, "ra.receipt_prepared", by, at, holder=str(file.holder), sha256=stored.sha256)
    return hand_over


@transaction.atomic
def hand_over(
    *,
    file_id: int,
    signed: bool,
    accepted: bool,
    by: Person,
    at: datetime,
    scan: BinaryIO | bytes | None = None,
    scan_name: str = "",
    signed_on: date | None = None,
    drawings: tuple[bytes, bytes] | None = None,
) -> HandOver:
    """Record that both signed the receipt and the holder accepted: the certificate is in use.

    `scan` is the signed receipt, if at hand, `drawings` both signatures drawn on the screen (PNG,
    the holder's first), `signed_on` the day written on the paper. Raises OwnFile, ForbiddenStep,
    NotReady, DocumentExpired, WrongMoment, UnreadableDrawing.
    """
    file = _locked(file_id)
    certificate, met = _check_can_hand_over(file, by, at)
    receipt = (
        HandOver.objects.select_for_update(of=("self",)).filter(certificate=certificate).first()
    )
    if receipt is None or not (signed and accepted):
        raise policies.NotReady(
            "Imprimez le procès-verbal, faites-le signer par la personne, signez-le, puis cochez "
            "les deux cases.",
            field="signed",
        )
    if receipt.officer_id != by.pk:
        raise policies.NotReady(
            f"Ce procès-verbal est au nom de {receipt.officer} : préparez-en un à votre nom."
        )
    policies.check_signed_on(signed_on, met_on=met.held_on, today=legal_date(at))
    receipt.signed_at = receipt.accepted_at = at
    if drawings is not None:
        scan, scan_name = _signed_on_screen(receipt, drawings, at), "Procès-verbal signé.pdf"
    if scan is not None:
        receipt.signed_scan = files.keep_piece(scan, name=scan_name, by=by, at=at).pk
    receipt.save(update_fields=["signed_at", "accepted_at", "signed_scan"])
    _end(file, FileState.HANDED_OVER, at)
    stock.give_to_holder(receipt.token_serial, file, by=by, at=at)
    slots.honour(file=file, at=at)
    _put_in_use(certificate)
    if file.renews_id is not None:
        service.open_pairings(certificate=certificate, by=by, at=at)
    _journal(
        file,
        "ra.handed_over",
        by,
        at,
        holder=str(file.holder),
        serial=certificate.serial,
        token=receipt.token_serial,
    )
    return receipt


@transaction.atomic
def acknowledge(*, file_id: int, by: Person, at: datetime) -> HandOver:
    """The holder says that her « mandataire » gave her the token; twice is once. Raises NotHer."""
    file = _locked(file_id)
    permissions.check_is_holder(by, file)
    receipt = (
        HandOver.objects.select_for_update(of=("self",))
        .filter(certificate__file=file, signed_at__isnull=False, collected_by__isnull=False)
        .first()
    )
    if receipt is None:
        raise policies.NotReady("Personne n’a retiré ce certificat à votre place.")
    if receipt.acknowledged_at is None:
        receipt.acknowledged_at = at
        receipt.save(update_fields=["acknowledged_at"])
        _journal(file, "ra.acknowledged", by, at, holder=str(file.holder))
    return receipt


@transaction.atomic
def add_signed_receipt(
    *, file_id: int, content: bytes | BinaryIO, name: str, by: Person, at: datetime
) -> HandOver:
    """Keep the scan of a receipt signed on paper. Raises NotReady when nothing was signed."""
    file = _locked(file_id)
    permissions.check_can_serve(by, file, power=Power.HAND_OVER, at=at)
    receipt = (
        HandOver.objects.select_for_update(of=("self",))
        .filter(certificate__file=file, signed_at__isnull=False)
        .first()
    )
    if receipt is None:
        raise policies.NotReady("La remise n’est pas encore enregistrée : faites-la d’abord.")
    stored = files.keep_piece(content, name=name, by=by, at=at)
    receipt.signed_scan = stored.pk
    receipt.save(update_fields=["signed_scan"])
    _journal(file, "ra.receipt_kept", by, at, holder=str(file.holder), sha256=stored.sha256)
    return receipt


# Renewal


@transaction.atomic
def open_renewal(*, certificate_id: int, by: Person, at: datetime) -> CertificateFile:
    """Open the file of the next certificate, with what the last one's says.

    Raises TooEarly, NotReady, and what `open_file` raises.
    """
    certificate = Certificate.objects.select_related(
        "file__organisation", "file__holder", "file__offer__profile"
    ).get(pk=certificate_id)
    policies.check_in_force(certificate.state, certificate.not_after, at=at)
    window_days = profile_of(certificate.file.offer).renewal_window_days
    policies.check_renewable(certificate.not_after, window_days=window_days, at=at)
    return open_file(
        organisation=certificate.file.organisation,
        holder=certificate.file.holder,
        function=certificate.file.function,
        offer=certificate.file.offer,
        by=by,
        at=at,
        renews=certificate,
    )


@transaction.atomic
def carry_face_to_face(*, file_id: int, by: Person, at: datetime) -> CertificateFile:
    """Renew on the face to face of the last file, where the offer allows it.

    Raises OwnFile, ForbiddenStep, OnHold, NotReady, NeedsFaceToFace with what changed.
    """
    file = _locked(file_id)
    permissions.check_can_serve(by, file, power=Power.FACE_TO_FACE, at=at)
    rules.check_not_on_hold(file)
    policies.check_step(file.state, FileState.FACE_TO_FACE_DONE)
    former = Certificate.objects.select_related("file").filter(pk=file.renews_id).first()
    if former is None:
        raise policies.NeedsFaceToFace(
            "Ce dossier ne renouvelle aucun certificat : recevez la personne en face à face."
        )
    policies.check_in_force(former.state, former.not_after, at=at)
    policies.check_face_to_face_carried(
        in_a_row=_carried_in_a_row(former.file),
        allowed=profile_of(file.offer).renewals_without_face_to_face,
        changes=map(str, subject_differences(load_certificate(former.pem), holder_of(file))),
    )
    file.carried_face_to_face = _met(former.file)
    _move(file, FileState.FACE_TO_FACE_DONE, "carried_face_to_face")
    _journal(file, "ra.face_to_face_carried", by, at, holder=str(file.holder))
    return file


@transaction.atomic
def retire_former(*, file_id: int, by: Person, at: datetime) -> Certificate:
    """Revoke the certificate a handed-over one replaces, once every account works with the new one.

    Raises OwnFile, NotReady, NotPaired.
    """
    file = _locked(file_id)
    permissions.check_can_serve(by, file, power=Power.HAND_OVER, at=at)
    certificate = Certificate.objects.filter(file=file).first()
    if certificate is None or file.renews_id is None or file.state != FileState.HANDED_OVER:
        raise policies.NotReady(
            "Le nouveau certificat n’est pas encore remis : l’ancien doit servir jusque-là."
        )
    service.check_all_paired(certificate)
    return revoke(certificate_id=file.renews_id, reason=RevocationReason.SUPERSEDED, by=by, at=at)


@transaction.atomic
def remind(certificate_id: int, *, at: datetime) -> Renewal | None:
    """Tell the holder that her certificate ends, once for each date; None when nothing is due."""
    certificate = (
        Certificate.objects.select_for_update(of=("self",))
        .select_related("file__holder", "file__organisation", "file__offer__profile")
        .get(pk=certificate_id)
    )
    known = Renewal.objects.filter(certificate=certificate).first()
    if known is not None and known.muted_at is not None:
        return None
    told = known.told if known else None
    wanted = profile_of(certificate.file.offer).reminders
    days = policies.reminder_due(certificate.not_after, days_before=wanted, at=at, told=told)
    if days is None:
        return None
    renewal, _ = Renewal.objects.update_or_create(
        certificate=certificate,
        defaults={"told": days, "told_at": at},
        create_defaults={"told": days, "told_at": at, "opened_at": at},
    )
    _tell(
        certificate.file,
        f"renew:{certificate.pk}:{days}",
        f"Votre certificat expire le {legal_date(certificate.not_after):%d/%m/%Y}",
        at,
        (
            "Après cette date vous ne pourrez plus transmettre. Votre syndicat prépare le suivant "
            "avec vous : surveillez la rubrique « Mon certificat »."
        ),
    )
    _journal(certificate.file, "ra.renewal_told", "Socle", at, days=str(days))
    return renewal


@transaction.atomic
def mute_renewal(*, certificate_id: int, by: Person, at: datetime) -> Renewal:
    """Stop the reminders of one certificate: the person leaves, or the commune said no."""
    renewal = (
        Renewal.objects.select_for_update(of=("self",))
        .select_related("certificate__file__organisation", "certificate__file__holder")
        .get(certificate_id=certificate_id)
    )
    if renewal.muted_at is None:
        renewal.muted_at, renewal.muted_by = at, by
        renewal.save(update_fields=["muted_at", "muted_by"])
        file = renewal.certificate.file
        _journal(file, "ra.renewal_muted", by, at, holder=str(file.holder))
    return renewal


# The end


@transaction.atomic
def revoke(
    *, certificate_id: int, reason: RevocationReason, by: Person, at: datetime
) -> Certificate:
    """Take a certificate out of use at once, then tell the authority; twice is once.

    The officer's or the holder's right to ask is the caller's business (capability, own file). An
    undelivered certificate closes its file.
    """
    file_id = Certificate.objects.values_list("file_id", flat=True).get(pk=certificate_id)
    file = _locked(file_id)
    certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate_id)
    if certificate.state == CertificateState.REVOKED:
        return certificate
    _take_out_of_use(certificate, file, reason, by=by, at=at)
    _journal(
        file,
        "ra.revoked",
        by,
        at,
        holder=str(file.holder),
        serial=certificate.serial,
        reason=RevocationReason(reason).label,
    )
    queue.after_commit("ra.revoke", certificate_id=certificate.pk)
    return certificate


@transaction.atomic
def decline(*, file_id: int, by: Person, at: datetime) -> Certificate:
    """The holder does not accept what the certificate says: it is revoked, the file closed.

    Raises OwnFile, ForbiddenStep.
    """
    file = _locked(file_id)
    permissions.check_can_serve(by, file, power=Power.HAND_OVER, at=at)
    policies.check_step(file.state, FileState.CANCELLED)
    policies.check_step(file.state, FileState.HANDED_OVER)
    certificate = Certificate.objects.get(file=file)
    return revoke(certificate_id=certificate.pk, reason=RevocationReason.UNSPECIFIED, by=by, at=at)


@transaction.atomic
def expire_uncollected(*, file_id: int, at: datetime) -> Certificate | None:
    """Revoke a certificate nobody came for within the days of its policy; None when not due."""
    file = _locked(file_id)
    certificate = Certificate.objects.select_for_update(of=("self",)).filter(file=file).first()
    days = profile_of(file.offer).uncollected_days
    if certificate is None or days is None or file.state != FileState.ISSUED:
        return None
    if at <= certificate.issued_at + timedelta(days=days):
        return None
    _take_out_of_use(certificate, file, RevocationReason.CESSATION, by=None, at=at)
    _journal(
        file,
        "ra.uncollected",
        "Socle",
        at,
        holder=str(file.holder),
        serial=certificate.serial,
        days=str(days),
    )
    queue.after_commit("ra.revoke", certificate_id=certificate.pk)
    return certificate


def revoke_at_authority(certificate_id: int, *, at: datetime) -> None:
    """Have the authority revoke too, and write down that it did; twice is once.

    Raises AuthorityUnavailable, AuthorityRefused.
    """
    certificate = Certificate.objects.select_related("file__offer__authority").get(
        pk=certificate_id
    )
    if certificate.revoked_at is None or certificate.revocation_confirmed_at is not None:
        return
    revoked = adapter_for(certificate.file.offer.authority).revoke(
        certificate.pem, reason=certificate.revocation_reason, at=certificate.revoked_at
    )
    # « Accepted » is not « revoked »: without the authority's word, only its list will tell.
    changes = {"revocation_sent_at": at} | ({"revocation_confirmed_at": at} if revoked else {})
    Certificate.objects.filter(pk=certificate_id, revocation_confirmed_at=None).update(**changes)


@transaction.atomic
def close(*, file_id: int, to: FileState, reason: str, by: Person, at: datetime) -> CertificateFile:
    """Refuse (`FileState.REFUSED`) or abandon (`CANCELLED`) a file before its certificate exists.

    Raises OwnFile, ForbiddenStep, NeedsReason, SecretInText.
    """
    file = _locked(file_id)
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    policies.check_step(file.state, to)
    told = policies.check_reason(reason)
    if file.state == FileState.ISSUED or file.requests.filter(state=RequestState.APPROVED).exists():
        raise policies.ForbiddenStep(
            "Le certificat est établi ou en cours d’établissement : révoquez-le, le dossier se "
            "fermera avec lui."
        )
    file.closing_reason = told
    _end(file, to, at, "closing_reason")
    _journal(file, "ra.file_closed", by, at, holder=str(file.holder), state=to.label, reason=told)
    _tell(file, "closed", f"Votre dossier de certificat est {to.label.lower()}", at, told)
    return file


# What the functions above share


def holder_of(file: CertificateFile) -> Holder:
    """Whom the certificate names, as the file says. Raises UnfitName."""
    return checked_holder(
        given_name=file.holder.first_name,
        surname=file.holder.last_name,
        email=file.holder.email,
        organisation=file.organisation.name,
        siren=file.organisation.siren,
    )


def _enrolment(request: CertificateRequest) -> Enrolment:
    return Enrolment(
        key=request.issuance_key,
        request=_asked(request),
        holder=holder_of(request.file),
        validity=request.file.offer.validity,
        known=_known_to(request.file),
        former=_replaced_by(request.file),
    )


def _replaced_by(file: CertificateFile) -> str:
    """The certificate a file renews, when the same authority signed it; else nothing."""
    former = Certificate.objects.filter(
        pk=file.renews_id, file__offer__authority=file.offer.authority
    ).first()
    return former.pem if former else ""


def _known_to(file: CertificateFile) -> bool:
    return Certificate.objects.filter(
        file__offer__authority=file.offer.authority,
        file__holder=file.holder,
        file__organisation=file.organisation,
    ).exists()


def _expected(request: CertificateRequest) -> Expected:
    offer = request.file.offer
    return Expected(
        request=_asked(request),
        holder=holder_of(request.file),
        authority_pem=offer.authority.certificate_pem,
        policy=offer.policy,
        validity=offer.validity,
        min_rsa_bits=offer.min_rsa_bits,
        usage=offer.usage,  # type: ignore[arg-type]  # a choice of the column
        chain_pem=offer.authority.chain_pem,
    )


def _asked(request: CertificateRequest) -> Request:
    return read_request(request.csr_pem.encode(), min_rsa_bits=request.file.offer.min_rsa_bits)


def _met(file: CertificateFile) -> FaceToFace | None:
    """The face to face a file stands on: its own, or the one it carries."""
    return FaceToFace.objects.filter(Q(file=file) | Q(pk=file.carried_face_to_face_id)).first()


def _carried_in_a_row(file: CertificateFile) -> int:
    """How many files, up to this one, renewed without a face to face."""
    count = 0
    while file.carried_face_to_face_id is not None and file.renews is not None:
        count, file = count + 1, file.renews.file
    return count


def _settled(request: CertificateRequest, pem: str, at: datetime) -> Certificate | None:
    """Keep what the authority sent, and tell it whether it stays."""
    # Written down as it came, in a transaction of its own, before it is understood.
    CertificateRequest.objects.filter(pk=request.pk, answer="").update(answer=pem)
    certificate = record_certificate(request_id=request.pk, pem=pem, at=at)
    _settle(request, pem, kept=certificate is not None, at=at)
    return certificate


def _settle(request: CertificateRequest, pem: str, *, kept: bool, at: datetime) -> None:
    """A certificate we set aside must not stay in force at the authority."""
    try:
        load_certificate(pem)
    except UnreadableCertificate:
        CertificateRequest.objects.filter(pk=request.pk).update(settled_at=at)
        return
    reason = "" if kept else _request(request.pk).message
    adapter_for(request.file.offer.authority).settle(
        request.issuance_key, pem, accepted=kept, reason=reason, at=at
    )
    CertificateRequest.objects.filter(pk=request.pk).update(settled_at=at)


def _awaited_by_hand(file_id: int, by: Person, at: datetime) -> CertificateRequest:
    """The request of a file whose authority waits for an operator."""
    request = (
        CertificateRequest.objects.select_related(
            "file__organisation", "file__holder", "file__offer__authority"
        )
        .filter(file_id=file_id, state=RequestState.APPROVED)
        .first()
    )
    if request is None or request.file.offer.authority.adapter != portal.ADAPTER:
        raise policies.ForbiddenStep(
            "Ce dossier n’attend pas de certificat du portail d’une autorité : rechargez la page "
            "pour voir l’étape suivante."
        )
    permissions.check_can_serve(by, request.file, power=Power.CHECK_FILE, at=at)
    return request


def _check_not_revoked(authority: CertificationAuthority, serial: str) -> None:
    kept = RevocationListCopy.objects.filter(authority=authority).first()
    if kept is not None and on_list(bytes(kept.content), serial):
        raise NotWhatWasAsked(
            "Le certificat reçu de l’autorité est déjà révoqué (numéro de série "
            f"{serial}), il ne sera pas remis : signalez-le à l’autorité de certification."
        )


def _confirm_revocation(certificate_id: int, revoked_at: datetime, at: datetime) -> None:
    file = _locked(Certificate.objects.values_list("file_id", flat=True).get(pk=certificate_id))
    certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate_id)
    if certificate.state == CertificateState.VALID:
        _take_out_of_use(certificate, file, RevocationReason.UNSPECIFIED, by=None, at=revoked_at)
        _journal(
            file,
            "ra.found_revoked",
            "Socle",
            at,
            holder=str(file.holder),
            serial=certificate.serial,
        )
    certificate.revocation_confirmed_at = at
    certificate.save(update_fields=["revocation_confirmed_at"])


def _take_out_of_use(
    certificate: Certificate,
    file: CertificateFile,
    reason: RevocationReason,
    *,
    by: Person | None,
    at: datetime,
) -> None:
    certificate.state = CertificateState.REVOKED
    certificate.revoked_at, certificate.revoked_by = at, by
    certificate.revocation_reason = reason
    certificate.save(update_fields=["state", "revoked_at", "revoked_by", "revocation_reason"])
    accounts.withdraw_certificate(fingerprint=certificate.fingerprint, at=at)
    certificate.file = file
    records.note_end(certificate, reason=reason, by=by, at=at)
    label = RevocationReason(reason).label
    stock.retire_of(file, by=by, at=at, reason="Certificat révoqué avant sa remise")
    if file.state == FileState.ISSUED:
        file.closing_reason = f"Certificat révoqué avant sa remise : {label.lower()}"
        _end(file, FileState.CANCELLED, at, "closing_reason")
    _tell(
        file,
        f"revoked:{certificate.pk}",
        "Votre certificat est révoqué",
        at,
        (
            f"Motif : {label.lower()}. Il ne permet plus de transmettre. Pour en obtenir un autre, "
            "appelez votre syndicat."
        ),
    )


def _put(archive: zipfile.ZipFile, name: str, content: bytes, at: datetime) -> None:
    stamp = at.astimezone(PARIS)
    entry = zipfile.ZipInfo(name, (stamp.year, stamp.month, stamp.day, stamp.hour, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


def _check_can_hand_over(
    file: CertificateFile, by: Person, at: datetime
) -> tuple[Certificate, FaceToFace]:
    permissions.check_can_serve(by, file, power=Power.HAND_OVER, at=at)
    rules.check_not_on_hold(file)
    met = _met(file)
    if met is None:
        raise policies.no_face_to_face()
    policies.check_step(file.state, FileState.HANDED_OVER)
    _check_still_fresh(file, met, at)
    certificate = Certificate.objects.get(file=file)
    policies.check_in_force(certificate.state, certificate.not_after, at=at)
    if file.carried_face_to_face_id is None:
        policies.check_document(met.document_expires_on, on=legal_date(at), field="place")
    return certificate, met


def _check_may_decide(by: Person, file: CertificateFile, at: datetime) -> None:
    permissions.check_can_serve(by, file, power=Power.CHECK_FILE, at=at)
    rules.check_free(file, by, at=at)
    rules.check_not_on_hold(file)


def _check_may_approve(by: Person, file: CertificateFile, at: datetime) -> None:
    """With two approvals asked for, whoever checked the file does not approve it (I1)."""
    two = profile_of(file.offer).approvals_required > 1
    power = Power.APPROVE if two else Power.CHECK_FILE
    permissions.check_can_serve(by, file, power=power, at=at)
    rules.check_not_on_hold(file)
    if two and file.checked_by is not None and same_person(by, file.checked_by):
        raise SamePerson(
            f"{file.checked_by} a vérifié ce dossier : une autre personne doit l’approuver, un "
            "second compte ne suffit pas."
        )


def _check_signatory(
    file: CertificateFile, kind: str, dated_on: date | None, name_read: str
) -> None:
    """The signed request and the proof of the mandate must agree with who signs for the body."""
    if file.signed_by is None:
        return
    if kind == PieceKind.TERMS:
        if dated_on is None:
            raise rules.MandateNotInForce(
                "Indiquez la date de la signature : le signataire doit avoir pouvoir ce jour-là.",
                field="dated_on",
            )
        rules.check_mandate(file.signed_by, on=dated_on, field="dated_on")
    if kind == PieceKind.MANDATE and file.signed_by.kind == MandateKind.LEGAL:
        rules.check_named(file.signed_by, name_read)


def _check_documents_still_valid(file: CertificateFile, today: date) -> None:
    current = file.pieces.filter(replaced_at=None, kind__in=IDENTITY_KINDS)
    for expires_on in current.values_list("expires_on", flat=True):
        policies.check_document(expires_on, on=today, field="expires_on")


def _check_still_fresh(file: CertificateFile, met: FaceToFace, at: datetime) -> None:
    """A carried face to face is old by nature: its offer said how often that is admitted."""
    limit = profile_of(file.offer).face_to_face_max_age_days
    if file.carried_face_to_face_id is None:
        policies.check_met_recently(met.held_on, today=legal_date(at), max_age_days=limit)


def _receiving_proxy(file: CertificateFile, by: Person, at: datetime) -> Mandate | None:
    """The mandate by which `by` may receive the holder for their common body, if she has one."""
    proxy = file.proxy
    if proxy is None or proxy.person_id != by.pk or not profile_of(file.offer).proxy_allowed:
        return None
    rules.check_mandate(proxy, on=legal_date(at))
    return proxy


def _check_collector(
    file: CertificateFile, proxy: Mandate | None, by: Person, at: datetime
) -> None:
    """Who comes in place of the holder is the « mandataire » of her file, in office today."""
    if proxy is None:
        return
    if not profile_of(file.offer).proxy_allowed or proxy.pk != file.proxy_id:
        raise rules.RouteNotAdmitted(
            f"{proxy} ne peut pas retirer ce certificat : la personne titulaire vient elle-même, "
            "ou le mandataire inscrit au dossier.",
            field="collected_by",
        )
    rules.check_mandate(proxy, on=legal_date(at), field="collected_by")
    if proxy.person is not None and same_person(proxy.person, by):
        raise SamePerson("On ne se remet pas un certificat à soi-même.", field="collected_by")


def _check_downstream(certificate: Certificate, override_reason: str, at: datetime) -> None:
    unknown = service.operators_that_refuse(certificate, at=at)
    if unknown and not override_reason.strip():
        raise service.UnknownDownstream(
            f"Le magasin d’autorités de {', '.join(unknown)} ne connaît pas l’autorité de ce "
            "certificat : il y serait refusé. Prévenez l’opérateur, ou écrivez pourquoi vous le "
            "remettez quand même.",
            field="override_reason",
        )


def _digest_if_kept(profile: PolicyProfile, kind: str, number: str) -> str:
    if not profile.keeps_document_digest:
        return ""
    return rules.document_digest(kind, number, key=keys.secret_for(NUMBERS).secret)


def _signed_on_screen(receipt: HandOver, drawings: tuple[bytes, bytes], at: datetime) -> bytes:
    who = str(receipt.collected_by or receipt.holder), str(receipt.officer)
    return signing.signed(files.read(receipt.receipt), drawings=drawings, names=who, at=at)


def _check_token(token_serial: str, file: CertificateFile, at: datetime) -> None:
    if token_serial.strip().casefold() == policies.NO_TOKEN:
        return
    taken = HandOver.objects.filter(
        token_serial__iexact=token_serial,
        signed_at__isnull=False,
        certificate__state=CertificateState.VALID,
        certificate__not_after__gt=at,
    ).exclude(holder=file.holder)
    if taken.exists():
        raise TokenOfAnother(
            f"Le support {token_serial} porte le certificat en service d’une autre personne : "
            "vérifiez le numéro gravé dessus.",
            field="token_serial",
        )


def _check_granted(holder: Person, organisation: Organisation, at: datetime) -> None:
    grants = directory.grants(holder, legal_date(at)).filter(organisation=organisation)
    if not any(Capability.CERTIFICATES_OWN in grant.capabilities for grant in grants):
        raise NotGranted(
            f"{holder} n’est ni télétransmetteur ni signataire à « {organisation} » : habilitez "
            "d’abord cette personne dans l’annuaire.",
            field="holder",
        )


def _check_new_key(public_key: str) -> None:
    known = Certificate.objects.filter(public_key=public_key).exists()
    presented = CertificateRequest.objects.filter(
        ~Q(state=RequestState.REPLACED), public_key=public_key
    )
    if known or presented.exists():
        raise _known_key()


def _known_key() -> KeyAlreadyKnown:
    return KeyAlreadyKnown(
        "Cette clé a déjà servi pour une demande de certificat : générez-en une nouvelle avec le "
        "logiciel du support, une clé ne sert qu’une fois.",
        field="csr",
    )


def _replace_request(file: CertificateFile) -> None:
    if file.requests.filter(state=RequestState.APPROVED).exists():
        raise policies.ForbiddenStep(
            "Une demande est déjà partie vers l’autorité : attendez sa réponse."
        )
    file.requests.filter(state=RequestState.DEPOSITED).update(state=RequestState.REPLACED)


def _insert_once(row: CertificateFile | CertificateRequest, refusal: Refusal) -> None:
    """Insert, and let the database decide between two that come together."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as clash:
        raise refusal from clash


def _put_in_use(certificate: Certificate) -> None:
    file = certificate.file
    accounts.register_certificate(
        person=file.holder,
        siren=file.organisation.siren,
        issuer=certificate.issuer,
        serial=certificate.serial,
        fingerprint=certificate.fingerprint,
        level=CertificateLevel(file.offer.level),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
    )


def _give_up(request: CertificateRequest, state: RequestState, why: str) -> None:
    request.state, request.message = state, why[:1000]
    request.save(update_fields=["state", "message"])


def _decide(piece: Piece, state: PieceState, by: Person, at: datetime) -> None:
    piece.state, piece.decided_at, piece.decided_by = state, at, by
    piece.save(update_fields=["state", "reason", "expires_on", "decided_at", "decided_by"])


def _move(file: CertificateFile, to: FileState, *fields: str) -> None:
    file.state = to
    file.save(update_fields=["state", *fields])


def _end(file: CertificateFile, to: FileState, at: datetime, *fields: str) -> None:
    """Move a file to its last state: both clocks of its copies start."""
    file.closed_at = at
    _move(file, to, "closed_at", *fields)
    slots.free(file=file, at=at)


def _piece_states(file: CertificateFile) -> dict[str, str]:
    return dict(file.pieces.filter(replaced_at=None).values_list("kind", "state"))


def _files() -> Any:
    return CertificateFile.objects.select_related(
        "organisation", "holder", "offer__authority", "offer__profile", "signed_by"
    )


def _locked(file_id: int) -> CertificateFile:
    return _files().select_for_update(of=("self",)).get(pk=file_id)


def _locked_piece(piece_id: int) -> tuple[Piece, CertificateFile]:
    """The file is locked first: every action takes its locks in the same order."""
    file = _locked(Piece.objects.values_list("file_id", flat=True).get(pk=piece_id))
    piece = Piece.objects.select_for_update(of=("self",)).get(pk=piece_id)
    if piece.replaced_at is not None:
        raise policies.PieceIsFinal(
            "Cette pièce vient d’être remplacée : rechargez la page pour voir la nouvelle."
        )
    return piece, file


def _request(request_id: int) -> CertificateRequest:
    return CertificateRequest.objects.select_related(
        "file__organisation", "file__holder", "file__offer__authority"
    ).get(pk=request_id)


def _locked_request(request_id: int) -> tuple[CertificateRequest, CertificateFile]:
    file_id = CertificateRequest.objects.values_list("file_id", flat=True).get(pk=request_id)
    file = _locked(file_id)
    request = CertificateRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    request.file = file
    return request, file
