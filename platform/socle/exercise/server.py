"""The doors of the practice offices: a small HTTP server on real sockets.

    POST   /actes/depots/<archive name>    tar.gz bytes   -> 200 receipt: stored, nothing more
    POST   /helios/depots/<file name>      XML bytes      -> 200 receipt
    GET    /actes|helios/depots/<name>     -> 200 receipt, or 404
    GET    /retours?after=<id>&limit=<n>   -> 200 list of the returns to collect
    GET    /retours/<id>                   -> 200 bytes (a mail for ACTES, the XML for HELIOS)
    DELETE /retours/<id>                   -> 204: acknowledged, kept but no longer listed
    GET    /compteurs                      -> 200 counters of the account
    GET    /sante                          -> 200, without a token
    POST   /pannes {"mode": …}             -> 200, from this machine only

Everything but `/sante` wants `Authorization: Bearer <token>`.
"""

import ipaddress
import json
import logging
import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import parse_qs, unquote, urlsplit

from socle.core.refusals import Refusal
from socle.exercise.accounts import find_account
from socle.exercise.breakdowns import Breakdown, UnknownBreakdown
from socle.exercise.protocol.outcome import MENTION
from socle.exercise.store import Kind, OtherBytes, Receipt, Store
from socle.exercise.worker import Clerk

logger = logging.getLogger(__name__)

MAX_DEPOSIT: Final = 160 * 1024 * 1024
MAX_LISTED: Final = 500
_MAX_ORDER: Final = 1024
_NAME: Final = re.compile(r"[^/\\\x00-\x1f\x7f]{1,200}")
_MAINTENANCE: Final = b"<html><body><h1>Service en maintenance (EXERCICE)</h1></body></html>"


class StateInUse(Refusal):
    """Another server already works on this state folder."""

    code = "state-in-use"


class _Refused(Exception):
    """An HTTP refusal: status and French sentence."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One connection. `office` is set by the server that subclasses it."""

    office: ClassVar["ExerciseServer"]
    protocol_version = "HTTP/1.1"
    server_version = f"Socle-{MENTION}"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        self._dispatch()

    def do_POST(self) -> None:
        self._dispatch()

    def do_DELETE(self) -> None:
        self._dispatch()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # name set by the base class
        logger.info("%s %s", self.address_string(), format % args)

    def _dispatch(self) -> None:
        self._body_read = False
        try:
            self._route()
        except _Refused as refused:
            self._send_json({"erreur": str(refused)}, refused.status)
        except Refusal as refused:
            self._send_json({"erreur": str(refused)}, HTTPStatus.BAD_REQUEST)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _route(self) -> None:
        path = urlsplit(self.path).path
        for method, pattern, action in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                action(self, *map(unquote, found.groups()))
                return
        raise _Refused(HTTPStatus.NOT_FOUND, "Cette adresse n'existe pas.")

    # What each address does

    def _tell_health(self) -> None:
        self._send_json({"status": "ok"})

    def _tell_counters(self) -> None:
        self._send_json(self.office.store.counters(self._account()))

    def _take_deposit(self, kind: Kind, name: str) -> None:
        account = self._account()
        mode = self.office.breakdown.mode
        content = self._read_body(MAX_DEPOSIT)
        if mode == "drop-before-store":
            self._drop()
            return
        if self._break_down():
            return
        receipt = self._store(account, kind, name, content)
        if mode == "drop-after-store":
            self._drop()
            return
        if mode == "slow-answer":
            time.sleep(self.office.breakdown.seconds)
        self._send_json(asdict(receipt))

    def _store(self, account: str, kind: Kind, name: str, content: bytes) -> Receipt:
        if not _NAME.fullmatch(name):
            raise _Refused(
                HTTPStatus.BAD_REQUEST, "Le nom du dépôt est vide, trop long ou mal formé."
            )
        if not content:
            raise _Refused(HTTPStatus.BAD_REQUEST, "Le dépôt est vide.")
        try:
            return self.office.deposit(account=account, kind=kind, name=name, content=content)
        except OtherBytes as refused:
            raise _Refused(HTTPStatus.CONFLICT, str(refused)) from refused

    def _tell_deposit(self, kind: Kind, name: str) -> None:
        receipt = self.office.store.receipt(account=self._account(), kind=kind, name=name)
        if self._break_down():
            return
        if receipt is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "Aucun dépôt ne porte ce nom.")
        self._send_json(asdict(receipt))

    def _list_returns(self) -> None:
        account = self._account()
        if self._break_down():
            return
        query = parse_qs(urlsplit(self.path).query)
        after = _number(query, "after", 0)
        limit = min(_number(query, "limit", 50), MAX_LISTED)
        found = self.office.store.listed(account=account, after=after, limit=limit)
        self._send_json([asdict(one) | {"mention": MENTION} for one in found])

    def _give_return(self, number: str) -> None:
        account = self._account()
        if self._break_down():
            return
        found = self.office.store.returned(account=account, number=int(number))
        if found is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "Ce retour n'existe pas.")
        kind, content = found
        self._send(content, "message/rfc822" if kind == "actes" else "application/xml")

    def _acknowledge_return(self, number: str) -> None:
        account = self._account()
        if self._break_down():
            return
        at = self.office.clock()
        if not self.office.store.acknowledge(account=account, number=int(number), at=at):
            raise _Refused(HTTPStatus.NOT_FOUND, "Ce retour n'existe pas.")
        self._send(b"", "", HTTPStatus.NO_CONTENT)

    def _order_breakdown(self) -> None:
        self._account()
        if not ipaddress.ip_address(self.client_address[0]).is_loopback:
            raise _Refused(HTTPStatus.FORBIDDEN, "Les pannes se commandent depuis la machine même.")
        try:
            order = json.loads(self._read_body(_MAX_ORDER))
        except ValueError as error:
            raise UnknownBreakdown("La commande de panne doit être un objet JSON.") from error
        self.office.breakdown = Breakdown.read(
            order.get("mode") if isinstance(order, dict) else None
        )
        self._send_json({"mode": str(self.office.breakdown)})

    # Reading and answering

    def _account(self) -> str:
        account = find_account(self.office.accounts, self.headers.get("Authorization", ""))
        if account is None:
            raise _Refused(HTTPStatus.UNAUTHORIZED, "Le jeton manque ou n'est pas reconnu.")
        return account

    def _read_body(self, limit: int) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"\d{1,15}", length, re.ASCII):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "La longueur du dépôt doit être annoncée.")
        if int(length) > limit:
            sentence = f"Le contenu dépasse {limit} octets."
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)
        content = self.rfile.read(int(length))
        self._body_read = True
        if len(content) < int(length):
            raise ConnectionError("the sender left before the end of its body")
        return content

    def _break_down(self) -> bool:
        """Act out the breakdown in force; True when the request has been dealt with."""
        breakdown = self.office.breakdown
        if breakdown.mode == "500":
            raise _Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Panne commandée pour l'exercice.")
        if breakdown.mode == "html-200":
            self._send(_MAINTENANCE, "text/html; charset=utf-8")
            return True
        if breakdown.mode == "slow":
            time.sleep(breakdown.seconds)
        return False

    def _drop(self) -> None:
        """Close without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send_json(self, answer: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        marked = {"mention": MENTION} | answer if isinstance(answer, dict) else answer
        content = json.dumps(marked, ensure_ascii=False).encode()
        self._send(content, "application/json", status)

    def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        unread = not self._body_read and (
            self.command == "POST" or "Content-Length" in self.headers
        )
        self.send_response(status)
        self.send_header("X-Socle-Exercice", MENTION)
        if kind:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        if unread:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        if unread:
            self._linger()

    def _linger(self) -> None:
        """Swallow for two seconds the unwanted body: closing at once would destroy our answer."""
        self.close_connection = True
        end = time.monotonic() + 2
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(0.5)
            while time.monotonic() < end and self.rfile.read1(65536):
                pass


def _number(query: Mapping[str, list[str]], name: str, default: int) -> int:
    given = query.get(name, [str(default)])[0]
    if not re.fullmatch(r"\d{1,15}", given, re.ASCII):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"Le paramètre {name} doit être un nombre entier.")
    return int(given)


_DEPOSITS: Final = r"/(actes|helios)/depots/([^/]+)"
_RETURN: Final = r"/retours/([0-9]{1,15})"
_ROUTES: Final[tuple[tuple[str, str, Callable[..., None]], ...]] = (
    ("GET", r"/sante", _Handler._tell_health),
    ("GET", r"/compteurs", _Handler._tell_counters),
    ("POST", _DEPOSITS, _Handler._take_deposit),
    ("GET", _DEPOSITS, _Handler._tell_deposit),
    ("GET", r"/retours", _Handler._list_returns),
    ("GET", _RETURN, _Handler._give_return),
    ("DELETE", _RETURN, _Handler._acknowledge_return),
    ("POST", r"/pannes", _Handler._order_breakdown),
)


class _HttpServer(ThreadingHTTPServer):
    request_queue_size = 64

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        logger.warning("A request from %s broke off.", client_address, exc_info=True)


def _now() -> datetime:
    return datetime.now(UTC)


class ExerciseServer:
    """Both offices on one address. Listens from `start` to `close`, or within a `with` block.

    `state` is a folder of its own; `accounts` maps each token to an account, whose deposits and
    returns are apart; `delay` is the time in seconds from a deposit to its answer; port 0 takes a
    free one. Raises `StateInUse` when another server works on the same folder, `OSError` when the
    port is taken.
    """

    def __init__(
        self,
        *,
        state: Path,
        accounts: Mapping[str, str],
        host: str = "127.0.0.1",
        port: int = 0,
        delay: float = 2.0,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.accounts = dict(accounts)
        self.breakdown = Breakdown()
        self.clock = clock
        self._delay = timedelta(seconds=delay)
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _lock(state / "exercise.lock")
        self.store = Store(state / "exercise.sqlite3")
        try:
            self._http = _HttpServer((host, port), type("Handler", (_Handler,), {"office": self}))
        except BaseException:
            self.store.close()
            self._lock.close()
            raise
        self._clerk = Clerk(self.store, clock)
        self._listener = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="exercise-listener",
            daemon=True,
        )

    @property
    def url(self) -> str:
        """The base address, without a final slash."""
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def deposit(self, *, account: str, kind: Kind, name: str, content: bytes) -> Receipt:
        """Store a deposit now, to be answered after the delay."""
        at = self.clock()
        due_at = (at + self._delay).timestamp()
        return self.store.deposit(
            account=account, kind=kind, name=name, content=content, at=at, due_at=due_at
        )

    def start(self) -> None:
        """Listen and answer, in threads."""
        self._clerk.start()
        self._listener.start()

    def close(self) -> None:
        """Stop, and give back the port and the state folder."""
        if self._listener.is_alive():
            self._http.shutdown()
            self._listener.join()
            self._clerk.close()
        self._http.server_close()
        self.store.close()
        self._lock.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _lock(path: Path) -> Any:
    handle = path.open("w")
    try:
        flock(handle, LOCK_EX | LOCK_NB)
    except OSError as error:
        handle.close()
        raise StateInUse(
            f"Un autre serveur d'exercice utilise déjà le dossier {path.parent}."
        ) from error
    return handle
