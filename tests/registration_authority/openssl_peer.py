"""OpenSSL's own CMP server on the loopback: a peer nobody here wrote.

It answers every request with the certificate it was started with, whatever is asked.
"""

import contextlib
import http.client
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from registration_authority.pki import training_ca
from registration_authority.pki.cmp.exchange import Signer
from tests import day

OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(
    OPENSSL is None, reason="la commande openssl manque : le pair CMP indépendant ne tourne pas"
)


@dataclass(frozen=True)
class Parties:
    """An authority, the certificate that signs its answers, and the registration authority."""

    root: training_ca.Root
    responder: Signer
    counter: Signer


def parties(at: datetime | None = None) -> Parties:
    """Three parties whose certificates started yesterday."""
    start = (at or day.earliest()) - timedelta(days=1)
    root = training_ca.create_root(name="AC du dehors", at=start)
    return Parties(root, _signer(root, "Serveur CMP", start), _signer(root, "AED", start))


Change = Callable[[int, bytes, bytes], bytes | None]


@dataclass
class Peer:
    """A running server, as we reach it: what it was asked, and what happens to its answers.

    `change(rank, question, answer)` gives what comes back; None cuts the connection once the
    question went through.
    """

    url: str = ""
    asked: list[bytes] = field(default_factory=list)
    change: Change = field(default=lambda rank, question, answer: answer)


@contextlib.contextmanager
def openssl_server(folder: Path, who: Parties, pem: str, *options: str) -> Iterator[Peer]:
    """The server, answering `pem`; `options` are those of `openssl cmp`."""
    files = {
        "srv.pem": _pem(who.responder.certificate),
        "srv.key": key_pem(who.responder),
        "ca.pem": who.root.certificate_pem.encode(),
        "rsp.pem": pem.encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    port = _free_port()
    command = [
        OPENSSL or "openssl",
        *("cmp", "-config", "", "-port", str(port), "-srv_cert", "srv.pem", "-srv_key", "srv.key"),
        *("-srv_trusted", "ca.pem", "-rsp_cert", "rsp.pem", *options),
    ]
    with (folder / "openssl.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(folder / "openssl.log", server)
            with _relay(port) as peer:
                yield peer
        finally:
            server.terminate()
            server.wait(10)


@contextlib.contextmanager
def _relay(port: int) -> Iterator[Peer]:
    """Ours in front of OpenSSL's, which forgets a conversation as soon as its connection closes."""
    peer, behind = Peer(), http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def forward(question: bytes) -> bytes:
        for _ in range(2):  # OpenSSL hangs up when a conversation is over
            try:
                behind.request("POST", "/pkix/", question, {"Content-Type": "application/pkixcmp"})
                return behind.getresponse().read()
            except (OSError, http.client.HTTPException):
                behind.close()
        raise RuntimeError("OpenSSL hung up twice")

    class Relay(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            peer.asked.append(question)
            answer = peer.change(len(peer.asked), question, forward(question))
            if answer is not None:
                self.send_response(200)
                self.send_header("Content-Type", "application/pkixcmp")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Relay)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_address[1]}/pkix/"
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()
        behind.close()
        thread.join(5)


def key_pem(signer: Signer) -> bytes:
    """The key of a party, PKCS#8."""
    return signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_der(signer: Signer) -> bytes:
    """The same in DER."""
    return signer.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def pem_of(signer: Signer) -> str:
    """The certificate of a party."""
    return _pem(signer.certificate).decode()


def _signer(root: training_ca.Root, name: str, start: datetime) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    builder = x509.CertificateBuilder(
        issuer_name=root.certificate().subject,
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=start,
        not_valid_after=start + timedelta(days=365),
    )
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return Signer(builder.sign(root.key(), hashes.SHA256()), key)


def _wait_for(log: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if b"ACCEPT" in log.read_bytes():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
            raise RuntimeError(log.read_text())
    raise RuntimeError(log.read_text())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
