"""The only door to the servers of an authority: short, bounded, and it follows nothing."""

import http.client
import ssl
import time
from typing import Final
from urllib.parse import urlsplit

from registration_authority.adapters import AuthorityUnavailable

TIMEOUT: Final = 15.0  # seconds without a byte
DEADLINE: Final = 60.0  # seconds in all
CHUNK: Final = 64 * 1024


class NothingSent(AuthorityUnavailable):
    """No connection was made: the authority cannot have heard the question."""


def ask(
    url: str,
    *,
    limit: int,
    body: bytes | None = None,
    content_type: str = "",
    expected: str = "",
) -> bytes:
    """The body of the answer of `url`, `limit` bytes at most; POST when there is a `body`.

    `expected` is the media type the answer must have. Redirections are not followed. Raises
    NothingSent before a connection, AuthorityUnavailable after it.
    """
    connection = _connect(url)
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Content-Type": content_type} if content_type else {}
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        _check_head(answer, expected)
        return _read(answer, limit)
    except (OSError, ValueError, http.client.HTTPException) as fault:
        raise AuthorityUnavailable(f"{parts.hostname}: {fault}") from fault
    finally:
        connection.close()


def _connect(url: str) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as fault:
        raise NothingSent(f"no address: « {url} »") from fault
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)
    elif parts.scheme == "http":
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    else:
        raise NothingSent(f"no way to reach « {url} »")
    try:
        connection.connect()
    except (OSError, ValueError) as fault:  # UnicodeError: a name that is none
        raise NothingSent(f"{host}: {fault}") from fault
    return connection


def _check_head(answer: http.client.HTTPResponse, expected: str) -> None:
    if answer.status != 200:
        raise AuthorityUnavailable(f"status {answer.status}")
    found = answer.headers.get_content_type()
    if expected and found != expected:
        raise AuthorityUnavailable(f"{found} instead of {expected}")


def _read(answer: http.client.HTTPResponse, limit: int) -> bytes:
    end, content = time.monotonic() + DEADLINE, bytearray()
    while chunk := answer.read1(CHUNK):
        content += chunk
        if len(content) > limit:
            raise AuthorityUnavailable(f"more than {limit} bytes")
        if time.monotonic() > end:
            raise AuthorityUnavailable(f"not finished after {DEADLINE:.0f} s")
    return bytes(content)
