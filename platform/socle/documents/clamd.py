"""A client of clamd: INSTREAM and VERSION over its own protocol (clamd(8)). Pure: no Django.

A file is sent as it is read: chunks of 1 MiB, each after its length on four bytes, big-endian, and
an empty one at the end. The answer is `stream: OK`, `stream: <signature> FOUND`, or an error.
"""

import logging
import socket
import struct
from dataclasses import dataclass
from pathlib import PurePosixPath
from time import monotonic
from typing import BinaryIO, Final, Self
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

CHUNK: Final = 1024 * 1024
CONNECT_LIMIT: Final = 5
"""Seconds to be answered at all."""
_ANSWER: Final = 4096
_PORT: Final = 3310


@dataclass(frozen=True, slots=True)
class Place:
    """Where clamd listens: the path of a Unix socket, or a host and a port."""

    path: str = ""
    host: str = ""
    port: int = _PORT

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read `unix:/run/clamav/clamd.ctl` or `tcp://antivirus:3310`; ValueError otherwise."""
        parts = urlsplit(address)
        if parts.scheme == "unix" and PurePosixPath(parts.path).is_absolute() and not parts.netloc:
            return cls(path=parts.path)
        if parts.scheme == "tcp" and parts.hostname and not parts.path.strip("/"):
            return cls(host=parts.hostname, port=parts.port or _PORT)
        raise ValueError(address)

    def connect(self, *, seconds: float = CONNECT_LIMIT) -> socket.socket:
        """A connection made within `seconds`; raises OSError."""
        if self.host:
            return socket.create_connection((self.host, self.port), timeout=seconds)
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(seconds)
        try:
            line.connect(self.path)
        except OSError:
            line.close()
            raise
        return line


def scan(stream: BinaryIO, *, place: Place, seconds: float) -> str:
    """What clamd says of the rest of `stream`, or "" when it hung up without a word.

    Raises OSError: nobody there, or no answer within `seconds`.
    """
    until = monotonic() + seconds
    with place.connect() as line:
        try:
            line.sendall(b"zINSTREAM\0")
            while chunk := stream.read(CHUNK):
                line.settimeout(_left(until))
                line.sendall(struct.pack("!I", len(chunk)) + chunk)
            line.sendall(struct.pack("!I", 0))
        except (BrokenPipeError, ConnectionResetError):
            # It said why before it hung up: the file is beyond its limit, most often.
            log.info("clamd hung up before the end of the file")
        return _answer(line, until=until)


def version(place: Place, *, seconds: float = CONNECT_LIMIT) -> str:
    """What clamd is, with the number and the date of its signatures. Raises OSError.

    It is given `seconds` to take the connection, then to answer.
    """
    with place.connect(seconds=seconds) as line:
        line.sendall(b"zVERSION\0")
        return _answer(line, until=monotonic() + seconds)


def _answer(line: socket.socket, *, until: float) -> str:
    received = b""
    while b"\0" not in received and len(received) < _ANSWER:
        line.settimeout(_left(until))
        part = line.recv(_ANSWER)
        if not part:
            break
        received += part
    return received.split(b"\0")[0].decode("utf-8", errors="replace").strip()


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError("clamd takes too long")
    return left
