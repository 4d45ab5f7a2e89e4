"""Whether a certificate leads to an authority of a store, as RFC 5280 §6.1 walks it. Pure.

S²LOW and its like decide so (`openssl verify -CApath`, purpose SSL client): by the path alone, with
no list of policies. Names, signatures, validity, `cA`, `pathLenConstraint` and `keyCertSign` are
followed up to a self-signed authority of the store.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

LONGEST: Final = 8
"""Authorities above a leaf: French chains have two or three, and a loop must end."""
MAX_AUTHORITIES: Final = 2_000


class NoPath(ValueError):
    """No path leads from the certificate to an authority of the store."""


@dataclass(frozen=True, slots=True)
class Store:
    """The authorities a service trusts, found by their name."""

    by_name: dict[bytes, list[x509.Certificate]]
    count: int

    @classmethod
    def of(cls, pem: bytes) -> Self:
        """The certificates of a PEM file, one after the other. Raises ValueError."""
        found = x509.load_pem_x509_certificates(pem)
        if len(found) > MAX_AUTHORITIES:
            raise ValueError(f"{len(found)} authorities are too many")
        by_name: dict[bytes, list[x509.Certificate]] = {}
        for one in found:
            by_name.setdefault(one.subject.public_bytes(), []).append(one)
        return cls(by_name, len(found))

    def above(self, certificate: x509.Certificate) -> list[x509.Certificate]:
        """The authorities of the store that bear the name of its issuer."""
        return self.by_name.get(certificate.issuer.public_bytes(), [])


def find_path(leaf: x509.Certificate, store: Store, *, at: datetime) -> list[x509.Certificate]:
    """The authorities from the issuer of `leaf` up to the root, all valid at `at`.

    Raises NoPath, also when the leaf is out of its dates or may not identify a client.
    """
    if not _is_valid(leaf, at):
        raise NoPath("the certificate is not valid at that time")
    if not _identifies_a_client(leaf):
        raise NoPath("the certificate may not identify a client")
    path = next(_paths([leaf], store, at), None)
    if path is None:
        raise NoPath(f"no path from {leaf.issuer.rfc4514_string()} to a root of the store")
    return path[1:]


def _paths(
    path: list[x509.Certificate], store: Store, at: datetime
) -> Iterator[list[x509.Certificate]]:
    if len(path) > LONGEST:
        return
    for authority in store.above(path[-1]):
        if authority in path or not _may_sign(authority, below=len(path) - 1, at=at):
            continue
        if not _signed(path[-1], authority):
            continue
        longer = [*path, authority]
        if authority.issuer == authority.subject and _signed(authority, authority):
            yield longer
        else:
            yield from _paths(longer, store, at)


def _may_sign(authority: x509.Certificate, *, below: int, at: datetime) -> bool:
    """Whether an authority may sign with `below` other authorities between it and the leaf."""
    try:
        extensions = authority.extensions
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    if not constraints.ca or not _is_valid(authority, at):
        return False
    if constraints.path_length is not None and below > constraints.path_length:
        return False
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return usage.key_cert_sign


def _identifies_a_client(leaf: x509.Certificate) -> bool:
    try:
        uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return (
        ExtendedKeyUsageOID.CLIENT_AUTH in uses
        or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in uses
    )


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def to_pem(certificates: list[x509.Certificate]) -> str:
    """Certificates one after the other."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)
