"""Certificates as people bring them: .cer, .crt, .pem, .der, .p7b, alone or with their chain."""

import re
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs7

from registration_authority.pki.keys import public_key_digest
from socle.core.refusals import Refusal

MAX_BYTES: Final = 64 * 1024  # a chain of four certificates weighs 8 KiB
MAX_CERTIFICATES: Final = 10
_BEGIN: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
# PFX ::= SEQUENCE { version INTEGER (3), … (RFC 7292 §4), its length on one to four bytes.
_PKCS12: Final = re.compile(rb"^\x30(?:[\x00-\x80]|\x81.|\x82..|\x83...)\x02\x01\x03", re.DOTALL)


class UnreadableBundle(Refusal):
    """The file holds no certificate we can read."""

    code = "ra.unreadable_certificate"


class PrivateKeyInBundle(Refusal):
    """The file holds a private key, in clear or behind a password."""

    code = "ra.private_key"


def is_pkcs12(content: bytes) -> bool:
    """Whether a file is a P12/PFX: a private key with its certificate, often under password."""
    return _PKCS12.match(content) is not None


def read_bundle(content: bytes, *, field: str = "certificate") -> list[x509.Certificate]:
    """The certificates of a file, in its order: PEM, DER or PKCS#7 in either.

    Raises PrivateKeyInBundle or UnreadableBundle; `field` is the form field at fault.
    """
    _check_file(content, field)
    try:
        found = _certificates(content)
        for one in found:
            one.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise UnreadableBundle(
            "Ce fichier ne contient pas de certificat lisible : déposez le fichier « .cer », "
            "« .pem » ou « .p7b » tel que l’autorité l’a fourni.",
            field=field,
        ) from fault
    if not 0 < len(found) <= MAX_CERTIFICATES:
        raise UnreadableBundle(
            f"Ce fichier contient {len(found)} certificats : déposez celui de la personne, avec sa "
            "chaîne tout au plus.",
            field=field,
        )
    return found


def read_chain(pem: str) -> list[x509.Certificate]:
    """The certificates of a stored chain. Raises ValueError."""
    return x509.load_pem_x509_certificates(pem.encode())


def of_key(bundle: list[x509.Certificate], public_key: str) -> x509.Certificate | None:
    """The certificate of `bundle` for the key whose digest is `public_key`, whatever its place."""
    return next((one for one in bundle if public_key_digest(one.public_key()) == public_key), None)


def leaf_of(bundle: list[x509.Certificate]) -> x509.Certificate:
    """The certificate of `bundle` that signed no other one; the first when that says nothing."""
    issuers = {one.issuer for one in bundle if one.issuer != one.subject}
    return next((one for one in bundle if one.subject not in issuers), bundle[0])


def _certificates(content: bytes) -> list[x509.Certificate]:
    labels = set(_BEGIN.findall(content))
    if b"CERTIFICATE" in labels:
        return x509.load_pem_x509_certificates(content)
    if b"PKCS7" in labels or b"CMS" in labels:
        return list(pkcs7.load_pem_pkcs7_certificates(content))
    try:
        return [x509.load_der_x509_certificate(content)]
    except ValueError:
        return list(pkcs7.load_der_pkcs7_certificates(content))


def _check_file(content: bytes, field: str) -> None:
    if len(content) > MAX_BYTES:
        raise UnreadableBundle(
            "Ce fichier est bien plus lourd qu’un certificat : déposez le fichier « .cer », "
            "« .pem » ou « .p7b » fourni par l’autorité.",
            code="ra.certificate_too_big",
            field=field,
        )
    if is_pkcs12(content) or b"PRIVATE KEY-----" in content:
        raise PrivateKeyInBundle(
            "Ce fichier contient une clé privée, qui ne doit jamais quitter la personne : "
            "supprimez-le, et déposez le certificat seul (« .cer »).",
            field=field,
        )
