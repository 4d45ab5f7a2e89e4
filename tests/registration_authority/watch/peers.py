"""OpenSSL's own OCSP responder, and a server of lists: peers nobody here wrote."""

import contextlib
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

from tests import day

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(
    OPENSSL is None, reason="la commande openssl manque : son répondeur OCSP ne tourne pas"
)
NOW = day.of_system().replace(microsecond=0)


@dataclass(frozen=True)
class Signed:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signed(
    name: str,
    by: Signed | None = None,
    *extensions: x509.ExtensionType,
    start: datetime = NOW - timedelta(days=2),
    days: int = 900,
    serial: int | None = None,
    units: tuple[str, ...] = (),
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None,
) -> Signed:
    """A certificate of `by`, or an authority of its own."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COUNTRY_NAME, "FR")]
    attributes += [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    for one in extensions:
        builder = builder.add_extension(one, critical=False)
    return Signed(builder.sign(by.key if by else key, hashes.SHA256()), key)


def named(ocsp: str = "", crl: str = "") -> list[x509.ExtensionType]:
    """The extensions that name a responder and a list."""
    found: list[x509.ExtensionType] = []
    if ocsp:
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp)
        )
        found.append(x509.AuthorityInformationAccess([access]))
    if crl:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
        found.append(x509.CRLDistributionPoints([point]))
    return found


def responder_certificate(by: Signed, *, with_rsa: bool = False) -> Signed:
    """A certificate that may only answer."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    key = rsa.generate_private_key(65537, 2048) if with_rsa else None
    return signed("Répondeur", by, usage, key=key)


def crl(by: Signed, *serials: int, at: datetime = NOW, number: int = 1, days: int = 7) -> bytes:
    """A list of the authority."""
    builder = x509.CertificateRevocationListBuilder(
        by.certificate.subject, at, at + timedelta(days=days)
    ).add_extension(x509.CRLNumber(number), critical=False)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder(serial, at - timedelta(hours=1)).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def openssl_ocsp(
    folder: Path,
    port: int,
    authority: Signed,
    signer: Signed,
    lines: dict[int, str],
    *options: str,
) -> Iterator[None]:
    """`openssl ocsp` on `port`, whose register says V (valid) or R (revoked) of each serial."""
    end = f"{NOW + timedelta(days=900):%y%m%d%H%M%SZ}"
    revoked = f"{NOW - timedelta(hours=3):%y%m%d%H%M%SZ},keyCompromise"
    register = "".join(
        f"{flag}\t{end}\t{revoked if flag == 'R' else ''}\t{_hex(serial)}\tunknown\t/CN=x\n"
        for serial, flag in lines.items()
    )
    for name, content in {
        "index.txt": register.encode(),
        "ca.pem": authority.pem.encode(),
        "signer.pem": signer.pem.encode(),
        "signer.key": signer.key_pem,
    }.items():
        (folder / name).write_bytes(content)
    command = [
        OPENSSL or "openssl",
        *("ocsp", "-port", str(port), "-index", "index.txt", "-CA", "ca.pem"),
        *("-rsigner", "signer.pem", "-rkey", "signer.key", "-ndays", "2", *options),
    ]
    with (folder / "ocsp.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(folder / "ocsp.log", server)
            yield
        finally:
            server.terminate()
            server.wait(10)


def _hex(serial: int) -> str:
    text = f"{serial:X}"
    return text if len(text) % 2 == 0 else f"0{text}"


def _wait_for(log: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert server.poll() is None, log.read_text()
        if b"waiting for OCSP client connections" in log.read_bytes():
            return
        time.sleep(0.02)
    raise AssertionError("openssl ocsp does not answer")


@dataclass
class Lists:
    """A web server that gives one content, whatever is asked."""

    url: str = ""
    content: bytes = b""
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def list_server() -> Iterator[Lists]:
    """A server of lists."""
    lists = Lists()

    class Serve(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lists.asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/pkix-crl")
            self.send_header("Content-Length", str(len(lists.content)))
            self.end_headers()
            self.wfile.write(lists.content)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Serve)
    lists.url = f"http://127.0.0.1:{server.server_port}/liste.crl"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield lists
    finally:
        server.shutdown()
        server.server_close()
