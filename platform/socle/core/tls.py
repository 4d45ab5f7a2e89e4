"""Certificates of ours, read when they are given; conversations over TLS that end in time."""

import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

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

from socle.core.refusals import Refusal

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


class UnusableCertificate(Refusal):
    """The certificate, its key, or the server's authority cannot be used."""

    code = "tls.unusable_certificate"


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate (PEM, chain after it) and its key (PEM, unencrypted, to be sealed at once)."""

    certificate: bytes
    key: bytes = field(repr=False)
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


def load_identity(context: ssl.SSLContext, *, certificate: bytes, key: bytes) -> None:
    """Present this identity (PEM) in the conversations of `context`. Raises OSError, ValueError."""
    with _in_memory(certificate + b"\n" + key) as path:
        context.load_cert_chain(path)


def fingerprints(certificate: bytes) -> tuple[str, str]:
    """The SHA-256 of a certificate (DER) and of its public key, in lower hexadecimal.

    The second survives a renewal with the same key.
    """
    key = x509.load_der_x509_certificate(certificate).public_key()
    return hashlib.sha256(certificate).hexdigest(), hashlib.sha256(_public(key)).hexdigest()


class Interruptible(Protocol):
    """A conversation another thread can end."""

    cut: bool

    def cut_off(self) -> None:
        """End it; whoever waits for a byte is woken."""


def shut(sock: socket.socket | None) -> None:
    """Wake whoever waits for a byte of `sock`, from another thread."""
    if sock is not None:
        # SSLSocket.shutdown would take its TLS state away from under the reading thread.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextmanager
def cut_after(seconds: float, connection: Interruptible) -> Iterator[None]:
    """End a conversation that lasts longer than `seconds`. Raises TimeoutError then."""

    def cut() -> None:
        try:
            connection.cut_off()
        except OSError:
            return

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if connection.cut:
        raise TimeoutError("deadline")


@contextmanager
def _in_memory(secret: bytes) -> Iterator[str]:
    """A path OpenSSL can read `secret` from without it ever being on a disk.

    `ssl` only takes paths. A temporary file, even private and deleted at once, reaches the disk and
    outlives a killed process; an anonymous memory file does neither. It exists on Linux only,
    where Socle runs.
    """
    descriptor = os.memfd_create("identity", os.MFD_CLOEXEC)
    try:
        view = memoryview(secret)
        while view:
            view = view[os.write(descriptor, view) :]
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


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
