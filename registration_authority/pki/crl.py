"""Lists of revoked certificates (RFC 5280 §5), as authorities publish them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from registration_authority.pki.certificate import load_certificate
from socle.core.refusals import Refusal

MAX_BYTES: Final = 20_000_000  # 193 000 revoked certificates weigh 5 MB
CLOCK_SKEW: Final = timedelta(minutes=10)


class UnusableList(Refusal):
    """The list of revoked certificates cannot be believed, or is out of date."""

    code = "ra.unusable_list"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A list whose signature and dates were checked. `number` only grows at an authority."""

    number: int
    this_update: datetime
    next_update: datetime
    content: bytes = field(repr=False)

    def revoked(self, serials: Iterable[str]) -> dict[str, datetime]:
        """Among `serials` (hexadecimal), those revoked and when."""
        parsed = x509.load_der_x509_crl(self.content)
        found = {}
        for serial in serials:
            entry = parsed.get_revoked_certificate_by_serial_number(int(serial, 16))
            if entry is not None:
                found[serial] = entry.revocation_date_utc
        return found


def on_list(content: bytes, serial: str) -> bool:
    """Whether `serial` (hexadecimal) is on a list that was already checked (DER)."""
    parsed = x509.load_der_x509_crl(content)
    return parsed.get_revoked_certificate_by_serial_number(int(serial, 16)) is not None


def read_list(
    content: bytes, *, authority_pem: str, at: datetime, after: int = 0
) -> RevocationList:
    """A list (DER or PEM) signed by the authority, in date at `at`, its number at least `after`.

    Raises UnusableList with what is wrong.
    """
    parsed = _load(content)
    authority = load_certificate(authority_pem)
    if parsed.issuer != authority.subject or not _is_signed(parsed, authority):
        raise _unusable("elle n’est pas signée par l’autorité")
    start, end = parsed.last_update_utc, parsed.next_update_utc
    if end is None or not start - CLOCK_SKEW <= at < end:
        until = "" if end is None else f" (prochaine le {end:%d/%m/%Y})"
        raise _unusable(f"elle n’est plus à jour, ou pas encore{until}")
    number = _number(parsed)
    if number < after:
        raise _unusable("elle est plus ancienne que la dernière reçue")
    der = parsed.public_bytes(Encoding.DER)
    return RevocationList(number, start.astimezone(UTC), end.astimezone(UTC), der)


def _load(content: bytes) -> x509.CertificateRevocationList:
    if len(content) > MAX_BYTES:
        raise _unusable("elle est trop lourde")
    load = x509.load_pem_x509_crl if content.startswith(b"-----") else x509.load_der_x509_crl
    try:
        return load(content)
    except ValueError as fault:
        raise _unusable("le fichier n’est pas une liste lisible") from fault


def _is_signed(parsed: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return parsed.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _number(parsed: x509.CertificateRevocationList) -> int:
    try:
        return parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (x509.ExtensionNotFound, ValueError):
        return 0


def _unusable(why: str) -> UnusableList:
    return UnusableList(
        f"Cette liste de révocation ne peut pas servir : {why}. Téléchargez la dernière à "
        "l’adresse publiée par l’autorité.",
        field="revocation_list",
    )
