"""One signed question, and the one answer that may be believed (RFC 9483 §3)."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key

from registration_authority.pki.cmp import der
from registration_authority.pki.cmp.der import Node, NotDer
from registration_authority.pki.cmp.messages import Kind

MEDIA_TYPE: Final = "application/pkixcmp"  # RFC 9811 §3.4
MAX_BYTES: Final = 256 * 1024
WINDOW: Final = timedelta(minutes=5)
NONCE_BYTES: Final = 16  # RFC 9483 §3.1
IMPLICIT_CONFIRM: Final = "1.3.6.1.5.5.7.4.13"
RSA_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "1.2.840.113549.1.1.11": hashes.SHA256(),
    "1.2.840.113549.1.1.12": hashes.SHA384(),
    "1.2.840.113549.1.1.13": hashes.SHA512(),
}
EC_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "1.2.840.10045.4.3.2": hashes.SHA256(),
    "1.2.840.10045.4.3.3": hashes.SHA384(),
    "1.2.840.10045.4.3.4": hashes.SHA512(),
}
SignerKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class BadAnswer(Exception):
    """The answer must not be believed; `str()` is a French sentence that says why."""


@dataclass(frozen=True, slots=True)
class Signer:
    """The registration authority: its certificate, and its key in clear, in memory only."""

    certificate: x509.Certificate
    key: SignerKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a conversation stands before a question.

    `transaction` lasts for the whole conversation; `nonce` is new for each question; `heard` is the
    nonce of the last answer, empty before the first.
    """

    transaction: bytes
    nonce: bytes
    heard: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was believed. `nonce` is for the next question."""

    kind: Kind
    body: Node
    nonce: bytes
    confirmed: bool
    """The authority takes silence for consent: no certConf is sent."""


def load_signer(certificate_pem: str, key_der: bytes) -> Signer:
    """The signer of our messages. Raises ValueError when the key is not the certificate's."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    key = load_der_private_key(key_der, password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("an RSA or EC key is expected")
    if key.public_key() != certificate.public_key():
        raise ValueError("the key is not the one of the certificate")
    return Signer(certificate, key)


def new_transaction() -> bytes:
    """A transactionID (RFC 9483 §3.1: 128 random bits)."""
    return secrets.token_bytes(NONCE_BYTES)


def next_turn(transaction: bytes, heard: bytes = b"") -> Turn:
    """The turn of a new question."""
    return Turn(transaction, secrets.token_bytes(NONCE_BYTES), heard)


def question(
    body: bytes,
    *,
    turn: Turn,
    signer: Signer,
    recipient: x509.Name,
    at: datetime,
    implicit: bool = False,
) -> bytes:
    """A whole PKIMessage, DER, signed; `implicit` asks to do without the certConf."""
    algorithm, signature_hash = _algorithm(signer.key)
    parts = [
        der.integer(2),
        der.explicit(4, signer.certificate.subject.public_bytes()),
        der.explicit(4, recipient.public_bytes()),
        der.explicit(0, der.time(at)),
        der.explicit(1, algorithm),
    ]
    identifier = _key_identifier(signer.certificate)
    if identifier:
        parts.append(der.explicit(2, der.octets(identifier)))
    parts += [
        der.explicit(4, der.octets(turn.transaction)),
        der.explicit(5, der.octets(turn.nonce)),
    ]
    if turn.heard:
        parts.append(der.explicit(6, der.octets(turn.heard)))
    if implicit:
        asked = der.sequence(der.oid(IMPLICIT_CONFIRM), der.null())
        parts.append(der.explicit(8, der.sequence(asked)))
    header = der.sequence(*parts)
    signature = _sign(signer.key, signature_hash, der.sequence(header, body))
    certificate = signer.certificate.public_bytes(Encoding.DER)
    return der.sequence(
        header,
        body,
        der.explicit(0, der.bits(signature)),
        der.explicit(1, der.sequence(certificate)),
    )


def read_answer(content: bytes, *, turn: Turn, responder: x509.Certificate, at: datetime) -> Answer:
    """The answer to the question of `turn`, signed by `responder` and by nobody else, just now.

    Raises BadAnswer, whatever is wrong.
    """
    try:
        return _believed(content, turn, responder, at)
    except (ValueError, IndexError) as fault:  # NotDer is a ValueError
        raise BadAnswer(
            "La réponse n’est pas un message CMP lisible : prévenez l’autorité de certification."
        ) from fault


def _believed(content: bytes, turn: Turn, responder: x509.Certificate, at: datetime) -> Answer:
    if len(content) > MAX_BYTES:
        raise BadAnswer("La réponse est bien plus lourde qu’un message CMP.")
    header, body, *rest = der.read(content).expect(der.SEQUENCE).children()
    optional = _optional(header)
    signed = der.sequence(header.raw, body.raw)
    _check_signature(optional.get(1), _protection(rest), signed, responder, at)
    _check_sender(header, responder)
    _check_turn(optional, turn)
    _check_time(optional, at)
    return Answer(
        kind=_kind(body),
        body=body,
        nonce=_fresh_nonce(optional),
        confirmed=_is_confirmed(optional.get(8)),
    )


def _optional(header: Node) -> dict[int, Node]:
    """The optional fields of a header by number; its three first are required."""
    version, _, _, *rest = header.expect(der.SEQUENCE).children()
    if version.integer() not in (2, 3):
        raise NotDer("another version of CMP")
    return {part.tag & 0x1F: part.only() for part in rest}


def _protection(rest: list[Node]) -> bytes | None:
    found = next((part for part in rest if part.tag == der.context(0)), None)
    return None if found is None else found.only().bits()


def _check_signature(
    algorithm: Node | None,
    signature: bytes | None,
    signed: bytes,
    responder: x509.Certificate,
    at: datetime,
) -> None:
    if signature is None or algorithm is None:
        raise BadAnswer("La réponse n’est pas signée : n’importe qui a pu l’écrire.")
    if not responder.not_valid_before_utc <= at <= responder.not_valid_after_utc:
        raise BadAnswer("Le certificat qui signe les réponses de l’autorité a expiré.")
    name = _oid_of(algorithm)
    key = responder.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and name in RSA_HASHES:
            key.verify(signature, signed, padding.PKCS1v15(), RSA_HASHES[name])
        elif isinstance(key, ec.EllipticCurvePublicKey) and name in EC_HASHES:
            key.verify(signature, signed, ec.ECDSA(EC_HASHES[name]))
        else:
            raise BadAnswer("La réponse est protégée par un procédé que nous n’acceptons pas.")
    except (InvalidSignature, UnsupportedAlgorithm) as fault:
        raise BadAnswer(
            "La réponse n’est pas signée par l’autorité, ou elle a été modifiée en route."
        ) from fault


def _check_sender(header: Node, responder: x509.Certificate) -> None:
    sender = header.children()[1]
    if sender.tag != der.context(4) or sender.only().raw != responder.subject.public_bytes():
        raise BadAnswer("La réponse est au nom d’un autre que l’autorité.")


def _check_turn(optional: dict[int, Node], turn: Turn) -> None:
    if _octets(optional, 4) != turn.transaction:
        raise BadAnswer("La réponse est celle d’une autre demande (transactionID).")
    if _octets(optional, 6) != turn.nonce:
        raise BadAnswer("La réponse n’est pas celle de cette question (recipNonce) : rejeu ?")


def _check_time(optional: dict[int, Node], at: datetime) -> None:
    if 0 not in optional:
        raise BadAnswer("La réponse n’est pas datée.")
    said = optional[0].time()
    if abs(said - at) > WINDOW:
        raise BadAnswer(
            f"La réponse est datée du {said:%d/%m/%Y à %H:%M} UTC, trop loin de notre horloge."
        )


def _fresh_nonce(optional: dict[int, Node]) -> bytes:
    nonce = _octets(optional, 5)
    if len(nonce) < NONCE_BYTES:
        raise BadAnswer("La réponse n’a pas de senderNonce de 128 bits.")
    return nonce


def _is_confirmed(info: Node | None) -> bool:
    if info is None:
        return False
    return any(_oid_of(one) == IMPLICIT_CONFIRM for one in info.children())


def _kind(body: Node) -> Kind:
    try:
        return Kind(body.tag & 0x1F)
    except ValueError as fault:
        raise NotDer("a message we do not know") from fault


def _octets(optional: dict[int, Node], number: int) -> bytes:
    return optional[number].octets() if number in optional else b""


def _oid_of(node: Node) -> str:
    """The dotted OID a SEQUENCE starts with."""
    content = node.expect(der.SEQUENCE).children()[0].expect(der.OBJECT_IDENTIFIER).content
    numbers, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - first * 40, *numbers[1:])))


def _algorithm(key: SignerKey) -> tuple[bytes, hashes.HashAlgorithm]:
    """AlgorithmIdentifier and hash of our signatures: SHA-256; RSA has NULL, ECDSA nothing."""
    if isinstance(key, rsa.RSAPrivateKey):
        return der.sequence(der.oid("1.2.840.113549.1.1.11"), der.null()), hashes.SHA256()
    return der.sequence(der.oid("1.2.840.10045.4.3.2")), hashes.SHA256()


def _sign(key: SignerKey, signature_hash: hashes.HashAlgorithm, content: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(content, padding.PKCS1v15(), signature_hash)
    return key.sign(content, ec.ECDSA(signature_hash))


def _key_identifier(certificate: x509.Certificate) -> bytes:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return b""
    return found.value.digest
