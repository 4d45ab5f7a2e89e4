"""The embedded training authority: a real small CA whose certificates say EXERCICE.

It exists so that a syndicat can rehearse the whole counter, from the file to the revocation,
before any real authority is involved. Its certificates are worth nothing outside.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from registration_authority.pki.certificate import load_certificate
from registration_authority.pki.names import Holder
from socle.core.refusals import Refusal

# An arc of our own, drawn from a UUID (ITU-T X.667): the policy « EXERCICE, sans valeur ».
EXERCISE_POLICY: Final = "2.25.305419896137714201577263489152098463511"
EXERCISE_UNIT: Final = "EXERCICE - sans valeur juridique"
MAX_VALIDITY: Final = timedelta(days=1095)
ROOT_VALIDITY: Final = timedelta(days=3650)
CRL_VALIDITY: Final = timedelta(days=7)


class AuthorityEndsTooSoon(Refusal):
    """The authority itself expires before the certificate it should sign."""

    code = "ra.authority_ends_too_soon"


@dataclass(frozen=True, slots=True)
class Root:
    """The authority: its certificate, and its private key in clear, which lives in memory only."""

    certificate_pem: str
    key_der: bytes = field(repr=False)

    def certificate(self) -> x509.Certificate:
        """The certificate of the authority."""
        return load_certificate(self.certificate_pem)

    def key(self) -> ec.EllipticCurvePrivateKey:
        """The private key; raises TypeError when it is not one of ours."""
        key = load_der_private_key(self.key_der, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the training authority signs with an EC key")
        return key


@dataclass(frozen=True, slots=True)
class Revoked:
    """One line of the revocation list; `reason` is an RFC 5280 name such as `keyCompromise`."""

    serial: int
    at: datetime
    reason: str


def create_root(*, name: str, at: datetime) -> Root:
    """A new authority called `name`, valid ten years from `at`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, EXERCISE_UNIT),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    start = at.replace(microsecond=0)
    builder = _builder(subject, subject, key.public_key(), new_serial())
    builder = builder.not_valid_before(start).not_valid_after(start + ROOT_VALIDITY)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    certificate = builder.sign(key, hashes.SHA256())
    return Root(
        certificate_pem=certificate.public_bytes(Encoding.PEM).decode(),
        key_der=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )


def new_serial() -> int:
    """A positive serial number with 127 random bits (RFC 5280 §4.1.2.2; CA/B asks for 64)."""
    return secrets.randbits(127) | 1 << 126


def sign(
    *,
    root: Root,
    key: CertificatePublicKeyTypes,
    holder: Holder,
    serial: int,
    at: datetime,
    validity: timedelta,
) -> str:
    """The certificate (PEM) of `holder` for `key`, from `at`, marked EXERCICE.

    Raises AuthorityEndsTooSoon; ValueError for a validity over three years.
    """
    if not timedelta(0) < validity <= MAX_VALIDITY:
        raise ValueError(f"a certificate lasts at most {MAX_VALIDITY.days} days")
    authority = root.certificate()
    start = at.replace(microsecond=0)
    if start + validity > authority.not_valid_after_utc:
        raise AuthorityEndsTooSoon(
            "L’autorité d’exercice expire le "
            f"{authority.not_valid_after_utc:%d/%m/%Y}, avant le certificat demandé : créez une "
            "nouvelle autorité d’exercice."
        )
    builder = _builder(_subject(holder), authority.subject, key, serial)
    builder = builder.not_valid_before(start).not_valid_after(start + validity)
    for extension, critical in _extensions(holder, key, authority):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(root.key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def revocation_list(*, root: Root, revoked: Iterable[Revoked], number: int, at: datetime) -> bytes:
    """The signed list (DER) of revoked certificates, good for a week; `number` only grows."""
    start = at.replace(microsecond=0)
    builder = x509.CertificateRevocationListBuilder(
        issuer_name=root.certificate().subject,
        last_update=start,
        next_update=start + CRL_VALIDITY,
    ).add_extension(x509.CRLNumber(number), critical=False)
    builder = builder.add_extension(_issued_by(root.certificate()), critical=False)
    for one in revoked:
        entry = x509.RevokedCertificateBuilder(
            serial_number=one.serial, revocation_date=one.at.replace(microsecond=0)
        ).add_extension(x509.CRLReason(x509.ReasonFlags(one.reason)), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(root.key(), hashes.SHA256()).public_bytes(Encoding.DER)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, serial: int
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=subject, issuer_name=issuer, public_key=key, serial_number=serial
    )


def _subject(holder: Holder) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, holder.organisation),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, holder.organisation_identifier),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, holder.organisation_unit),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, EXERCISE_UNIT),
            x509.NameAttribute(NameOID.GIVEN_NAME, holder.given_name),
            x509.NameAttribute(NameOID.SURNAME, holder.surname),
            x509.NameAttribute(NameOID.COMMON_NAME, holder.common_name),
        ]
    )


def _extensions(
    holder: Holder, key: CertificatePublicKeyTypes, authority: x509.Certificate
) -> list[tuple[x509.ExtensionType, bool]]:
    notice = x509.UserNotice(notice_reference=None, explicit_text=EXERCISE_UNIT)
    policy = x509.PolicyInformation(x509.ObjectIdentifier(EXERCISE_POLICY), [notice])
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectAlternativeName([x509.RFC822Name(holder.email)]), False),
        (x509.CertificatePolicies([policy]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (_issued_by(authority), False),
    ]


def _issued_by(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Which key signed: asked for in certificates and in lists (RFC 5280 §4.2.1.1, §5.2.1)."""
    key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
