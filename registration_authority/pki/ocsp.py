"""Ask an OCSP responder about a certificate (RFC 6960), and believe only what it signed."""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    SignatureAlgorithmOID,
)

from socle.core.refusals import Refusal

REQUEST_TYPE: Final = "application/ocsp-request"
RESPONSE_TYPE: Final = "application/ocsp-response"
MAX_BYTES: Final = 64 * 1024
CLOCK_SKEW: Final = timedelta(minutes=5)
NONCE: Final = 16
LONGEST: Final = timedelta(days=10)
"""How old an answer without an end may be."""


class UnusableAnswer(Refusal):
    """The answer of the responder cannot be believed, or says nothing."""

    code = "ra.unusable_ocsp"


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its bytes, and what the answer must repeat."""

    content: bytes = field(repr=False)
    certificate: x509.Certificate
    issuer: x509.Certificate
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the responder says: revoked since when, or not."""

    revoked_at: datetime | None
    said_at: datetime


def responder_of(certificate: x509.Certificate) -> str:
    """The address of the responder a certificate names (AIA); "" when it names none."""
    return next(iter(_access(certificate, AuthorityInformationAccessOID.OCSP)), "")


def lists_of(certificate: x509.Certificate) -> list[str]:
    """The http addresses of the lists of revoked certificates a certificate names."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, ValueError):
        return []
    names = [name.value for point in points for name in point.full_name or ()]
    return [str(name) for name in names if str(name).startswith(("http://", "https://"))]


def ask(certificate: x509.Certificate, issuer: x509.Certificate) -> Question:
    """A question about `certificate`, signed by `issuer`; never the same twice (nonce)."""
    nonce = secrets.token_bytes(NONCE)
    # SHA-1 names the issuer, it protects nothing: every responder knows it (RFC 5019 §2.1.1).
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
    request = builder.add_extension(x509.OCSPNonce(nonce), critical=False).build()
    return Question(request.public_bytes(Encoding.DER), certificate, issuer, nonce)


def read(content: bytes, *, question: Question, at: datetime) -> Answer:
    """What the answer to `question` says. Raises UnusableAnswer with what is wrong.

    Believed when signed by the issuer itself, or by a responder it certified for that alone
    (RFC 6960 §4.2.2.2), about this very certificate, in date at `at`. A responder may leave the
    nonce out, never give another.
    """
    try:
        return _read(_load(content), question, at)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise _unusable("elle est mal formée ou emploie un procédé inconnu") from fault


def _read(response: ocsp.OCSPResponse, question: Question, at: datetime) -> Answer:
    if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise _unusable(f"le répondeur dit « {response.response_status.name.lower()} »")
    _check_signature(response, question.issuer, at)
    _check_nonce(response, question.nonce)
    return _about(response, question, at)


def _about(response: ocsp.OCSPResponse, question: Question, at: datetime) -> Answer:
    for one in response.responses:
        if not _is_ours(one, question):
            continue
        _check_dates(one, at)
        if one.certificate_status == ocsp.OCSPCertStatus.UNKNOWN:
            raise _unusable("le répondeur ne connaît pas ce certificat")
        revoked = one.certificate_status == ocsp.OCSPCertStatus.REVOKED
        return Answer(one.revocation_time_utc if revoked else None, one.this_update_utc)
    raise _unusable("elle parle d’un autre certificat")


def _is_ours(one: ocsp.OCSPSingleResponse, question: Question) -> bool:
    named = (question.certificate, question.issuer, one.hash_algorithm)
    asked = ocsp.OCSPRequestBuilder().add_certificate(*named).build()
    return (
        one.serial_number == asked.serial_number
        and one.issuer_key_hash == asked.issuer_key_hash
        and one.issuer_name_hash == asked.issuer_name_hash
    )


def _check_dates(one: ocsp.OCSPSingleResponse, at: datetime) -> None:
    start, end = one.this_update_utc, one.next_update_utc
    last = end if end is not None else start + LONGEST
    if not start - CLOCK_SKEW <= at <= last + CLOCK_SKEW:
        raise _unusable(f"elle n’est plus à jour, ou pas encore (du {start:%d/%m/%Y à %H:%M})")


def _check_nonce(response: ocsp.OCSPResponse, nonce: bytes) -> None:
    try:
        found = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return
    except ValueError as fault:
        raise _unusable("elle est mal formée") from fault
    if not hmac.compare_digest(found, nonce):
        raise _unusable("elle répond à une autre question")


def _check_signature(response: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> None:
    for signer in (issuer, *response.certificates):
        if not _is_signed(response, signer):
            continue
        if signer == issuer or _may_answer(signer, issuer, at):
            return
        raise _unusable("elle est signée par quelqu’un que l’autorité n’a pas chargé de répondre")
    raise _unusable("sa signature n’est pas celle de l’autorité")


def _may_answer(signer: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    try:
        signer.verify_directly_issued_by(issuer)
        usages = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    in_date = signer.not_valid_before_utc <= at <= signer.not_valid_after_utc
    return in_date and ExtendedKeyUsageOID.OCSP_SIGNING in usages


def _is_signed(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, content = signer.public_key(), response.tbs_response_bytes
    if response.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        return isinstance(key, rsa.RSAPublicKey) and any(
            _verifies(key, response.signature, content, padding.PSS(padding.MGF1(one), _ANY), one)
            for one in _PSS_DIGESTS
        )
    digest = response.signature_hash_algorithm
    if isinstance(key, rsa.RSAPublicKey) and digest is not None:
        return _verifies(key, response.signature, content, padding.PKCS1v15(), digest)
    if isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
        return _verifies(key, response.signature, content, ec.ECDSA(digest))
    return False


# `cryptography` shows the parameters of PSS for certificates only: the usual ones are tried.
_PSS_DIGESTS: Final = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
_ANY: Final = padding.PSS.AUTO


def _verifies(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, *signed: Any) -> bool:
    try:
        key.verify(*signed)
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _load(content: bytes) -> ocsp.OCSPResponse:
    if len(content) > MAX_BYTES:
        raise _unusable("elle est trop lourde")
    try:
        return ocsp.load_der_ocsp_response(content)
    except ValueError as fault:
        raise _unusable("elle est illisible") from fault


def _access(certificate: x509.Certificate, method: x509.ObjectIdentifier) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return [
        str(one.access_location.value)
        for one in found.value
        if one.access_method == method
        and str(one.access_location.value).startswith(("http://", "https://"))
    ]


def _unusable(why: str) -> UnusableAnswer:
    return UnusableAnswer(f"La réponse OCSP de l’autorité n’est pas retenue : {why}.")
