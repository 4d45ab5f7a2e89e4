"""What an authority says today of one certificate: its responder first, else its list."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from registration_authority import link
from registration_authority.adapters import AuthorityUnavailable
from registration_authority.models import RevocationListCopy
from registration_authority.pki import ocsp
from registration_authority.pki.certificate import serial_text
from registration_authority.pki.crl import MAX_BYTES, UnusableList, on_list, read_list
from socle.core.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Said:
    """`revoked` is None when nobody could say; `trouble` tells why in French."""

    revoked: bool | None
    how: str = ""
    trouble: str = ""


def ask_responder(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Said:
    """What the OCSP responder named in the certificate says."""
    url = ocsp.responder_of(certificate)
    if not url:
        return Said(None, trouble="ce certificat ne nomme pas de répondeur OCSP")
    question = ocsp.ask(certificate, issuer)
    try:
        content = link.ask(
            url,
            body=question.content,
            content_type=ocsp.REQUEST_TYPE,
            expected=ocsp.RESPONSE_TYPE,
            limit=ocsp.MAX_BYTES,
        )
        answer = ocsp.read(content, question=question, at=at)
    except AuthorityUnavailable:
        return Said(None, trouble="le répondeur OCSP ne répond pas")
    except Refusal as refusal:
        return Said(None, trouble=str(refusal))
    return Said(answer.revoked_at is not None, "ocsp")


def ask_list(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Said:
    """What the list says: ours when we keep a fresh one of this authority, else the published."""
    serial = serial_text(certificate.serial_number)
    pem = issuer.public_bytes(Encoding.PEM).decode()
    for kept in RevocationListCopy.objects.filter(next_update__gt=at).select_related("authority"):
        if kept.authority.certificate_pem.strip() == pem.strip():
            return Said(on_list(bytes(kept.content), serial), "crl")
    trouble = "ce certificat ne nomme aucune liste de révocation"
    for url in ocsp.lists_of(certificate):
        try:
            read = read_list(link.ask(url, limit=MAX_BYTES), authority_pem=pem, at=at)
        except AuthorityUnavailable:
            trouble = "la liste de révocation ne répond pas"
        except UnusableList as refusal:
            trouble = str(refusal)
        else:
            return Said(bool(read.revoked([serial])), "crl")
    return Said(None, trouble=trouble)


def ask(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Said:
    """What both say; revoked for one is revoked (a responder and a list may disagree)."""
    first = ask_responder(certificate, issuer, at)
    if first.revoked:
        return first
    second = ask_list(certificate, issuer, at)
    if second.revoked or first.revoked is None:
        return second if second.revoked is not None else Said(None, trouble=second.trouble)
    return first
