"""One archive to the ministry: HTTPS POST, our certificate, a server known by its fingerprint."""

import http.client
import ssl
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from urllib.parse import urlencode, urlsplit

from socle.core.tls import cut_after, fingerprints, load_identity, shut
from socle.direct.policies import is_pinned

SILENCE: Final = 60.0
"""Seconds without a byte before the ministry counts as silent."""
_BLOCK: Final = 64 * 1024
_ALERTS: Final = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED")


class NotLeft(Exception):
    """Nothing of the archive left: it may go again at once. The text is a French sentence."""


class Unreachable(NotLeft):
    """Nobody answers at this address."""


class CertificateRefused(NotLeft):
    """The ministry does not want our certificate, or it cannot be used."""


class WrongServer(NotLeft):
    """Whoever answers at this address is not the server we know."""


class Doubtful(Exception):
    """The archive left, wholly or in part, and no answer came."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where archives go and how. Certificate (chain included) and key are PEM."""

    url: str
    pins: Sequence[str]
    certificate: bytes
    key: bytes = field(repr=False)
    legacy_tls: bool = False
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    query: dict[str, str] = field(default_factory=dict, repr=False)


def basic(login: str, password: str) -> dict[str, str]:
    """The header of RFC 7617."""
    pair = f"{login}:{password}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def greet(target: Target, *, silence: float = SILENCE) -> None:
    """Shake hands with the server and send nothing. Raises NotLeft."""
    _open(target, silence=silence).close()


def post(
    target: Target,
    *,
    name: str,
    content: BinaryIO,
    size: int,
    starting: Callable[[], None],
    silence: float = SILENCE,
    deadline: float = 600.0,
) -> int:
    """Send one archive as a form of one file; the status of the answer. Nothing is followed.

    `starting` is called once the server is known to be ours, just before the first byte leaves.
    Raises NotLeft before, Doubtful after.
    """
    connection = _open(target, silence=silence)
    try:
        starting()
        with cut_after(deadline, connection):
            _send(connection, target, name, content, size)
            answer = connection.getresponse()
            answer.read(_BLOCK)
            return answer.status
    except ssl.SSLError as problem:
        if _is_our_certificate(problem):  # TLS 1.3 says so after the handshake: nothing was read
            raise CertificateRefused(_REFUSED) from problem
        raise Doubtful(f"{type(problem).__name__}: {problem}") from problem
    except (OSError, ValueError, http.client.HTTPException) as problem:
        raise Doubtful(f"{type(problem).__name__}: {problem}") from problem
    finally:
        connection.close()


_REFUSED: Final = (
    "Le ministère refuse le certificat de l’opérateur : vérifiez qu’il est en cours de validité et "
    "que c’est bien celui qui lui a été déclaré."
)


def _open(target: Target, *, silence: float) -> "_Connection":
    parts = urlsplit(target.url)
    connection = _Connection(
        parts.hostname or "", parts.port, timeout=silence, context=_context(target)
    )
    try:
        connection.connect()
        connection.check(target.pins)
    except WrongServer:
        connection.close()
        raise
    except ssl.SSLError as problem:
        connection.close()
        if _is_our_certificate(problem):
            raise CertificateRefused(_REFUSED) from problem
        raise Unreachable(
            f"Le serveur du ministère ne parle pas TLS avec nous ({problem})."
        ) from None
    except OSError as problem:
        connection.close()
        raise Unreachable(f"Le serveur du ministère ne répond pas ({problem}).") from problem
    return connection


def _context(target: Target) -> ssl.SSLContext:
    """Our certificate, and any server: which one it is, its fingerprint says, not an authority.

    The ministry's certificates come from authorities no system trusts. `legacy_tls` is for the one
    old server that knows nothing better: it is a choice made for this operator only.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if target.legacy_tls:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    try:
        load_identity(context, certificate=target.certificate, key=target.key)
    except (OSError, ValueError) as fault:
        raise CertificateRefused(
            "Le certificat de l’opérateur est inutilisable : enregistrez-le de nouveau."
        ) from fault
    return context


def _is_our_certificate(problem: ssl.SSLError) -> bool:
    reason = problem.reason or ""
    return "ALERT" in reason and any(word in reason for word in _ALERTS)


def _send(
    connection: "_Connection", target: Target, name: str, content: BinaryIO, size: int
) -> None:
    parts, boundary = urlsplit(target.url), uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        "Content-Type: application/gzip\r\n\r\n"
    ).encode("ascii")
    tail = f"\r\n--{boundary}--\r\n".encode()
    query = "&".join(filter(None, (parts.query, urlencode(target.query))))
    headers = {
        "Connection": "close",
        "User-Agent": "Socle",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + size + len(tail)),
        **target.headers,
    }
    path = (parts.path or "/") + (f"?{query}" if query else "")
    try:
        connection.request("POST", path, _body(head, content, tail), headers)
    except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
        # It stopped listening: what it said before leaving may still be read.
        if connection.sock is None:
            raise


def _body(head: bytes, content: BinaryIO, tail: bytes) -> Iterator[bytes]:
    yield head
    while block := content.read(_BLOCK):
        yield block
    yield tail


class _Connection(http.client.HTTPSConnection):
    """HTTPS that can be cut off from another thread and knows its server by a fingerprint."""

    cut = False
    auto_open = 0  # the connection that was checked, never another one

    def check(self, pins: Sequence[str]) -> None:
        """Refuse a server none of whose fingerprints is in `pins`. Raises WrongServer."""
        shown = fingerprints(self.sock.getpeercert(binary_form=True) or b"")
        if not is_pinned(pins, shown):
            raise WrongServer(
                f"Le serveur « {self.host} » montre un certificat inconnu (empreinte {shown[0]}) : "
                "rien n’est parti. Si le ministère a annoncé un nouveau certificat, enregistrez "
                "son empreinte après l’avoir vérifiée auprès de lui."
            )

    def cut_off(self) -> None:
        """End the conversation from another thread."""
        self.cut = True
        shut(self.sock)
