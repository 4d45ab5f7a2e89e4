"""A mail server that refuses whom it is told to refuse."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Session(socketserver.StreamRequestHandler):
    server: "SmtpServer"

    def handle(self) -> None:
        """One conversation; enough of RFC 5321 for `smtplib`."""
        self._say("220 here")
        recipient = ""
        for line in self.rfile:
            command = line[:4].upper()
            if command == b"RCPT":
                recipient = line.decode()
                refused = any(one in recipient for one in self.server.refused)
                self._say("550 5.1.1 no such user" if refused else "250 ok")
            elif command == b"DATA":
                if any(one in recipient for one in self.server.hung_up):
                    return
                self._say("354 go on")
                self.server.taken.append(self._data())
                self._say("250 taken")
            elif command == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _data(self) -> str:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines).decode()

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class SmtpServer(socketserver.ThreadingTCPServer):
    """What it took, and the addresses it refuses or hangs up on."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.taken: list[str] = []
        self.refused: set[str] = set()
        self.hung_up: set[str] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


@contextmanager
def serving(settings: Any) -> Iterator[SmtpServer]:
    """A server that Django's mails go to."""
    with SmtpServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server
        server.shutdown()
