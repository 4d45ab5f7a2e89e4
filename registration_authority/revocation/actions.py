"""Who asks to revoke, who answers for it, and what follows: one function per event."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import QuerySet

from registration_authority import actions as counter
from registration_authority import permissions as counter_permissions
from registration_authority import policies as counter_policies
from registration_authority.dossier.models import PolicyProfile
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import (
    Certificate,
    CertificateFile,
    CertificateState,
    FileState,
    RevocationReason,
)
from registration_authority.revocation import policies, queries
from registration_authority.revocation.models import (
    Asker,
    RevocationAttempt,
    RevocationCode,
    RevocationRequest,
    RevocationState,
)
from socle.accounts import actions as accounts
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import actions as directory_actions
from socle.directory import queries as directory
from socle.directory.models import Organisation
from socle.journal.actions import record
from socle.notices.actions import tell

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS: Final = 3


@transaction.atomic
def give_code(*, certificate_id: int, by: Person, at: datetime) -> str:
    """A new code to revoke a certificate without a login, to be shown once; the former is void.

    Raises NotReady when the certificate is not in force.
    """
    certificate = _certificate(certificate_id)
    counter_policies.check_in_force(certificate.state, certificate.not_after, at=at)
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(GROUPS))
    RevocationCode.objects.update_or_create(
        certificate=certificate,
        defaults={"hashed": make_password(_plain(code)), "given_at": at},
    )
    _journal(certificate, "ra.revocation_code_given", by, at)
    return code


@transaction.atomic
def give_own_code(*, certificate_id: int, by: Person, at: datetime) -> str:
    """The holder asks for another code from her space. Raises NotHer, NotReady."""
    counter_permissions.check_is_holder(by, _certificate(certificate_id).file)
    return give_code(certificate_id=certificate_id, by=by, at=at)


def ask_with_code(
    *, email: str, code: str, reason: RevocationReason, address: str, at: datetime
) -> list[RevocationRequest]:
    """The holder revokes from anywhere, at any hour, with her code and without a login.

    A lost or stolen token takes every certificate it carries with it. Wrong codes are counted
    outside any transaction that could take the count back. Raises TooManyCodes, WrongCode.
    """
    found = list(queries.in_force(at).filter(file__holder__email__iexact=email.strip())[:10])
    policy = profile_of(found[0].file.offer) if found else PolicyProfile()
    _check_attempts(email, address, policy, at)
    matched = next((one for one in found if _is_code(one, code)), None)
    if matched is None:
        RevocationAttempt.objects.create(email_digest=_digest(email), address=address, at=at)
        raise policies.WrongCode(
            "Cette adresse et ce code ne vont pas ensemble : recopiez le code remis avec votre "
            "certificat, ou demandez à être rappelé, ci-dessous.",
            field="code",
        )
    ends = [matched]
    if reason == RevocationReason.KEY_COMPROMISE:
        ends = [one for one in found if one == matched or _same_token(one, matched)]
    with transaction.atomic():
        return [
            _ask(
                one.pk,
                asker=Asker.HOLDER,
                proof="code de révocation",
                reason=reason,
                urgent=reason == RevocationReason.KEY_COMPROMISE,
                by=one.file.holder,
                at=at,
                decided=True,
            )
            for one in ends
        ]


def ask_call_back(*, email: str, reason: RevocationReason, address: str, at: datetime) -> None:
    """Somebody without the code asks: nothing ends yet, the number in the file is called back.

    Says the same whether the address is known or not. Raises TooManyCodes.
    """
    found = list(queries.in_force(at).filter(file__holder__email__iexact=email.strip())[:10])
    _check_attempts("", address, profile_of(found[0].file.offer) if found else PolicyProfile(), at)
    RevocationAttempt.objects.create(email_digest=_digest(""), address=address, at=at)
    with transaction.atomic():
        for one in found:
            _ask(
                one.pk,
                asker=Asker.CALLER,
                proof="demande sans code, à rappeler au numéro du dossier",
                reason=reason,
                urgent=reason == RevocationReason.KEY_COMPROMISE,
                by=None,
                at=at,
                decided=False,
            )


@transaction.atomic
def ask_as_holder(
    *, certificate_id: int, reason: RevocationReason, by: Person, at: datetime
) -> RevocationRequest:
    """The holder revokes her own certificate from her space. Raises NotHer, NotAllowedToAsk."""
    certificate = _certificate(certificate_id)
    counter_permissions.check_is_holder(by, certificate.file)
    return _ask(
        certificate_id,
        asker=Asker.HOLDER,
        proof="session ouverte avec deux facteurs",
        reason=reason,
        urgent=reason == RevocationReason.KEY_COMPROMISE,
        by=by,
        at=at,
        decided=True,
    )


def ask_as_representative(
    *, certificate_id: int, reason: RevocationReason, by: Person, at: datetime
) -> RevocationRequest:
    """The legal representative revokes the certificate of somebody of her body.

    Whoever is not, or is not any more, is refused and the representatives of today are told.
    Raises NotAllowedToAsk.
    """
    certificate = _certificate(certificate_id)
    organisation = certificate.file.organisation
    if by not in queries.representatives(organisation, at):
        with transaction.atomic():
            _tell_representatives(
                certificate,
                f"not_representative:{by.pk}:{legal_date(at)}",
                "Demande de révocation refusée",
                f"{by} a demandé la révocation du certificat de {certificate.file.holder} sans "
                "être représentant légal aujourd’hui : rien n’a été révoqué.",
                at,
            )
        raise policies.NotAllowedToAsk(
            f"Vous n’êtes pas représentant légal de « {organisation} » aujourd’hui : ses "
            "représentants sont prévenus de votre demande."
        )
    return _ask(
        certificate_id,
        asker=Asker.REPRESENTATIVE,
        proof="représentant légal, session ouverte avec deux facteurs",
        reason=reason,
        urgent=reason == RevocationReason.KEY_COMPROMISE,
        by=by,
        at=at,
        decided=True,
    )


@transaction.atomic
def ask_as_officer(
    *, certificate_id: int, reason: RevocationReason, urgent: bool, by: Person, at: datetime
) -> RevocationRequest:
    """An officer asks; without urgency another one confirms, where the rules want four eyes.

    An urgent one takes effect at once and is looked at again by another officer. Raises
    NotAllowedToAsk.
    """
    policy = profile_of(_certificate(certificate_id).file.offer)
    return _ask(
        certificate_id,
        asker=Asker.OFFICER,
        proof="guichet, session ouverte avec deux facteurs",
        reason=reason,
        urgent=urgent,
        by=by,
        at=at,
        decided=urgent or not policy.revocation_four_eyes,
    )


@transaction.atomic
def ask_by_token(
    *, token_serial: str, reason: RevocationReason, urgent: bool, by: Person, at: datetime
) -> list[RevocationRequest]:
    """Every certificate in force on one token, in one gesture. Raises NothingToRevoke."""
    found = queries.in_force(at).filter(hand_over__token_serial__iexact=token_serial.strip())
    certificates = list(found.values_list("pk", flat=True))
    if not certificates:
        raise policies.NothingToRevoke(
            "Aucun certificat en service sur un support de ce numéro : vérifiez le numéro gravé.",
            field="token_serial",
        )
    return [
        ask_as_officer(certificate_id=one, reason=reason, urgent=urgent, by=by, at=at)
        for one in certificates
    ]


@transaction.atomic
def accept(*, request_id: int, proof: str = "", by: Person, at: datetime) -> RevocationRequest:
    """Confirm a request: the certificate ends now. `proof` says how a caller was recognised.

    Raises AlreadyDecided, SamePerson, NeedsReason, SecretInText, OwnFile.
    """
    request = _locked(request_id)
    if request.state == RevocationState.CALL_BACK:
        request.proof = counter_policies.check_reason(proof, field="proof")[:120]
    policies.check_step(request.state, RevocationState.ACCEPTED)
    counter_permissions.check_can_serve(by, request.certificate.file)
    policies.check_other_eyes(four_eyes=request.four_eyes, asked_by=request.asked_by_id, by=by.pk)
    return _accept(request, by=by, at=at)


@transaction.atomic
def refuse(*, request_id: int, reason: str, by: Person, at: datetime) -> RevocationRequest:
    """Refuse a request with its motive; the certificate never stopped being in force.

    Raises AlreadyDecided, NeedsReason, SecretInText.
    """
    request = _locked(request_id)
    policies.check_step(request.state, RevocationState.REFUSED)
    request.refusal = counter_policies.check_reason(reason)
    request.state = RevocationState.REFUSED
    request.decided_at, request.decided_by = at, by
    request.save(update_fields=["state", "refusal", "decided_at", "decided_by"])
    _journal(request.certificate, "ra.revocation_refused", by, at, reason=request.refusal)
    return request


@transaction.atomic
def review(*, request_id: int, by: Person, at: datetime) -> RevocationRequest:
    """Another officer looked at an urgent revocation afterwards. Raises SamePerson."""
    request = _locked(request_id)
    if request.reviewed_at is None:
        policies.check_other_eyes(four_eyes=True, asked_by=request.asked_by_id, by=by.pk)
        request.reviewed_at, request.reviewed_by = at, by
        request.save(update_fields=["reviewed_at", "reviewed_by"])
        _journal(request.certificate, "ra.revocation_reviewed", by, at)
    return request


# Departure and loss


@dataclass(frozen=True, slots=True)
class Protocol:
    """What one gesture did: certificates ended, sessions closed, items handed on, files opened.

    `left_open`: files the authority was at work on; their certificate is revoked when it comes.
    """

    revoked: int
    reassigned: int
    suspended: bool
    replacement: CertificateFile | None
    left_open: int = 0


@transaction.atomic
def declare_departure(
    *,
    person: Person,
    organisation: Organisation,
    successor: Person | None,
    by: Person,
    at: datetime,
) -> Protocol:
    """Somebody leaves a body: certificates, rights, sessions and what she had under way.

    Raises OwnFile when the officer is the one who leaves, and what `open_file` raises for the
    successor's certificate.
    """
    revoked = _end_all(person, organisation, RevocationReason.AFFILIATION_CHANGED, by, at)
    suspended = directory_actions.end_grant(person=person, organisation=organisation, by=by, at=at)
    accounts.end_all_logins(person=person, at=at)
    reassigned = queries.hand_on(person, organisation, successor)
    replacement = _order(successor, organisation, revoked, by, at) if successor else None
    left_open = _close_open_files(person, organisation, by, at)
    record(
        event="ra.departure_declared",
        subject=organisation,
        by=by,
        at=at,
        detail={
            "person": str(person),
            "certificates": str(len(revoked)),
            "items": str(reassigned),
            "successor": str(successor or "personne"),
        },
        schema=directory.journal_of(organisation),
    )
    return Protocol(len(revoked), reassigned, suspended, replacement, left_open)


@transaction.atomic
def declare_loss(
    *, person: Person, organisation: Organisation, by: Person, at: datetime
) -> Protocol:
    """A token is lost or stolen: certificates end, sessions close, the next certificate is ordered.

    Rights stay: the person still works there. Raises OwnFile, and what `open_file` raises.
    """
    revoked = _end_all(person, organisation, RevocationReason.KEY_COMPROMISE, by, at)
    accounts.end_all_logins(person=person, at=at)
    replacement = _order(person, organisation, revoked, by, at)
    record(
        event="ra.loss_declared",
        subject=organisation,
        by=by,
        at=at,
        detail={"person": str(person), "certificates": str(len(revoked))},
        schema=directory.journal_of(organisation),
    )
    return Protocol(len(revoked), 0, suspended=False, replacement=replacement)


def _end_all(
    person: Person,
    organisation: Organisation,
    reason: RevocationReason,
    by: Person,
    at: datetime,
) -> list[Certificate]:
    found = list(queries.in_force(at).filter(file__holder=person, file__organisation=organisation))
    for one in found:
        counter_permissions.check_can_serve(by, one.file)
        ask_as_officer(certificate_id=one.pk, reason=reason, urgent=True, by=by, at=at)
    return found


def _order(
    person: Person,
    organisation: Organisation,
    ended: list[Certificate],
    by: Person,
    at: datetime,
) -> CertificateFile | None:
    """The file of the next certificate, like the last one; the open one when there is one."""
    known = CertificateFile.objects.filter(holder=person, organisation=organisation)
    under_way = next((one for one in known if one.is_open), None)
    if under_way is not None or not ended:
        return under_way
    return counter.open_file(
        organisation=organisation,
        holder=person,
        function=ended[0].file.function,
        offer=ended[0].file.offer,
        by=by,
        at=at,
    )


def _close_open_files(person: Person, organisation: Organisation, by: Person, at: datetime) -> int:
    """Close what she had asked for; how many files could not be closed now."""
    left_open = 0
    for file in CertificateFile.objects.filter(holder=person, organisation=organisation):
        if not file.is_open:
            continue
        try:
            with transaction.atomic():
                counter.close(
                    file_id=file.pk,
                    to=FileState.CANCELLED,
                    reason="La personne quitte l’organisme",
                    by=by,
                    at=at,
                )
        except Refusal:  # the authority is at work: the certificate is revoked when it comes
            left_open += 1
    return left_open


# The delays


def watch(request_id: int, *, at: datetime) -> None:
    """Warn the counter of a request that drags, once before the deadline and once after it."""
    with transaction.atomic():
        request = _locked(request_id)
        policy = profile_of(request.certificate.file.offer)
        late = policies.overdue(request, at=at) and request.overdue_at is None
        early = policies.to_warn(request, policy, at=at) and request.warned_at is None
        if not (late or early):
            return
        request.warned_at = request.warned_at or at
        if late:
            request.overdue_at = at
        request.save(update_fields=["warned_at", "overdue_at"])
        _journal(
            request.certificate,
            "ra.revocation_late" if late else "ra.revocation_drags",
            "Socle",
            at,
        )
        what = "dépasse le délai" if late else "n’est pas encore publiée"
        tell(
            people=queries.officers(at),
            organisation=directory.syndicat(),
            key=f"ra:revocation:{request.pk}:{'late' if late else 'drags'}",
            subject=f"Une révocation {what}",
            body=(
                f"{request.certificate.file.holder} ({request.certificate.file.organisation}) : "
                f"reçue le {request.received_at:%d/%m/%Y}, à publier par l’autorité dans les "
                f"{policy.revocation_hours} heures. Ouvrez « Certificats », « Révocations »."
            ),
            at=at,
        )


# What the functions above share


def _ask(
    certificate_id: int,
    *,
    asker: Asker,
    proof: str,
    reason: RevocationReason,
    urgent: bool,
    by: Person | None,
    at: datetime,
    decided: bool,
) -> RevocationRequest:
    """Write a request down; `decided` when its proof is enough. Asked twice is once."""
    certificate = _certificate(certificate_id, lock=True)
    policy = profile_of(certificate.file.offer)
    policies.check_may_ask(asker, policy)
    standing = RevocationRequest.objects.filter(certificate=certificate).exclude(
        state=RevocationState.REFUSED
    )
    known = standing.select_for_update(of=("self",)).first()
    if known is not None and (not decided or not known.is_pending):
        return known
    if known is None:
        known = RevocationRequest(
            certificate=certificate,
            asker=asker,
            asked_by=by,
            received_at=at,
            deadline=at + policy.revocation_delay,
            state=RevocationState.CALL_BACK if asker == Asker.CALLER else RevocationState.RECEIVED,
        )
    known.proof, known.reason, known.urgent = proof, reason, urgent
    known.four_eyes = asker == Asker.OFFICER and not decided
    known.save()
    _journal(
        certificate,
        "ra.revocation_asked",
        by or "un appelant sans code",
        at,
        asker=asker.label,
        reason=RevocationReason(reason).label,
    )
    if asker != Asker.REPRESENTATIVE:
        _tell_representatives(
            certificate,
            f"revocation:{known.pk}",
            f"Révocation demandée pour {certificate.file.holder}",
            f"Motif : {RevocationReason(reason).label.lower()}. Demandée par : "
            f"{asker.label.lower()}. Si vous ne comprenez pas cette demande, appelez votre "
            "syndicat.",
            at,
        )
    return _accept(known, by=by, at=at) if decided else known


def _accept(request: RevocationRequest, *, by: Person | None, at: datetime) -> RevocationRequest:
    if request.certificate.state == CertificateState.REVOKED:  # the authority was quicker
        request.published_at = request.published_at or at
    request.state, request.decided_at, request.decided_by = RevocationState.ACCEPTED, at, by
    request.save()
    actor = by or request.certificate.file.holder
    counter.revoke(
        certificate_id=request.certificate_id,
        reason=RevocationReason(request.reason),
        by=actor,
        at=at,
    )
    request.certificate.refresh_from_db()
    return request


def _certificate(certificate_id: int, *, lock: bool = False) -> Certificate:
    """The certificate; its file is locked first, as everywhere at the counter."""
    found: QuerySet[Any] = Certificate.objects.select_related(
        "file__organisation", "file__holder", "file__offer__profile"
    )
    if lock:
        CertificateFile.objects.select_for_update(of=("self",)).get(certificate=certificate_id)
        found = found.select_for_update(of=("self",))
    certificate: Certificate = found.get(pk=certificate_id)
    return certificate


def _locked(request_id: int) -> RevocationRequest:
    certificate_id = RevocationRequest.objects.values_list("certificate_id", flat=True).get(
        pk=request_id
    )
    certificate = _certificate(certificate_id, lock=True)
    request = RevocationRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    request.certificate = certificate
    return request


def _check_attempts(email: str, address: str, policy: PolicyProfile, at: datetime) -> None:
    recent = RevocationAttempt.objects.filter(
        at__gt=at - timedelta(minutes=policy.wrong_codes_minutes)
    )
    digest = _digest(email)
    policies.check_attempts(
        by_person=recent.filter(email_digest=digest).count() if email else 0,
        by_address=recent.filter(address=address).count(),
        policy=policy,
    )


def _is_code(certificate: Certificate, code: str) -> bool:
    known = RevocationCode.objects.filter(certificate=certificate).first()
    return known is not None and check_password(_plain(code), known.hashed)


def _same_token(one: Certificate, other: Certificate) -> bool:
    tokens = {
        getattr(getattr(each, "hand_over", None), "token_serial", "") for each in (one, other)
    }
    return len(tokens) == 1 and not tokens & {"", counter_policies.NO_TOKEN}


def _plain(code: str) -> str:
    return "".join(one for one in code.lower() if one.isalnum())


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _tell_representatives(
    certificate: Certificate, key: str, subject: str, body: str, at: datetime
) -> None:
    organisation = certificate.file.organisation
    people = queries.representatives(organisation, at)
    tell(  # a mandate without an account tells nobody: whoever signs will pass it on
        people=people or queries.signatories(organisation, legal_date(at)),
        organisation=organisation,
        key=f"ra:{certificate.pk}:{key}"[:120],
        subject=subject,
        body=body,
        at=at,
    )


def _journal(
    certificate: Certificate, event: str, by: Person | str, at: datetime, **detail: str
) -> None:
    file = certificate.file
    record(
        event=event,
        subject=file,
        by=by,
        at=at,
        detail={"holder": str(file.holder), "serial": certificate.serial, **detail},
        schema=directory.journal_of(file.organisation),
    )
