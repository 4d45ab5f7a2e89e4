"""What a certificate says of itself."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256

from registration_authority.pki.keys import public_key_digest
from socle.core.refusals import Refusal


class UnreadableCertificate(Refusal):
    """The bytes are not one X.509 certificate."""

    code = "ra.unreadable_certificate"


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The facts by which a certificate is recognised. Digests and serial in lower-case hexadecimal.

    `issuer` and `subject` are RFC 4514 strings; dates are aware.
    """

    issuer: str
    subject: str
    serial: str
    fingerprint: str
    public_key: str
    not_before: datetime
    not_after: datetime


def load_certificate(pem: str | bytes) -> x509.Certificate:
    """The certificate in `pem`. Raises UnreadableCertificate."""
    content = pem.encode() if isinstance(pem, str) else pem
    try:
        certificate = x509.load_pem_x509_certificate(content)
        certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise UnreadableCertificate(
            "La réponse de l’autorité n’est pas un certificat lisible : signalez-le à l’autorité "
            "de certification avant toute remise."
        ) from fault
    return certificate


def facts_of(certificate: x509.Certificate) -> CertificateFacts:
    """The facts of a certificate."""
    return CertificateFacts(
        issuer=certificate.issuer.rfc4514_string(),
        subject=certificate.subject.rfc4514_string(),
        serial=serial_text(certificate.serial_number),
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        public_key=public_key_digest(certificate.public_key()),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def serial_text(serial: int) -> str:
    """A serial number as we write it everywhere: lower-case hexadecimal, no leading zero."""
    return f"{serial:x}"
