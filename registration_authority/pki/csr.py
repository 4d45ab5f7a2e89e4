"""Read a certificate request (PKCS#10, RFC 2986) deposited by somebody we do not trust."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from registration_authority.pki.bundle import is_pkcs12
from registration_authority.pki.keys import SHORTEST_RSA, check_key, public_key_digest
from socle.core.refusals import Refusal

MAX_BYTES: Final = 16 * 1024  # a request for a 4096-bit key weighs 2 KiB
HASHES: Final = ("sha256", "sha384", "sha512")
_PEM_BEGIN: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_LABELS: Final = (b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")
_SIREN: Final = re.compile(r"^(?:0002 |NTRFR-|SI:FR-)(\d{9})")


class UnreadableRequest(Refusal):
    """The file is not one whole certificate request."""

    code = "ra.unreadable_request"


class PrivateKeyInRequest(Refusal):
    """The file holds a private key, which must never leave its owner."""

    code = "ra.private_key"


class NoProofOfPossession(Refusal):
    """The request is not signed by the key it asks a certificate for."""

    code = "ra.no_proof_of_possession"


class RequestForAnother(Refusal):
    """The request names another person or another body than the file."""

    code = "ra.request_for_another"


@dataclass(frozen=True, slots=True)
class Request:
    """A request that passed every check. `public_key` is the SHA-256 of the key."""

    pem: str
    public_key: str
    subject: str
    """RFC 4514, as the asking software wrote it: never copied into the certificate."""
    emails: tuple[str, ...]
    sirens: tuple[str, ...]

    def key(self) -> CertificatePublicKeyTypes:
        """The public key itself."""
        return x509.load_pem_x509_csr(self.pem.encode()).public_key()


def read_request(
    content: bytes, *, min_rsa_bits: int = SHORTEST_RSA, until: datetime | None = None
) -> Request:
    """Read one PEM or DER request, check that its author has the key and that the key is strong.

    Raises UnreadableRequest, PrivateKeyInRequest, NoProofOfPossession or WeakKey.
    """
    request = _load(content)
    _check_signature(request)
    key = request.public_key()
    check_key(key, min_rsa_bits=min_rsa_bits, until=until)
    subject = request.subject  # decoded at each access
    return Request(
        pem=request.public_bytes(Encoding.PEM).decode(),
        public_key=public_key_digest(key),
        subject=subject.rfc4514_string(),
        emails=tuple(_values(subject, NameOID.EMAIL_ADDRESS)),
        sirens=tuple(_sirens(subject)),
    )


def check_subject(request: Request, *, email: str, siren: str) -> None:
    """Refuse a request whose subject names another address or body. Raises RequestForAnother.

    What the subject leaves out is no fault: the certificate is written from the file.
    """
    if any(found.casefold() != email.casefold() for found in request.emails):
        raise RequestForAnother(
            f"Cette demande a été préparée pour {request.emails[0]} et non pour {email} : "
            "déposez la demande faite avec le support de la bonne personne.",
            field="csr",
        )
    if any(found != siren for found in request.sirens):
        raise RequestForAnother(
            f"Cette demande a été préparée pour l’organisme {request.sirens[0]} et non pour "
            f"{siren} : refaites-la avec le SIREN de la commune du dossier.",
            field="csr",
        )


def _load(content: bytes) -> x509.CertificateSigningRequest:
    _check_file(content)
    labels = _PEM_BEGIN.findall(content)
    if len(labels) > 1:
        raise UnreadableRequest(
            f"Le fichier contient {len(labels)} éléments au lieu d’une seule demande : déposez un "
            "fichier par demande.",
            field="csr",
        )
    if labels and labels[0] not in _LABELS:
        raise UnreadableRequest(
            "Le fichier n’est pas une demande de certificat mais un autre élément "
            f"({labels[0].decode().lower()}) : déposez le fichier « .csr » ou « .p10 ».",
            field="csr",
        )
    load = x509.load_pem_x509_csr if labels else x509.load_der_x509_csr
    try:
        return load(content)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise _unreadable() from fault


def _check_file(content: bytes) -> None:
    if not content:
        raise UnreadableRequest(
            "Le fichier de la demande est vide : refaites l’export depuis le logiciel du support.",
            field="csr",
        )
    if len(content) > MAX_BYTES:
        raise UnreadableRequest(
            "Le fichier est bien plus lourd qu’une demande de certificat : déposez le fichier "
            "« .csr » ou « .p10 » produit par le logiciel du support.",
            field="csr",
        )
    if is_pkcs12(content) or b"PRIVATE KEY-----" in content:
        raise PrivateKeyInRequest(
            "Ce fichier contient une clé privée, qui ne doit jamais quitter la personne : "
            "considérez cette clé comme perdue, générez-en une autre et ne déposez que la demande.",
            field="csr",
        )


def _check_signature(request: x509.CertificateSigningRequest) -> None:
    try:
        proven = request.is_signature_valid
        digest = request.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise _unreadable() from fault
    if not proven:
        raise NoProofOfPossession(
            "La demande n’est pas signée par la clé qu’elle présente : refaites-la depuis le "
            "support, sans modifier le fichier produit.",
            field="csr",
        )
    if digest is None or digest.name not in HASHES:
        raise UnreadableRequest(
            "La demande est signée avec un procédé trop ancien : refaites-la en SHA-256.",
            code="ra.request_hash",
            field="csr",
        )


def _values(subject: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in subject.get_attributes_for_oid(oid)]


def _sirens(subject: x509.Name) -> list[str]:
    written = _values(subject, NameOID.ORGANIZATIONAL_UNIT_NAME)
    written += _values(subject, NameOID.ORGANIZATION_IDENTIFIER)
    return [found[1] for text in written if (found := _SIREN.match(text))]


def _unreadable() -> UnreadableRequest:
    return UnreadableRequest(
        "Le fichier n’est pas une demande de certificat lisible, il est peut-être tronqué : "
        "refaites l’export depuis le logiciel du support et déposez-le tel quel.",
        field="csr",
    )
