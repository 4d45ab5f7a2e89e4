"""S²LOW over HTTPS: one question, one answer, nothing followed, nothing unbounded."""

import http.client
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar
from urllib.parse import urlsplit

from socle.core.tls import cut_after, load_identity, shut
from socle.s2low.protocol import answers, requests
from socle.s2low.protocol.answers import (
    ActeState,
    Answer,
    File,
    FlowState,
    Identity,
    Letter,
    Listed,
    Related,
    Retour,
)
from socle.s2low.protocol.archive import Acte, LetterReply
from socle.s2low.protocol.multipart import Upload
from socle.s2low.protocol.outcomes import AccountFault, NotAnAnswer
from socle.s2low.protocol.requests import Request

SILENCE: Final = 20.0
"""Seconds without a byte before S²LOW counts as silent."""
DEADLINE: Final = 60.0
"""Seconds a whole call may last: a server that drips bytes is cut off."""
_CERTIFICATE_ALERTS: Final = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED")
_BLOCK: Final = 64 * 1024

Found = TypeVar("Found")


class Unreachable(NotAnAnswer):
    """No conversation took place, or it broke off: network, TLS, timeout."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens an account. Certificate (chain included), key and authority are PEM.

    `ca` is the only authority the server's certificate is accepted from. The login is ASCII: one
    option of S²LOW reads it in ISO-8859-1, another in UTF-8.
    """

    base_url: str
    certificate: bytes
    key: bytes = field(repr=False)
    ca: str
    login: str = ""
    password: str = field(default="", repr=False)


class S2lowClient:
    """One account at one S²LOW.

    Every method raises Unreachable, AccountFault or NotAnAnswer when nothing is known of what
    became of the question, and Refused when S²LOW said no. All are of `protocol.outcomes`.
    """

    def __init__(
        self, credentials: Credentials, *, silence: float = SILENCE, deadline: float = DEADLINE
    ) -> None:
        self.base_url = credentials.base_url
        self._url = urlsplit(credentials.base_url)
        self._tls = tls_context(credentials)
        self._headers = {"Connection": "close", "User-Agent": "Socle", **_basic(credentials)}
        self._silence, self._deadline = silence, deadline

    def ask(self, request: Request) -> Answer:
        """Put one question; the answer is whole, whatever its status. Raises Unreachable."""
        connection = _Connection(
            self._url.hostname or "", self._url.port, timeout=self._silence, context=self._tls
        )
        try:
            with cut_after(self._deadline, connection):
                self._send(connection, request)
                return _read(connection.getresponse(), request.limit)
        except ssl.SSLError as problem:
            raise _tls_fault(problem) from problem
        except (OSError, ValueError, http.client.HTTPException) as problem:
            raise Unreachable(f"{type(problem).__name__}: {problem}") from problem
        finally:
            connection.close()

    def _send(self, connection: "_Connection", request: Request) -> None:
        path = self._url.path.rstrip("/")
        headers = dict(self._headers)
        body = None
        if request.form is not None:
            headers["Content-Type"] = request.form.content_type
            headers["Content-Length"] = str(len(request.form))
            body = iter(request.form)
        try:
            connection.request(request.method, path + request.target, body, headers)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            # It stopped listening: what it said before leaving may still be read.
            if connection.sock is None:
                raise

    def _find(self, request: Request, read: Callable[[Answer], Found]) -> Found:
        return read(self.ask(request))

    # The account

    def check(self) -> Identity:
        """Who this account is, once it is let in."""
        self._find(requests.test_connection(), answers.is_connected)
        return self._find(requests.describe_connection(), answers.identity_in)

    def check_certificate(self) -> bool:
        """True when the certificate may transmit (RGS); AccountFault says why not."""
        return self._find(requests.test_certificate(), answers.is_connected)

    def logins(self) -> list[str]:
        """The logins that share the certificate."""
        return self._find(requests.list_logins(), answers.logins_in)

    # ACTES

    def create(self, acte: Acte) -> str:
        """Hand an act over; its transaction number. A promise to look at it, never a proof."""
        return self._find(requests.create_acte(acte), answers.number_in)

    def status(self, number: str) -> ActeState:
        """The state of a transaction, with the AR or the error."""
        return self._find(requests.acte_status(number), answers.acte_state_in)

    def status_of(self, identifier: str) -> ActeState:
        """The same for an IDActe."""
        return self._find(requests.acte_status_by_identifier(identifier), answers.acte_state_in)

    def cancel(self, number: str) -> str:
        """Ask for a cancellation; the number of its own transaction."""
        return self._find(requests.cancel_acte(number), answers.number_in)

    def acknowledgement(self, number: str) -> bytes:
        """The AR of an act or of a cancellation, as the préfecture wrote it."""
        return self._find(
            requests.acknowledgement(number),
            lambda answer: answers.message_in(answer, "ARActe", "ARAnnulation"),
        )

    def bordereau(self, number: str) -> bytes:
        """The bordereau d'acquittement, a PDF."""
        return self._find(requests.bordereau(number), answers.pdf_in)

    def files(self, number: str) -> list[File]:
        """The files of a transaction: message, act, annexes."""
        return self._find(requests.list_files(number), answers.files_in)

    def stamped(
        self, file: str, *, original_sha256: str, published_on: date | None = None
    ) -> bytes:
        """The stamped copy of a PDF; NotAnAnswer when it came back unstamped."""
        return self._find(
            requests.download_file(file, stamped=True, published_on=published_on),
            lambda answer: answers.stamped_pdf_in(answer, original_sha256=original_sha256),
        )

    def listing(self, status: int, *, since: date, until: date) -> Iterator[Listed]:
        """The transactions in `status` submitted between two days, page after page."""
        offset = 0
        while page := self._find(
            requests.list_actes(status, since=since, until=until, offset=offset),
            answers.listed_in,
        ):
            yield from page
            if len(page) < requests.PAGE:
                return
            offset += len(page)

    def classification(self) -> bytes:
        """The last classification of the préfecture, byte for byte."""
        return self._find(
            requests.fetch_classification(),
            lambda answer: answers.message_in(answer, "RetourClassification"),
        )

    def request_classification(self) -> str:
        """Ask for the classification; the number of the transaction."""
        return self._find(requests.request_classification(), answers.number_in)

    def letters(self) -> list[Letter]:
        """The unread messages of the préfecture."""
        return self._find(requests.list_letters(), answers.letters_in)

    def letter(self, number: str) -> bytes:
        """The archive of a message. S²LOW says where it is; it is then asked for by its number."""
        answer = self.ask(requests.get_letter(number))
        envelope = answers.envelope_in(answer, base_url=self.base_url)
        if envelope:
            answer = self.ask(requests.download_envelope(envelope))
        return answers.archive_in(answer)

    def related(self, number: str) -> list[Related]:
        """The messages of the préfecture about an act, whether they were read or not."""
        return self._find(requests.related_letters(number), answers.related_in)

    def reply(self, letter: str, reply: LetterReply) -> str:
        """Answer a letter; the number of the answer's own transaction."""
        return self._find(requests.reply_to_letter(letter, reply), answers.number_in)

    def mark_letter_read(self, number: str) -> None:
        """Say that a message is kept."""
        self._find(requests.mark_letter_read(number), answers.check_marked)

    # HELIOS

    def import_flow(self, flow: Upload) -> str:
        """Hand a PES aller over; its transaction number."""
        return self._find(requests.import_flow(flow), answers.import_number_in)

    def flow_status(self, number: str) -> FlowState:
        """The state of a PES aller."""
        return self._find(requests.flow_status(number), answers.flow_state_in)

    def acquit(self, number: str) -> bytes:
        """The acquit of a PES aller."""
        return self._find(requests.download_acquit(number), answers.flow_file_in)

    def retours(self) -> list[Retour]:
        """The unread PES retour."""
        return self._find(requests.list_retours(), answers.retours_in)

    def retour(self, number: str) -> bytes:
        """One PES retour."""
        return self._find(requests.get_retour(number), answers.flow_file_in)

    def mark_retour_read(self, number: str) -> None:
        """Say that a PES retour is kept."""
        self._find(requests.mark_retour_read(number), answers.check_retour_marked)


def tls_context(credentials: Credentials) -> ssl.SSLContext:
    """TLS 1.2 or more, one pinned authority, the account's certificate.

    Raises AccountFault when the certificate, its key or the authority cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cadata=credentials.ca)
        load_identity(context, certificate=credentials.certificate, key=credentials.key)
    except (OSError, ValueError) as fault:
        raise AccountFault(
            "Le certificat enregistré pour ce compte S²LOW est inutilisable : enregistrez-le de "
            "nouveau."
        ) from fault
    return context


def _tls_fault(problem: ssl.SSLError) -> NotAnAnswer:
    """A refusal of our certificate is the account's affair, anything else the conversation's."""
    reason = problem.reason or ""
    if "ALERT" in reason and any(word in reason for word in _CERTIFICATE_ALERTS):
        return AccountFault(
            "S²LOW refuse le certificat de ce compte : vérifiez qu’il est en cours de validité et "
            "d’une autorité reconnue."
        )
    return Unreachable(f"TLS: {problem}")


class _Connection(http.client.HTTPSConnection):
    """HTTPS where a connection that ends without TLS saying so is a cut one."""

    def __init__(
        self, host: str, port: int | None, *, timeout: float, context: ssl.SSLContext
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._tls, self.cut = context, False

    def connect(self) -> None:
        """Open the connection, shake hands."""
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls.wrap_socket(
            self.sock, server_hostname=self.host, suppress_ragged_eofs=False
        )
        if self.cut:
            raise TimeoutError("deadline")

    def cut_off(self) -> None:
        """End the conversation from another thread; whoever waits for a byte is woken."""
        self.cut = True
        shut(self.sock)


def _basic(credentials: Credentials) -> dict[str, str]:
    if not credentials.login:
        return {}
    pair = f"{credentials.login}:{credentials.password}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _read(response: http.client.HTTPResponse, limit: int) -> Answer:
    announced = response.length  # None when the body ends with the connection, or is in chunks
    body = bytearray()
    while block := response.read(_BLOCK):
        body += block
        if len(body) > limit:
            raise Unreachable(f"réponse de plus de {limit} octets")
    if announced is not None and len(body) != announced:
        raise Unreachable("réponse coupée")
    return Answer(response.status, bytes(body), response.getheader("Location") or "")
