"""Certificates for both ends of a TLS connection, made once per run."""

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from tests import day

DAY = dt.timedelta(days=1)
YESTERDAY, TODAY = day.earliest() - DAY, day.latest()


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes

    @property
    def fingerprint(self) -> bytes:
        return x509.load_pem_x509_certificate(self.certificate).fingerprint(hashes.SHA1())  # noqa: S303


class Authority:
    """A certification authority of the tests."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._own = self._sign(self._name, self._key, until=TODAY + 365 * DAY, is_ca=True)
        self.pem = self._own.public_bytes(Encoding.PEM).decode()

    def server(self, host: str = "localhost") -> Pair:
        return self._issue(host, host=host)

    def client(self, name: str, *, expired: bool = False) -> Pair:
        since = YESTERDAY - 100 * DAY if expired else YESTERDAY
        return self._issue(
            name, since=since, until=since + 50 * DAY if expired else TODAY + 300 * DAY
        )

    def _issue(
        self,
        name: str,
        *,
        host: str = "",
        since: dt.datetime = YESTERDAY,
        until: dt.datetime = TODAY + 300 * DAY,
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(_name(name), key, since=since, until=until, host=host)
        return Pair(
            made.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        until: dt.datetime,
        since: dt.datetime = YESTERDAY,
        host: str = "",
        is_ca: bool = False,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )
        if host:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
