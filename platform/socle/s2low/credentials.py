"""Certificates of accounts: read when they are given, sealed at rest, opened for a call."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from socle.core.crypto import seal, unseal
from socle.s2low.client import Credentials
from socle.s2low.models import S2lowAccount
from socle.s2low.policies import IncompleteAccount, UnusableCertificate

CERTIFICATE: Final = "s2low.certificate"
KEY: Final = "s2low.key"
PASSWORD: Final = "s2low.password"  # noqa: S105 - the purpose a password is sealed for
SEALED: Final = {
    "sealed_certificate": CERTIFICATE,
    "sealed_key": KEY,
    "sealed_password": PASSWORD,
}
"""The sealed columns of an account, and what each is sealed for."""

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate (PEM, chain after it) and its key (PEM, unencrypted, to be sealed at once)."""

    certificate: bytes
    key: bytes
    subject: str
    until: datetime


def read_identity(*, certificate: bytes, key: bytes = b"", password: str = "") -> Identity:
    """The identity in a PKCS#12 file, or in a PEM certificate and its PEM key.

    `password` opens the PKCS#12 or the key. Raises UnusableCertificate when it cannot be read or
    the key is another certificate's.
    """
    secret = password.encode() or None
    try:
        if certificate.lstrip().startswith(b"-----BEGIN"):
            chain = x509.load_pem_x509_certificates(certificate)
            private = load_pem_private_key(key or certificate, secret)
        else:
            private, chain = _open_pkcs12(certificate, secret)
    except (ValueError, TypeError) as fault:
        raise UnusableCertificate(
            "Le certificat ou sa clé ne s’ouvre pas : vérifiez le fichier et son mot de passe.",
            field="certificate",
        ) from fault
    _check_pair(chain[0], private)
    return Identity(
        certificate=b"".join(one.public_bytes(Encoding.PEM) for one in chain),
        key=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        subject=chain[0].subject.rfc4514_string()[:300],
        until=chain[0].not_valid_after_utc,
    )


def check_authority(pem: str) -> str:
    """The certificates of the server's authority, as PEM. Raises UnusableCertificate."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as fault:
        raise UnusableCertificate(
            "L’autorité du serveur doit être un certificat au format PEM.", field="ca_pem"
        ) from fault
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)


def seal_identity(account: S2lowAccount, identity: Identity) -> None:
    """Write an identity into an account; the caller saves it."""
    account.sealed_certificate = seal(identity.certificate, purpose=CERTIFICATE)
    account.sealed_key = seal(identity.key, purpose=KEY)
    account.certificate_subject, account.certificate_until = identity.subject, identity.until


def seal_password(password: str) -> bytes:
    """A password at rest; nothing stays nothing."""
    return seal(password.encode(), purpose=PASSWORD) if password else b""


def certificate_holder(account: S2lowAccount, shared: S2lowAccount | None) -> S2lowAccount:
    """The row whose certificate an account presents. Raises IncompleteAccount."""
    holder = account if account.sealed_certificate else shared
    if holder is None:
        raise IncompleteAccount(
            f"Le compte S²LOW « {account} » n’a pas de certificat : ajoutez-en un."
        )
    return holder


def credentials_of(account: S2lowAccount, shared: S2lowAccount | None) -> Credentials:
    """Everything it takes to open an account. Raises IncompleteAccount or CannotUnseal."""
    place = account if account.base_url else shared
    holder = certificate_holder(account, shared)
    if place is None:
        raise IncompleteAccount(f"Le compte S²LOW « {account} » n’a pas d’adresse : ajoutez-la.")
    password = bytes(account.sealed_password)
    return Credentials(
        base_url=place.base_url,
        ca=place.ca_pem,
        certificate=unseal(bytes(holder.sealed_certificate), purpose=CERTIFICATE),
        key=unseal(bytes(holder.sealed_key), purpose=KEY),
        login=account.login,
        password=unseal(password, purpose=PASSWORD).decode() if password else "",
    )


def _open_pkcs12(data: bytes, secret: bytes | None) -> tuple[PrivateKey, list[x509.Certificate]]:
    key, certificate, others = pkcs12.load_key_and_certificates(data, secret)
    if key is None or certificate is None:
        raise ValueError("no key or no certificate")
    return key, [certificate, *others]  # type: ignore[return-value]  # checked by _check_pair


def _check_pair(certificate: x509.Certificate, key: object) -> None:
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey) or _public(
        key.public_key()
    ) != _public(certificate.public_key()):
        raise UnusableCertificate(
            "La clé n’est pas celle du certificat : joignez les deux fichiers du même certificat.",
            field="certificate",
        )


def _public(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]
