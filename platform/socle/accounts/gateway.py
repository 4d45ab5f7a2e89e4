"""The client certificate a browser presented, as the gateway in front of Socle tells it.

The gateway (nginx, ingress-nginx) asks for the certificate, checks that its authority signed it and
that the browser has its key, then passes it on in a header. Anybody can write a header: it is only
believed beside `SOCLE_PROXY_SECRET`, which the gateway adds and a browser cannot know.
"""

import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.http import HttpRequest

SECRET: Final = "HTTP_X_SOCLE_GATEWAY"  # noqa: S105 - the name of a header
VERIFIED: Final = "HTTP_SSL_CLIENT_VERIFY"
CERTIFICATE: Final = "HTTP_SSL_CLIENT_CERT"
LONGEST: Final = 16_384
"""An escaped PEM of an RSA-4096 certificate is about 4 KiB."""


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate whose key the browser proved to have, as we recognise certificates.

    `problem` is what the gateway found wrong, in its words; "" when it verified the certificate.
    """

    certificate: x509.Certificate | None
    problem: str = ""

    @property
    def issuer(self) -> str:
        """The issuer, RFC 4514."""
        return self.certificate.issuer.rfc4514_string() if self.certificate else ""

    @property
    def serial(self) -> str:
        """The serial number, lower-case hexadecimal."""
        return f"{self.certificate.serial_number:x}" if self.certificate else ""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hexadecimal."""
        return self.certificate.fingerprint(SHA256()).hex() if self.certificate else ""


def presented(request: HttpRequest) -> Presented | None:
    """What the gateway says the browser presented; None when nothing, or not said by it."""
    secret = settings.PROXY_SECRET
    given = request.META.get(SECRET, "")
    if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
        return None
    verified = request.META.get(VERIFIED, "")
    if verified.startswith("FAILED"):
        return Presented(None, verified.partition(":")[2].strip() or "refused")
    if verified != "SUCCESS":
        return None
    certificate = _read(request.META.get(CERTIFICATE, ""))
    return Presented(certificate) if certificate else Presented(None, "unreadable")


def _read(escaped: str) -> x509.Certificate | None:
    if not escaped or len(escaped) > LONGEST:
        return None
    try:
        return x509.load_pem_x509_certificate(unquote_to_bytes(escaped))
    except (ValueError, UnsupportedAlgorithm):
        return None
