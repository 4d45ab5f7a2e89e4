"""What came back from an authority is compared with what was asked, before anybody gets it.

An authority may grant something else than what was asked (a lost accent, a neighbour's SIREN,
another key): nothing is handed over while one difference remains.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from registration_authority.pki.bundle import read_chain
from registration_authority.pki.certificate import (
    CertificateFacts,
    facts_of,
    load_certificate,
)
from registration_authority.pki.csr import Request
from registration_authority.pki.keys import WeakKey, check_key
from registration_authority.pki.names import Holder
from socle.core.refusals import Refusal

Kind = TypeVar("Kind", bound=x509.ExtensionType)
CLOCK_SKEW: Final = timedelta(minutes=10)

FIELDS: Final = (
    ("pays", NameOID.COUNTRY_NAME),
    ("organisme", NameOID.ORGANIZATION_NAME),
    ("prénom", NameOID.GIVEN_NAME),
    ("nom", NameOID.SURNAME),
    ("nom complet", NameOID.COMMON_NAME),
)


USES: Final = {
    "authentication": ("authentification",),
    "signature": ("signature",),
    "dual": ("authentification", "signature"),
}


class NotWhatWasAsked(Refusal):
    """The certificate differs from the file, or cannot be trusted."""

    code = "ra.not_what_was_asked"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the certificate must be: for whom, for which key, how long, signed by whom."""

    request: Request
    holder: Holder
    authority_pem: str
    policy: str
    validity: timedelta
    min_rsa_bits: int
    usage: Literal["authentication", "signature", "dual"] = "authentication"
    chain_pem: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as asked, in French."""

    what: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.what} : « {self.found} » au lieu de « {self.expected} »"


def check_issued(pem: str, *, expected: Expected, at: datetime) -> CertificateFacts:
    """The facts of a certificate that is exactly what was asked.

    Raises UnreadableCertificate, or NotWhatWasAsked naming every difference.
    """
    certificate = load_certificate(pem)
    found = list(differences(certificate, expected=expected, at=at))
    if found:
        raise NotWhatWasAsked(
            "Le certificat reçu de l’autorité n’est pas celui du dossier, il ne sera pas remis : "
            f"{' ; '.join(map(str, found))}. Signalez-le à l’autorité de certification."
        )
    return facts_of(certificate)


def differences(
    certificate: x509.Certificate, *, expected: Expected, at: datetime
) -> Iterator[Difference]:
    """Everything in `certificate` that is not as expected at `at`."""
    yield from _key(certificate, expected)
    yield from _chain(certificate, expected, at)
    yield from _validity(certificate, expected, at)
    yield from _subject(certificate, expected.holder)
    yield from _usages(certificate, expected)


def subject_differences(certificate: x509.Certificate, holder: Holder) -> Iterator[Difference]:
    """What `certificate` says otherwise than `holder`."""
    return _subject(certificate, holder)


def _key(certificate: x509.Certificate, expected: Expected) -> Iterator[Difference]:
    found = facts_of(certificate).public_key
    if found != expected.request.public_key:
        yield Difference("clé publique", expected.request.public_key[:12], found[:12])
    try:
        check_key(
            certificate.public_key(),
            min_rsa_bits=expected.min_rsa_bits,
            until=certificate.not_valid_after_utc,
        )
    except WeakKey as weak:
        yield Difference("solidité de la clé", "une clé solide", str(weak))


def _chain(certificate: x509.Certificate, expected: Expected, at: datetime) -> Iterator[Difference]:
    authority = load_certificate(expected.authority_pem)
    if not _signed_by(certificate, authority):
        name = authority.subject.rfc4514_string()
        yield Difference("émetteur", name, certificate.issuer.rfc4514_string())
    above = read_chain(expected.chain_pem) if expected.chain_pem else []
    for signed, signer in pairwise([authority, *above]):
        if not _signed_by(signed, signer):
            told = signed.subject.rfc4514_string()
            yield Difference("chaîne", signer.subject.rfc4514_string(), f"rompue après {told}")
    for one in (authority, *above):
        if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
            told = f"expirée ou future : {one.subject.rfc4514_string()}"
            yield Difference("autorité", "en cours de validité", told)


def _signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _validity(
    certificate: x509.Certificate, expected: Expected, at: datetime
) -> Iterator[Difference]:
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not start - CLOCK_SKEW <= at < end:
        yield Difference(
            "validité", f"en cours le {at:%d/%m/%Y}", f"{start:%d/%m/%Y}-{end:%d/%m/%Y}"
        )
    if end - start > expected.validity:
        yield Difference("durée", f"{expected.validity.days} jours", f"{(end - start).days} jours")


def _subject(certificate: x509.Certificate, holder: Holder) -> Iterator[Difference]:
    wanted = (
        "FR",
        holder.organisation,
        holder.given_name,
        holder.surname,
        holder.common_name,
    )
    for (label, oid), value in zip(FIELDS, wanted, strict=True):
        found = _values(certificate, oid)
        if found != [value]:
            yield Difference(label, value, ", ".join(found))
    units = _values(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)
    if [unit for unit in units if unit.startswith("0002 ")] != [holder.organisation_unit]:
        yield Difference("SIREN", holder.organisation_unit, ", ".join(units))
    # 26 of 96 French authorities carry it; the SIREN above is there in any case.
    identifiers = _values(certificate, NameOID.ORGANIZATION_IDENTIFIER)
    if identifiers not in ([], [holder.organisation_identifier]):
        wanted_identifier = holder.organisation_identifier
        yield Difference("identifiant de l’organisme", wanted_identifier, ", ".join(identifiers))
    emails = _emails(certificate)
    if emails != [holder.email]:
        yield Difference("adresse électronique", holder.email, ", ".join(emails))


def _usages(certificate: x509.Certificate, expected: Expected) -> Iterator[Difference]:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or _uses(usage) != USES[expected.usage]:
        found_uses = ", ".join(_uses(usage)) if usage else ""
        yield Difference("usage de la clé", ", ".join(USES[expected.usage]), found_uses)
    extended = _extension(certificate, x509.ExtendedKeyUsage) or ()
    if expected.usage != "signature" and ExtendedKeyUsageOID.CLIENT_AUTH not in extended:
        yield Difference("usage étendu", "authentification client", "absent")
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield Difference("contraintes", "un certificat de personne", "une autorité")
    policies = _extension(certificate, x509.CertificatePolicies) or ()
    found = [policy.policy_identifier.dotted_string for policy in policies]
    if expected.policy not in found:
        yield Difference("politique", expected.policy, ", ".join(found))


def _uses(usage: x509.KeyUsage) -> tuple[str, ...]:
    """What the key may sign, in the words of `USES`; ciphering a session key is nobody's worry."""
    told = {
        "authentification": usage.digital_signature,
        "signature": usage.content_commitment,
        "signature de certificats": usage.key_cert_sign,
        "signature de listes de révocation": usage.crl_sign,
    }
    return tuple(words for words, present in told.items() if present)


def _values(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]


def _emails(certificate: x509.Certificate) -> list[str]:
    names = _extension(certificate, x509.SubjectAlternativeName)
    return [] if names is None else list(names.get_values_for_type(x509.RFC822Name))


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None
