"""The ministry's server for tests, from the description of its transport and nothing else.

HTTPS that wants a client certificate; one archive per form; 200 means taken. It misbehaves when
told to, and counts what it took.
"""

import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler

from tests.s2low.mutual import MutualServer
from tests.s2low.pki import Pair


@dataclass
class Taken:
    """One archive."""

    name: str
    content: bytes
    path: str
    authorization: str


@dataclass
class State:
    taken: list[Taken] = field(default_factory=list)
    calls: int = 0
    breakdown: str = ""
    seconds: float = 0.0


class MinistryServer:
    """Listens on a free port of localhost until closed."""

    def __init__(
        self, pair: Pair, client_ca: str, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ) -> None:
        self.state = State()
        self._http = _Http(_Handler, pair, client_ca, newest)
        self._http.state = self.state
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self._http.server_address[1]}/actes/depot"

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.state.taken]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def break_down(self, how: str, seconds: float = 0.0) -> None:
        self.state.breakdown, self.state.seconds = how, seconds

    def repair(self) -> None:
        self.break_down("")


class _Http(MutualServer):
    state: State


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def do_POST(self) -> None:
        state = self.server.state
        state.calls += 1
        if state.breakdown == "drop-before-store":
            self._drop()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if state.breakdown.isdigit():
            self._answer(int(state.breakdown), b"<html>Erreur</html>")
            return
        if state.breakdown == "redirect":
            self.send_response(302)
            self.send_header("Location", self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._store(body)
        if state.breakdown == "drop-after-store":
            self._drop()
            return
        if state.breakdown == "slow-answer":
            time.sleep(state.seconds)
        self._answer(200, b"OK")

    def _store(self, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = message_from_bytes(head + body).get_payload()
        assert isinstance(parts, list)
        assert len(parts) == 1
        content = parts[0].get_payload(decode=True)
        assert isinstance(content, bytes)
        self.server.state.taken.append(
            Taken(
                name=parts[0].get_filename() or "",
                content=content,
                path=self.path,
                authorization=self.headers.get("Authorization", ""),
            )
        )

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def _drop(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
