"""The adapter of an authority that speaks CMP over HTTP (RFC 9483, RFC 9811).

The syndicat is a registration authority: it checked the holder's proof of possession on her
PKCS#10, and signs what it asks in her place. The conversation is written down before each question,
so that a network cut is resumed by polling the same transaction, and nothing is asked twice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.db import transaction

from registration_authority import link
from registration_authority.adapters import (
    AuthorityRefused,
    AuthorityUnavailable,
    Enrolment,
    UntrustedAnswer,
    Waiting,
)
from registration_authority.models import CertificationAuthority, CmpExchange, CmpLink
from registration_authority.pki.certificate import load_certificate
from registration_authority.pki.cmp import exchange as exchanges
from registration_authority.pki.cmp import messages
from registration_authority.pki.cmp.der import Node, NotDer
from registration_authority.pki.cmp.exchange import Answer, BadAnswer, Signer, Turn
from registration_authority.pki.cmp.messages import Kind, Status
from registration_authority.pki.names import Holder
from registration_authority.portal import published_list
from socle.core import crypto

Said = TypeVar("Said")
ADAPTER: Final = "cmp"
PURPOSE: Final = "ra.cmp_link"
SHORTEST_WAIT: Final = timedelta(seconds=10)
UNDATED_WAIT: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(days=7)
GRANTED: Final = (Status.ACCEPTED, Status.GRANTED_WITH_MODS)
REVOKED: Final = (Status.ACCEPTED, Status.GRANTED_WITH_MODS, Status.REVOCATION_NOTIFICATION)


@transaction.atomic
def join(
    *,
    authority: CertificationAuthority,
    url: str,
    certificate_pem: str,
    key_der: bytes,
    responder_pem: str = "",
    carries: str = CmpLink.Carries.PKCS10,
    implicit_confirm: bool = False,
) -> CmpLink:
    """Keep how to speak to an authority; again replaces it. The key is sealed.

    `responder_pem` is the only certificate whose answers are believed, the authority's own when
    empty. Raises ValueError when the key is not the one of the certificate.
    """
    exchanges.load_signer(certificate_pem, key_der)
    kept, _ = CmpLink.objects.update_or_create(
        authority=authority,
        defaults={
            "url": url,
            "certificate_pem": certificate_pem,
            "sealed_key": crypto.seal(key_der, purpose=PURPOSE),
            "responder_pem": responder_pem,
            "carries": carries,
            "implicit_confirm": implicit_confirm,
        },
    )
    return kept


class CmpAuthority:
    """One conversation for each certificate, kept in `CmpExchange`."""

    def __init__(self, authority: CertificationAuthority) -> None:
        self.authority = authority
        self.link: CmpLink = authority.cmp_link

    def enroll(self, enrolment: Enrolment, *, at: datetime) -> str | Waiting:
        """Ask once, then poll the same transaction. Raises AuthorityRefused, UntrustedAnswer."""
        known = CmpExchange.objects.filter(key=enrolment.key).first()
        if known is not None and known.pem:
            return known.pem
        if known is not None:
            return self._poll(known, at)
        return self._open(enrolment, at)

    def settle(self, key: UUID, pem: str, *, accepted: bool, reason: str, at: datetime) -> None:
        """Confirm, or reject with the reason; where silence is consent, reject by revoking."""
        known = CmpExchange.objects.get(key=key)
        if known.settled_at is not None:
            return
        certificate = load_certificate(pem)
        if not known.confirmed:
            body = messages.confirm(
                certificate, request_id=known.request_id, accepted=accepted, reason=reason
            )
            answer = self._speak(known, body, at)
            self._check_kind(answer, {Kind.PKICONF})
        elif not accepted:
            self.revoke(pem, reason="unspecified", at=at)
        known.settled_at = at
        known.save(update_fields=["settled_at"])

    def revoke(self, pem: str, *, reason: str, at: datetime) -> bool:
        """Ask with an rr. A warning that it will be revoked is not a revocation."""
        turn = exchanges.next_turn(exchanges.new_transaction())
        body = messages.revocation(load_certificate(pem), reason=reason)
        answer = self._ask(body, turn=turn, at=at)
        self._check_kind(answer, {Kind.RP})
        info = _understood(messages.read_revocation, answer)
        already = messages.CERTIFICATE_REVOKED in info.failures
        if info.status == Status.REJECTION and not already:
            raise _refused(info)
        return already or info.status in REVOKED

    def crl(self, *, at: datetime) -> bytes:
        """The list the authority publishes, else the last one an operator brought."""
        return published_list(self.authority)

    def _open(self, enrolment: Enrolment, at: datetime) -> str | Waiting:
        kind = self._kind_for(enrolment)
        known = CmpExchange.objects.create(
            authority=self.authority,
            key=enrolment.key,
            transaction=exchanges.new_transaction().hex(),
            request_id=messages.NO_REQUEST if kind == Kind.P10CR else 0,
            asked_at=at,
        )
        try:
            answer = self._speak(known, _asking(kind, enrolment), at, opening=True)
        except link.NothingSent:
            known.delete()
            raise
        return self._heard(known, answer, at)

    def _kind_for(self, enrolment: Enrolment) -> Kind:
        """The PKCS#10; or an ir for a first certificate, a kur for a renewal, a cr for another."""
        if self.link.carries == CmpLink.Carries.PKCS10:
            return Kind.P10CR
        if enrolment.former:
            return Kind.KUR
        return Kind.CR if enrolment.known else Kind.IR

    def _poll(self, known: CmpExchange, at: datetime) -> str | Waiting:
        said = self._speak(known, messages.poll(known.request_id), at)
        return self._heard(known, said, at, polled=True)

    def _heard(
        self, known: CmpExchange, answer: Answer, at: datetime, *, polled: bool = False
    ) -> str | Waiting:
        """What an answer to a request or to a poll means.

        One that says « waiting » names no date (RFC 9810 §5.3.22): a poll asks for it, once. An
        authority that answers the poll so too is asked again a minute later.
        """
        if answer.kind == Kind.POLLREP:
            after = timedelta(seconds=_understood(messages.read_poll, answer).check_after)
            return Waiting(at + min(max(after, SHORTEST_WAIT), LONGEST_WAIT))
        self._check_kind(answer, {Kind.IP, Kind.CP, Kind.KUP})
        said = _understood(messages.read_certificate, answer)
        known.request_id = said.request_id
        known.save(update_fields=["request_id"])
        if said.info.status == Status.WAITING:
            return Waiting(at + UNDATED_WAIT) if polled else self._poll(known, at)
        if said.info.status not in GRANTED or said.certificate is None:
            raise _refused(said.info)
        known.pem = said.certificate.public_bytes(Encoding.PEM).decode()
        known.confirmed = answer.confirmed
        known.save(update_fields=["pem", "confirmed"])
        return known.pem

    def _speak(
        self, known: CmpExchange, body: bytes, at: datetime, *, opening: bool = False
    ) -> Answer:
        """Put the next question of a conversation, and remember the nonce of the answer."""
        heard = bytes.fromhex(known.heard)
        turn = exchanges.next_turn(bytes.fromhex(known.transaction), heard)
        answer = self._ask(body, turn=turn, at=at, implicit=opening and self.link.implicit_confirm)
        known.heard = answer.nonce.hex()
        known.save(update_fields=["heard"])
        return answer

    def _ask(self, body: bytes, *, turn: Turn, at: datetime, implicit: bool = False) -> Answer:
        responder = load_certificate(self.link.responder_pem or self.authority.certificate_pem)
        question = exchanges.question(
            body,
            turn=turn,
            signer=self._signer(at),
            recipient=responder.subject,
            at=at,
            implicit=implicit,
        )
        content = link.ask(
            self.link.url,
            body=question,
            content_type=exchanges.MEDIA_TYPE,
            expected=exchanges.MEDIA_TYPE,
            limit=exchanges.MAX_BYTES,
        )
        try:
            return exchanges.read_answer(content, turn=turn, responder=responder, at=at)
        except BadAnswer as fault:
            raise UntrustedAnswer(str(fault)) from fault

    def _signer(self, at: datetime) -> Signer:
        key = crypto.unseal(bytes(self.link.sealed_key), purpose=PURPOSE)
        signer = exchanges.load_signer(self.link.certificate_pem, key)
        if signer.certificate.not_valid_after_utc <= at:
            raise AuthorityUnavailable("the certificate of the registration authority has expired")
        return signer

    def _check_kind(self, answer: Answer, kinds: set[Kind]) -> None:
        if answer.kind == Kind.ERROR:
            raise _refused(_understood(messages.read_error, answer))
        if answer.kind not in kinds:
            raise UntrustedAnswer(f"La réponse est un message inattendu ({answer.kind.name}).")


def _asking(kind: Kind, enrolment: Enrolment) -> bytes:
    if kind == Kind.P10CR:
        request = x509.load_pem_x509_csr(enrolment.request.pem.encode())
        return messages.pkcs10(request.public_bytes(Encoding.DER))
    email = x509.SubjectAlternativeName([x509.RFC822Name(enrolment.holder.email)])
    return messages.request(
        kind,
        key=enrolment.request.key(),
        subject=subject_of(enrolment.holder),
        extensions=[x509.Extension(email.oid, critical=False, value=email)],
        former=load_certificate(enrolment.former) if enrolment.former else None,
    )


def subject_of(holder: Holder) -> x509.Name:
    """The subject asked for a holder, in the order French authorities write it."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, holder.organisation),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, holder.organisation_identifier),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, holder.organisation_unit),
            x509.NameAttribute(NameOID.GIVEN_NAME, holder.given_name),
            x509.NameAttribute(NameOID.SURNAME, holder.surname),
            x509.NameAttribute(NameOID.COMMON_NAME, holder.common_name),
        ]
    )


def _understood(read: Callable[[Node], Said], answer: Answer) -> Said:
    """`read(answer.body)`; a signed message we cannot read is not an answer."""
    try:
        return read(answer.body)
    except (NotDer, ValueError, IndexError) as fault:
        raise UntrustedAnswer(
            "La réponse est signée par l’autorité mais illisible : prévenez-la."
        ) from fault


def _refused(info: messages.StatusInfo) -> AuthorityRefused:
    told = f" : « {info.text} »" if info.text else ", sans dire pourquoi"
    return AuthorityRefused(
        f"L’autorité refuse{told}. Corrigez le dossier ou appelez l’autorité de certification."
    )
