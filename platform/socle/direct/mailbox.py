"""A mailbox over IMAP4rev1 (RFC 3501) and TLS: looked at, taken from, never marked as read."""

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeVar

from socle.core.tls import cut_after, shut

SILENCE: Final = 30.0
"""Seconds without a byte before the mail server counts as silent."""
DEADLINE: Final = 90.0
"""Seconds one question may last: a server that drips bytes is cut off."""
CHUNK: Final = 1024 * 1024
"""Octets fetched at once: a huge mail is many short answers."""
_BATCH: Final = 500
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d+)")
_UID: Final = re.compile(rb"\bUID (\d+)")

Found = TypeVar("Found")


class MailboxUnavailable(Exception):
    """The mail server does not answer as it should. The text is a French sentence."""


class MailboxClosed(MailboxUnavailable):
    """The mail server does not let us in."""


class MailGone(Exception):
    """The message is no longer there: another reader took it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox and what opens it; without `ca` the authorities of the system are trusted."""

    host: str
    port: int
    login: str
    password: str = field(repr=False)
    mailbox: str = "INBOX"
    ca: str = ""


class Mailbox:
    """One mailbox, open within a `with` block. Every method raises MailboxUnavailable."""

    validity: int
    """UIDVALIDITY: what the numbers of the messages are worth."""

    def __init__(
        self, place: Place, *, silence: float = SILENCE, deadline: float = DEADLINE
    ) -> None:
        self.place, self._silence, self._deadline = place, silence, deadline
        self.cut = False

    def __enter__(self) -> Self:
        try:
            with _told():
                self._imap = imaplib.IMAP4_SSL(
                    self.place.host,
                    self.place.port,
                    ssl_context=_context(self.place.ca),
                    timeout=self._silence,
                )
        except _No as problem:
            raise MailboxUnavailable(f"Ce serveur ne parle pas IMAP ({problem}).") from problem
        try:
            self._log_in()
            self._select()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def uids(self) -> dict[int, int]:
        """UID → size in octets of every message not marked for deletion, oldest first."""
        found = b" ".join(filter(None, self._ask("SEARCH", "UNDELETED")))
        numbers = [int(one) for one in found.split()]
        sizes: dict[int, int] = {}
        for start in range(0, len(numbers), _BATCH):
            asked = ",".join(map(str, numbers[start : start + _BATCH]))
            for line in self._ask("FETCH", asked, "(RFC822.SIZE)"):
                sizes.update(_sized(line))
        return {uid: sizes.get(uid, 0) for uid in numbers}

    def fetch(self, uid: int, *, limit: int) -> bytes:
        """The message, raw, without marking it as read. Raises MailGone.

        One that turns out longer than `limit` octets raises MailboxUnavailable.
        """
        raw = bytearray()
        while chunk := self._chunk(uid, len(raw)):
            raw += chunk
            if len(raw) > limit:
                raise MailboxUnavailable(f"Le message {uid} pèse plus de {limit} octets.")
            if len(chunk) < CHUNK:
                break
        if not raw:
            raise MailGone(str(uid))
        return bytes(raw)

    def remove(self, uid: int) -> None:
        """Delete a message; where the server cannot delete one alone, mark it as deleted."""
        self._ask("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)")
        if b"UIDPLUS" in self._offers:  # RFC 4315: EXPUNGE would take what is others'
            self._ask("EXPUNGE", str(uid))

    def cut_off(self) -> None:
        """End the conversation from another thread."""
        self.cut = True
        shut(self._imap.sock)

    def _log_in(self) -> None:
        """By AUTHENTICATE PLAIN when offered, which takes every character (RFC 4616)."""
        place = self.place
        secret = f"\0{place.login}\0{place.password}".encode()
        try:
            with _told(), cut_after(self._deadline, self):
                if "AUTH=PLAIN" in self._imap.capabilities:
                    _plainly(self._imap, secret)
                else:
                    self._imap.login(place.login, place.password)
        except _No as refusal:
            raise MailboxClosed(
                "Le serveur de courriel n’accepte pas l’identifiant ou le mot de passe de la "
                "boîte : enregistrez-les de nouveau."
            ) from refusal

    def _select(self) -> None:
        name = self.place.mailbox.replace("\\", r"\\").replace('"', r"\"")
        try:
            with _told(), cut_after(self._deadline, self):
                status = self._open(f'"{name}"')
                _, said = self._imap.response("UIDVALIDITY")
                _, offered = self._imap.capability()  # said anew: more is offered once inside
        except _No as refusal:
            status, said, offered = "NO", [str(refusal).encode()], []
        if status != "OK":
            raise MailboxClosed(
                f"Le dossier « {self.place.mailbox} » de la boîte ne s’ouvre pas : vérifiez son "
                "nom."
            )
        if not said or not said[0]:
            raise MailboxUnavailable("Le serveur de courriel ne numérote pas ses messages.")
        self.validity = int(said[0])
        self._offers = b" ".join(filter(None, offered or [])).upper().split()

    def _open(self, name: str) -> str:
        """SELECT. A mailbox we may only read is read: imaplib would call it a lost conversation."""
        try:
            status, _ = self._imap.select(name)
        except imaplib.IMAP4.readonly:
            status = "OK"
        self._imap.is_readonly = True
        return status

    def _chunk(self, uid: int, offset: int) -> bytes:
        """Up to CHUNK octets from `offset` (RFC 3501 §6.4.5)."""
        answer = self._ask("FETCH", str(uid), f"(UID BODY.PEEK[]<{offset}.{CHUNK}>)")
        for part in answer:
            if isinstance(part, tuple) and b"BODY[]" in part[0] and _is_of(uid, part[0], answer):
                return bytes(part[1])
        return b""

    def _ask(self, command: str, *words: str) -> Sequence[Any]:
        try:
            with _told(), cut_after(self._deadline, self):
                status, answer = self._imap.uid(command, *words)
        except _No as refusal:
            raise MailboxUnavailable(f"Le serveur de courriel refuse : {refusal}") from refusal
        if status != "OK":
            raise MailboxUnavailable(f"Le serveur de courriel refuse la demande {command}.")
        return answer or []

    def _leave(self) -> None:
        """End without CLOSE, which would expunge what others marked."""
        with suppress(imaplib.IMAP4.error, OSError, ValueError), cut_after(5.0, self):
            self._imap.logout()
        with suppress(OSError, ValueError):  # logging out of a cut conversation closes nothing
            self._imap.shutdown()


class _No(Exception):
    """The server answered NO or BAD."""


@contextmanager
def _told() -> Iterator[None]:
    """Faults of the conversation in our words."""
    try:
        yield
    except imaplib.IMAP4.abort as problem:
        raise MailboxUnavailable(
            f"Le serveur de courriel a coupé la conversation ({problem})."
        ) from (problem)
    except imaplib.IMAP4.error as problem:
        raise _No(str(problem)) from problem
    except ssl.SSLCertVerificationError as problem:
        raise MailboxUnavailable(
            f"Le certificat du serveur de courriel n’est pas reconnu ({problem.verify_message}) : "
            "enregistrez son autorité."
        ) from problem
    except (OSError, ValueError) as problem:
        raise MailboxUnavailable(f"Le serveur de courriel ne répond pas ({problem}).") from problem


def _plainly(imap: imaplib.IMAP4, secret: bytes) -> None:
    answer: Callable[[bytes], bytes] = lambda _: secret  # noqa: E731
    imap.authenticate("PLAIN", answer)


def _context(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _sized(line: Any) -> dict[int, int]:
    text = line[0] if isinstance(line, tuple) else line
    if not isinstance(text, bytes):
        return {}
    uid, size = _UID.search(text), _SIZE.search(text)
    return {int(uid[1]): int(size[1])} if uid and size else {}


def _is_of(uid: int, head: bytes, answer: Sequence[Any]) -> bool:
    """Whether an answer is about this message: its UID may stand before or after the content."""
    after = b" ".join(part for part in answer if isinstance(part, bytes))
    named = _UID.search(head) or _UID.search(after)
    return named is None or int(named[1]) == uid
