"""An IMAP4rev1 server for tests, written from RFC 3501, 4315 and 4616; it shares no code with us.

One mailbox in memory, over TLS. It knows what a reader of a mailbox asks, and misbehaves when told
to: slow, cut in the middle of a literal, messages twice, UIDVALIDITY renewed, answers refused.
"""

import re
import socket
import ssl
import tempfile
import threading
import time
from base64 import b64decode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from tests.s2low.pki import Pair

COMMAND = re.compile(rb"(\S+) (UID )?([A-Z]+)(?: (.*))?", re.IGNORECASE | re.DOTALL)
PARTIAL = re.compile(rb"BODY(?:\.PEEK)?\[\](?:<(\d+)\.(\d+)>)?")


@dataclass
class Mail:
    """One message of the mailbox."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class State:
    login: str = "retours@tdt.example.fr"
    password: str = 'm\u00f4t "de" passe'
    mailbox: str = "INBOX"
    validity: int = 1_700_000_001
    next_uid: int = 1
    mails: list[Mail] = field(default_factory=list)
    capabilities: str = "IMAP4rev1 AUTH=PLAIN UIDPLUS"
    breakdown: str = ""
    seconds: float = 0.0
    logins: int = 0
    fetched: list[int] = field(default_factory=list)
    storing: int = 0
    removed: list[bytes] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)


class ImapServer:
    """Listens on a free port of localhost until closed."""

    def __init__(self, pair: Pair) -> None:
        self.state = State()
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.state = self.state
        self._server.tls = _context(pair)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def deliver(self, raw: bytes) -> int:
        """A mail arrives; its UID."""
        with self.state.lock:
            mail = Mail(self.state.next_uid, raw)
            self.state.next_uid += 1
            self.state.mails.append(mail)
            return mail.uid

    def number_anew(self) -> None:
        """The mailbox was rebuilt: another UIDVALIDITY, UIDs from 1."""
        with self.state.lock:
            self.state.validity += 1
            for uid, mail in enumerate(self.state.mails, start=1):
                mail.uid = uid
            self.state.next_uid = len(self.state.mails) + 1

    def break_down(self, how: str, seconds: float = 0.0) -> None:
        self.state.breakdown, self.state.seconds = how, seconds

    def repair(self) -> None:
        self.break_down("")


def _context(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as both:
        Path(both.name).write_bytes(pair.certificate + pair.key)
        context.load_cert_chain(both.name)
    return context


class _Server(ThreadingTCPServer):
    state: State
    tls: ssl.SSLContext
    daemon_threads = True
    allow_reuse_address = True

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(10)
        with suppress(OSError, _Cut):
            secured = self.tls.wrap_socket(request, server_side=True)
            try:
                super().finish_request(secured, client_address)
            finally:
                secured.close()


class _Cut(Exception):
    """The server hangs up."""


class _Session(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.state = self.server.state
        self.authenticated = self.selected = False
        self._say(b"* OK ready")
        while line := self.rfile.readline():
            line = line.rstrip(b"\r\n")
            found = COMMAND.fullmatch(line)
            if found is None:
                self._say(b"* BAD what?")
                continue
            tag, by_uid, name, rest = found[1], found[2], found[3].upper(), found[4] or b""
            if self.state.breakdown == "slow":
                time.sleep(self.state.seconds)
            handler = getattr(self, f"_{'uid_' if by_uid else ''}{name.decode().lower()}", None)
            if handler is None:
                self._say(tag + b" BAD unknown command")
            elif (by_uid or name == b"CLOSE") and not self.selected:
                self._say(tag + b" BAD no mailbox is selected")
            elif handler(tag, rest):
                return

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")
        self.wfile.flush()

    def _capability(self, tag: bytes, rest: bytes) -> None:
        self._say(b"* CAPABILITY " + self.state.capabilities.encode())
        self._say(tag + b" OK done")

    def _noop(self, tag: bytes, rest: bytes) -> None:
        self._say(tag + b" OK done")

    def _logout(self, tag: bytes, rest: bytes) -> bool:
        self._say(b"* BYE goodbye")
        self._say(tag + b" OK done")
        return True

    def _authenticate(self, tag: bytes, rest: bytes) -> None:
        if rest.upper() != b"PLAIN" or "AUTH=PLAIN" not in self.state.capabilities:
            self._say(tag + b" NO unknown mechanism")
            return
        self._say(b"+ ")
        _, login, password = b64decode(self.rfile.readline()).split(b"\0")
        self._enter(tag, login.decode(), password.decode())

    def _login(self, tag: bytes, rest: bytes) -> None:
        login, password = _words(rest.decode("latin-1"))
        self._enter(tag, login, password)

    def _enter(self, tag: bytes, login: str, password: str) -> None:
        self.authenticated = (login, password) == (self.state.login, self.state.password)
        self.state.logins += self.authenticated
        self._say(tag + (b" OK in" if self.authenticated else b" NO [AUTHENTICATIONFAILED] no"))

    def _select(self, tag: bytes, rest: bytes) -> None:
        if not self.authenticated or _words(rest.decode()) != [self.state.mailbox]:
            self._say(tag + b" NO no such mailbox")
            return
        self.selected = True
        with self.state.lock:
            self._say(b"* FLAGS (\\Seen \\Deleted)")
            self._say(b"* %d EXISTS" % len(self.state.mails))
            self._say(b"* 0 RECENT")
            if self.state.breakdown != "no-validity":
                self._say(b"* OK [UIDVALIDITY %d] valid" % self.state.validity)
            self._say(b"* OK [UIDNEXT %d] next" % self.state.next_uid)
        mode = b"ONLY" if self.state.breakdown == "read-only" else b"WRITE"
        self._say(tag + b" OK [READ-" + mode + b"] done")

    def _uid_search(self, tag: bytes, rest: bytes) -> None:
        if rest.upper() != b"UNDELETED":
            self._say(tag + b" BAD not that search")
            return
        with self.state.lock:
            found = [mail.uid for mail in self.state.mails if "\\Deleted" not in mail.flags]
        twice = found * 2 if self.state.breakdown == "twice" else found
        self._say(b"* SEARCH" + b"".join(b" %d" % uid for uid in twice))
        self._say(tag + b" OK done")

    def _uid_fetch(self, tag: bytes, rest: bytes) -> None:
        numbers, _, items = rest.partition(b" ")
        wanted = {int(one) for one in numbers.split(b",")}
        with self.state.lock:
            found = [
                (rank, mail)
                for rank, mail in enumerate(self.state.mails, start=1)
                if mail.uid in wanted
            ]
        for rank, mail in found:
            self._fetched(rank, mail, items)
        self._say(tag + b" OK done")

    def _fetched(self, rank: int, mail: Mail, items: bytes) -> None:
        if b"RFC822.SIZE" in items:
            size = len(mail.raw)
            if self.state.breakdown == "huge":
                size = 9_000_000_000
            self._say(b"* %d FETCH (UID %d RFC822.SIZE %d)" % (rank, mail.uid, size))
            return
        part = PARTIAL.search(items)
        assert part is not None, items
        offset, length = int(part[1] or 0), int(part[2] or len(mail.raw))
        data = mail.raw[offset : offset + length]
        if not offset:
            self.state.fetched.append(mail.uid)
        if b"PEEK" not in items:
            mail.flags.add("\\Seen")
        if self.state.breakdown == "chatter":  # an unsolicited answer in the middle (§7)
            self._say(b"* 1 FETCH (FLAGS (\\Seen))")
            self._say(b"* %d EXISTS" % (len(self.state.mails) + 1))
        head = b"* %d FETCH (UID %d BODY[]<%d> {%d}\r\n" % (rank, mail.uid, offset, len(data))
        if self.state.breakdown == "cut" or (
            self.state.breakdown == "cut-first" and mail.uid == min(self._uids())
        ):
            self.wfile.write(head + data[: len(data) // 2])
            self._hang_up()
        if self.state.breakdown == "drip":
            self.wfile.write(head)
            for octet in data:
                self.wfile.write(bytes((octet,)))
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self.wfile.write(head + data)
        self.wfile.write(b")\r\n")
        self.wfile.flush()

    def _uids(self) -> list[int]:
        return [mail.uid for mail in self.state.mails]

    def _uid_store(self, tag: bytes, rest: bytes) -> None:
        if self.state.breakdown == "read-only":
            self._say(tag + b" NO [READ-ONLY] not here")
            return
        number, _, change = rest.partition(b" ")
        if self.state.breakdown == "cut-before-store":
            self._hang_up()
        if self.state.breakdown == "slow-store":
            self.state.storing += 1
            time.sleep(self.state.seconds)
        with self.state.lock:
            for mail in self.state.mails:
                if mail.uid == int(number):
                    assert change.upper().startswith(b"+FLAGS.SILENT"), change
                    mail.flags.add("\\Deleted")
        self._say(tag + b" OK done")

    def _uid_expunge(self, tag: bytes, rest: bytes) -> None:
        if "UIDPLUS" not in self.state.capabilities:
            self._say(tag + b" BAD unknown command")
            return
        with self.state.lock:
            gone = [
                mail
                for mail in self.state.mails
                if mail.uid == int(rest) and "\\Deleted" in mail.flags
            ]
            for mail in gone:
                self._say(b"* %d EXPUNGE" % (self.state.mails.index(mail) + 1))
                self.state.mails.remove(mail)
                self.state.removed.append(mail.raw)
        self._say(tag + b" OK done")

    def _hang_up(self) -> None:
        self.wfile.flush()
        with suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
        raise _Cut


def _words(text: str) -> list[str]:
    """The astrings of a command (§4.3)."""
    return [
        re.sub(r"\\(.)", r"\1", quoted) if quoted or not plain else plain
        for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', text)
    ]
