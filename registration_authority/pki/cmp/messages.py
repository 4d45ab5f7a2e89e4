"""The bodies of CMP messages: written for the authority, read from it.

Tags are explicit in CMP (RFC 9810 appendix F) and implicit in CRMF (RFC 4211 appendix B), where a
Name, being a CHOICE, is explicit all the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registration_authority.pki.cmp import der
from registration_authority.pki.cmp.der import Node, NotDer

OLD_CERTIFICATE: Final = "1.3.6.1.5.5.7.5.1.5"  # id-regCtrl-oldCertID
CRL_REASON: Final = "2.5.29.21"
NO_REQUEST: Final = -1  # the certReqId of a PKCS#10, which has none (RFC 9483 §4.1.4)
# CRLReason (RFC 5280 §5.3.1)
REASONS: Final = {
    "unspecified": 0,
    "keyCompromise": 1,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "privilegeWithdrawn": 9,
}
CERTIFICATE_REVOKED: Final = 10  # bit of PKIFailureInfo
BAD_TEMPLATE: Final = 19


class Kind(IntEnum):
    """PKIBody: the number of each message (RFC 9810 §5.1.2)."""

    IR = 0
    IP = 1
    CR = 2
    CP = 3
    P10CR = 4
    KUR = 7
    KUP = 8
    RR = 11
    RP = 12
    PKICONF = 19
    ERROR = 23
    CERTCONF = 24
    POLLREQ = 25
    POLLREP = 26


class Status(IntEnum):
    """PKIStatus (RFC 9810 §5.2.3)."""

    ACCEPTED = 0
    GRANTED_WITH_MODS = 1
    REJECTION = 2
    WAITING = 3
    REVOCATION_WARNING = 4
    REVOCATION_NOTIFICATION = 5
    KEY_UPDATE_WARNING = 6


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """What the authority says became of a question; `failures` are bits of PKIFailureInfo."""

    status: Status
    text: str = ""
    failures: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CertificateAnswer:
    """The answer to a request for a certificate."""

    request_id: int
    info: StatusInfo
    certificate: x509.Certificate | None = None


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """Come back in `check_after` seconds."""

    request_id: int
    check_after: int
    reason: str = ""


def request(
    kind: Kind,
    *,
    key: CertificatePublicKeyTypes,
    subject: x509.Name,
    extensions: Iterable[x509.Extension[x509.ExtensionType]] = (),
    former: x509.Certificate | None = None,
) -> bytes:
    """The body of an ir, cr or kur for somebody whose proof of possession we checked.

    `former` is the certificate a kur replaces. The proof is « raVerified » (RFC 4211 §4): the
    holder signed a PKCS#10, the registration authority verified it.
    """
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    template = [der.explicit(5, subject.public_bytes()), der.implicit(6, info)]
    written = [_extension(one) for one in extensions]
    if written:
        template.append(der.implicit(9, der.sequence(*written)))
    asked = [der.integer(0), der.sequence(*template)]
    if former is not None:
        asked.append(der.sequence(_old_certificate(former)))
    verified = der.implicit(0, der.null())
    message = der.sequence(der.sequence(*asked), verified)
    return der.explicit(kind, der.sequence(message))


def pkcs10(request_der: bytes) -> bytes:
    """The body of a p10cr: the holder's own request, untouched."""
    return der.explicit(Kind.P10CR, request_der)


def poll(request_id: int) -> bytes:
    """The body of a pollReq."""
    return der.explicit(Kind.POLLREQ, der.sequence(der.sequence(der.integer(request_id))))


def confirm(
    certificate: x509.Certificate, *, request_id: int, accepted: bool, reason: str = ""
) -> bytes:
    """The body of a certConf; `reason` says why a certificate is not accepted."""
    parts = [der.octets(_digest(certificate)), der.integer(request_id)]
    if not accepted:
        failure = der.write(der.BIT_STRING, *_bit(BAD_TEMPLATE))
        told = der.sequence(der.text(reason))
        parts.append(der.sequence(der.integer(Status.REJECTION), told, failure))
    return der.explicit(Kind.CERTCONF, der.sequence(der.sequence(*parts)))


def revocation(certificate: x509.Certificate, *, reason: str) -> bytes:
    """The body of an rr; `reason` is a name of RFC 5280 such as `keyCompromise`."""
    serial = der.implicit(1, der.integer(certificate.serial_number))
    template = der.sequence(serial, der.explicit(3, certificate.issuer.public_bytes()))
    code = der.write(der.ENUMERATED, bytes((REASONS[reason],)))
    entry = der.sequence(der.sequence(der.oid(CRL_REASON), der.octets(code)))
    return der.explicit(Kind.RR, der.sequence(der.sequence(template, entry)))


def read_certificate(body: Node) -> CertificateAnswer:
    """What an ip, cp or kup says of the one certificate asked for. Raises NotDer."""
    parts = body.only().expect(der.SEQUENCE).children()
    responses = [part for part in parts if part.tag == der.SEQUENCE]
    if len(responses) != 1:
        raise NotDer("no list of responses")
    fields = responses[0].only().expect(der.SEQUENCE).children()
    if len(fields) < 2:
        raise NotDer("a response is incomplete")
    pair = next((one for one in fields[2:] if one.tag == der.SEQUENCE), None)
    return CertificateAnswer(
        request_id=fields[0].integer(),
        info=read_status(fields[1]),
        certificate=None if pair is None else _certificate(pair),
    )


def read_poll(body: Node) -> PollAnswer:
    """What a pollRep says. Raises NotDer."""
    fields = body.only().expect(der.SEQUENCE).only().expect(der.SEQUENCE).children()
    if len(fields) < 2:
        raise NotDer("a poll response is incomplete")
    reason = _free_text(fields[2]) if len(fields) > 2 else ""
    return PollAnswer(fields[0].integer(), fields[1].integer(), reason)


def read_revocation(body: Node) -> StatusInfo:
    """What an rp says of the one certificate to revoke. Raises NotDer."""
    parts = body.only().expect(der.SEQUENCE).children()
    if not parts:
        raise NotDer("no status")
    return read_status(parts[0].only())


def read_error(body: Node) -> StatusInfo:
    """What an error message says. Raises NotDer."""
    parts = body.only().expect(der.SEQUENCE).children()
    if not parts:
        raise NotDer("no status")
    info = read_status(parts[0])
    details = [_free_text(part) for part in parts[1:] if part.tag == der.SEQUENCE]
    text = " ; ".join(filter(None, [info.text, *details]))
    return StatusInfo(info.status, text, info.failures)


def read_status(node: Node) -> StatusInfo:
    """A PKIStatusInfo. Raises NotDer."""
    status, *rest = node.expect(der.SEQUENCE).children()
    texts = [_free_text(part) for part in rest if part.tag == der.SEQUENCE]
    bits = [part.bits() for part in rest if part.tag == der.BIT_STRING]
    try:
        known = Status(status.integer())
    except ValueError as fault:
        raise NotDer("an unknown status") from fault
    return StatusInfo(known, " ; ".join(texts), frozenset(_set_bits(b"".join(bits))))


def _certificate(pair: Node) -> x509.Certificate:
    """The certificate of a CertifiedKeyPair; an encrypted one is for a key we never hold."""
    chosen = pair.children()[0].expect(der.context(0))
    return x509.load_der_x509_certificate(chosen.only().raw)


def _old_certificate(former: x509.Certificate) -> bytes:
    issuer = der.explicit(4, former.issuer.public_bytes())
    identifier = der.sequence(issuer, der.integer(former.serial_number))
    return der.sequence(der.oid(OLD_CERTIFICATE), identifier)


def _extension(extension: x509.Extension[x509.ExtensionType]) -> bytes:
    critical = [der.write(0x01, b"\xff")] if extension.critical else []
    value = der.octets(extension.value.public_bytes())
    return der.sequence(der.oid(extension.oid.dotted_string), *critical, value)


def _digest(certificate: x509.Certificate) -> bytes:
    """certHash: by the hash of the certificate's own signature (RFC 9810 §5.3.18)."""
    hashed = Hash(certificate.signature_hash_algorithm or SHA256())
    hashed.update(certificate.public_bytes(Encoding.DER))
    return hashed.finalize()


def _free_text(node: Node) -> str:
    return " ; ".join(part.text() for part in node.expect(der.SEQUENCE).children())


def _bit(number: int) -> tuple[bytes, bytes]:
    """A named bit list with one bit: unused bits at the end, then the octets (X.690 §11.2.2)."""
    size = number // 8 + 1
    value = 1 << (size * 8 - 1 - number)
    return bytes((7 - number % 8,)), value.to_bytes(size)


def _set_bits(value: bytes) -> list[int]:
    return [i for i in range(len(value) * 8) if value[i // 8] >> (7 - i % 8) & 1]
