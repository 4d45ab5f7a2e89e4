"""What S²LOW answered, believed only when it has the form the question calls for.

S²LOW answers 200 to everything and redirects an API call it does not like to a web page: a client
that follows stores the login page as a PDF. Here a redirect, a web page, an empty or cut body and
a file of another kind are no answer (NotAnAnswer), `KO` is a refusal with its reason (Refused).

The declared media type proves nothing (PHP says text/html by default, even of a text): bodies are
judged by their content.
"""

import hashlib
import html
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urljoin, urlsplit

from lxml import etree

from socle.s2low.protocol import xml
from socle.s2low.protocol.outcomes import (
    AccountFault,
    Forbidden,
    NotAnAnswer,
    Refused,
    SeveralAccounts,
)

log = logging.getLogger(__name__)
Found = TypeVar("Found")
REASON_LIMIT: Final = 300
ANOMALY_LIMIT: Final = 4000
_GZIP: Final = b"\x1f\x8b"
_PAGE: Final = re.compile(
    rb"\A\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_TAG: Final = re.compile(r"<[^>]{0,200}>")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_STATUS: Final = re.compile(rb"-?[0-9]{1,4}")
_RELATED: Final = re.compile(
    r"(?P<type>[0-9]{1,2})-(?P<status>-?[0-9]{1,3})-(?P<id>[1-9][0-9]{0,17})"
)
_PDF_TAIL: Final = 2048
_DOWNLOAD: Final = "/modules/actes/actes_download_file.php"
_SEVERAL_ACCOUNTS: Final = "error=multiple_accounts"
_LOGIN: Final = "/login.php"
_LOGIN_REASONS: Final = ("échec de l'authentification", "échec de l’authentification")
_RIGHTS_REASONS: Final = (
    "accès refusé",
    "certificat rgs",
    "certificat n'est pas rgs",
    "erreur d'initialisation du module",
    "mode « papier »",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, whole: status, Location if any, and body."""

    status: int
    body: bytes
    location: str = ""


@dataclass(frozen=True, slots=True)
class ActeState:
    """The number of a state, what came with it (AR or error), and the whole answer."""

    status: int
    content: bytes
    raw: bytes

    @property
    def reason(self) -> str:
        """The content read as words."""
        return plain(self.content, limit=ANOMALY_LIMIT)


@dataclass(frozen=True, slots=True)
class FlowState:
    """The number of a state and what S²LOW says about it."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One transaction of a list."""

    id: str
    number: str
    date: str
    type: int


@dataclass(frozen=True, slots=True)
class File:
    """One file of a transaction, as S²LOW keeps it."""

    id: str
    name: str
    posted_name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One unread message of the préfecture."""

    id: str
    type: int
    identifier: str
    last_status: int


@dataclass(frozen=True, slots=True)
class Related:
    """A message of the préfecture about one act, read or not."""

    id: str
    type: int
    status: int


@dataclass(frozen=True, slots=True)
class Retour:
    """One unread PES retour."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is at S²LOW."""

    user: str
    authority_id: str
    authority: str


# What every answer goes through


def body_of(answer: Answer) -> bytes:
    """The body of a 200 that is no web page. Raises AccountFault or NotAnAnswer."""
    if 300 <= answer.status < 400:
        raise _redirected(answer.location)
    if answer.status == 401:
        raise AccountFault("S²LOW refuse l’identifiant ou le mot de passe de ce compte.")
    if answer.status != 200:
        raise NotAnAnswer(f"réponse HTTP {answer.status}")
    if not answer.body.strip():
        raise NotAnAnswer("réponse vide")
    if _PAGE.match(answer.body):
        raise NotAnAnswer("page HTML à la place de la réponse")
    return answer.body


def _redirected(location: str) -> NotAnAnswer:
    target = urlsplit(location)
    if _SEVERAL_ACCOUNTS in target.query:
        return SeveralAccounts(
            "Plusieurs comptes S²LOW partagent ce certificat : renseignez l’identifiant et le mot "
            "de passe du compte."
        )
    if target.path.endswith(_LOGIN):
        return AccountFault("S²LOW ne reconnaît pas ce compte et renvoie à sa page de connexion.")
    return NotAnAnswer("redirection à la place de la réponse")


def plain(raw: bytes, *, limit: int = REASON_LIMIT) -> str:
    """A text of S²LOW in words: decoded, without markup, on one line, cut after `limit`.

    ISO-8859-1 unless the bytes are UTF-8: accented Latin-1 French practically never is.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return " ".join(_TAG.sub(" ", html.unescape(text)).split())[:limit]


def refusal(reason: str) -> Exception:
    """The exception a reason calls for: some are about the account, not about what was sent."""
    lowered = reason.lower()
    if any(words in lowered for words in _LOGIN_REASONS):
        return AccountFault(f"S²LOW n’ouvre pas ce compte : {reason}")
    if any(words in lowered for words in _RIGHTS_REASONS):
        return Forbidden(f"S²LOW n’autorise pas ce compte : {reason}")
    return Refused(reason or "sans motif.")


# Answers in text


def lines_of(answer: Answer) -> bytes:
    """What follows `OK` and its line end. Raises Refused on `KO`, NotAnAnswer on anything else."""
    body = body_of(answer).removeprefix(b"\xef\xbb\xbf")
    first, _, rest = body.partition(b"\n")
    match first.rstrip(b"\r"):
        case b"OK":
            return rest
        case b"KO":
            raise refusal(plain(rest))
        case _:
            raise NotAnAnswer("ni OK ni KO")


def number_in(answer: Answer) -> str:
    """The transaction number of an `OK\\n<number>` answer."""
    number = lines_of(answer).decode("ascii", "replace").strip()
    if not _NUMBER.fullmatch(number):
        raise NotAnAnswer("OK sans numéro de transaction")
    return number


def acte_state_in(answer: Answer) -> ActeState:
    """The state of an @CTES transaction; the bytes after it are given untouched."""
    status, _, content = lines_of(answer).partition(b"\n")
    if not _STATUS.fullmatch(status.strip()):
        raise NotAnAnswer("OK sans statut")
    return ActeState(int(status), content, answer.body)


def is_connected(answer: Answer) -> bool:
    """Whether test-connexion or test-rgs says OK. Raises AccountFault when it says KO."""
    body = body_of(answer)
    if body.lstrip().startswith(b"OK"):
        return True
    if body.lstrip().startswith(b"KO"):
        raise AccountFault(f"S²LOW n’accepte pas ce compte : {plain(body.lstrip()[2:])}")
    raise NotAnAnswer("ni OK ni KO")


def logins_in(answer: Answer) -> list[str]:
    """The logins behind a certificate, one a line; an account without login is an empty one."""
    body = answer.body if answer.status == 200 and not answer.body.strip() else body_of(answer)
    return body.decode("latin-1").splitlines()


# Answers in JSON


def _json(answer: Answer) -> Any:
    body = body_of(answer)
    if body.startswith((b"KO\n", b"KO\r")):
        lines_of(answer)
    try:
        return json.loads(body)
    except ValueError as fault:
        raise NotAnAnswer("ce n’est pas du JSON") from fault


def _objects(found: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise NotAnAnswer("ce n’est pas une liste")
    yield from found


def _text(item: Mapping[str, Any], key: str) -> str:
    return str(item.get(key) if item.get(key) is not None else "")


def _int(item: Mapping[str, Any], key: str) -> int:
    try:
        return int(_text(item, key))
    except ValueError as fault:
        raise NotAnAnswer(f"« {key} » n’est pas un nombre") from fault


def _id(item: Mapping[str, Any], key: str = "id") -> str:
    found = _text(item, key)
    if not _NUMBER.fullmatch(found):
        raise NotAnAnswer(f"« {key} » n’est pas un numéro")
    return found


def listed_in(answer: Answer) -> list[Listed]:
    """The transactions of a page of `list_actes`."""
    found = _json(answer)
    if not isinstance(found, dict):
        raise NotAnAnswer("ce n’est pas une liste d’actes")
    return [
        Listed(_id(item), _text(item, "number"), _text(item, "date")[:10], _int(item, "type"))
        for item in _objects(found.get("transactions"))
    ]


def files_in(answer: Answer) -> list[File]:
    """The files of a transaction: the business message first, then the act, then its annexes."""
    return [
        File(
            _id(item), _text(item, "name"), _text(item, "posted_filename"), _text(item, "mimetype")
        )
        for item in _objects(_json(answer))
    ]


def letters_in(answer: Answer) -> list[Letter]:
    """The unread messages of the préfecture; see `_readable`."""
    return _readable(_objects(_json(answer)), _letter)


def _letter(item: Mapping[str, Any]) -> Letter:
    return Letter(
        id=_id(item),
        type=_int(item, "type"),
        identifier=_text(item, "unique_id"),
        last_status=_int(item, "last_status_id"),
    )


def _readable(items: Iterable[Any], read: Callable[[Any], Found]) -> list[Found]:
    """What can be read of a list: one strange line hides no other. Raises when none can."""
    found, strange = [], None
    for item in items:
        try:
            found.append(read(item))
        except NotAnAnswer as fault:
            strange = fault
            log.warning("a line of a list of S²LOW is not readable: %s", fault)
    if strange is not None and not found:
        raise strange
    return found


def related_in(answer: Answer) -> list[Related]:
    """The messages about an act: `type-status-id` a line, where the status may be negative."""
    text = answer.body.decode("ascii", "replace")
    if not 200 <= answer.status < 300 or _PAGE.match(answer.body):
        raise NotAnAnswer("la liste des courriers de l’acte n’est pas venue")
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        read = _RELATED.fullmatch(line)
        if read is None:
            raise NotAnAnswer("la liste des courriers de l’acte est illisible")
        found.append(Related(read["id"], int(read["type"]), int(read["status"])))
    return found


def check_marked(answer: Answer) -> None:
    """Raise unless S²LOW says that a message is marked as read."""
    found = _json(answer)
    if not isinstance(found, dict) or str(found.get("result", "")).lower() != "ok":
        raise NotAnAnswer("le courrier n’a pas été marqué comme lu")


def identity_in(answer: Answer) -> Identity:
    """The account and the authority it acts for."""
    found = _json(answer)
    user, authority = (
        (found.get("user_info"), found.get("authority_info"))
        if isinstance(found, dict)
        else (None, None)
    )
    if not isinstance(user, dict) or not isinstance(authority, dict):
        raise NotAnAnswer("ni compte ni collectivité")
    return Identity(
        user=f"{_text(user, 'givenname')} {_text(user, 'name')}".strip(),
        authority_id=_id(authority),
        authority=_text(authority, "name"),
    )


# Answers in XML


def _document(answer: Answer, *roots: str) -> etree._Element:
    body = body_of(answer)
    if body.startswith((b"KO\n", b"KO\r")):
        lines_of(answer)
    try:
        root = xml.parse(body)
    except xml.UnreadableXml as fault:
        raise NotAnAnswer("ce n’est pas du XML") from fault
    if xml.root_name(root) not in roots:
        raise NotAnAnswer(f"« {xml.root_name(root)} » à la place de « {roots[0]} »")
    return root


def _check_result(root: etree._Element, *, accepted: Sequence[str] = ("OK",)) -> None:
    result = xml.text_at(root, "resultat").upper()
    if result == "KO":
        raise refusal(plain(xml.text_at(root, "message").encode()))
    if result not in accepted:
        raise NotAnAnswer("ni OK ni KO")


def import_number_in(answer: Answer) -> str:
    """The number given to an imported PES aller."""
    root = _document(answer, "import")
    _check_result(root)
    number = xml.text_at(root, "id")
    if not _NUMBER.fullmatch(number):
        raise NotAnAnswer("OK sans numéro de transaction")
    return number


def flow_state_in(answer: Answer) -> FlowState:
    """The state of a PES aller."""
    root = _document(answer, "transaction")
    _check_result(root)
    status = xml.text_at(root, "status").encode()
    if not _STATUS.fullmatch(status):
        raise NotAnAnswer("OK sans statut")
    return FlowState(int(status), plain(xml.text_at(root, "message").encode()))


def retours_in(answer: Answer) -> list[Retour]:
    """The unread PES retour; `resultat` is empty when all went well."""
    root = _document(answer, "liste")
    _check_result(root, accepted=("", "OK"))
    return _readable(root.iterfind("{*}pes_retour"), _retour)


def _retour(one: etree._Element) -> Retour:
    return Retour(_id({"id": xml.text_at(one, "id")}), xml.text_at(one, "nom"))


def check_retour_marked(answer: Answer) -> None:
    """Raise unless S²LOW says that a PES retour is marked as read."""
    _check_result(_document(answer, "transaction"))


# Files


def message_in(answer: Answer, *roots: str) -> bytes:
    """The bytes of an XML file whose root is one of `roots` (local names)."""
    _document(answer, *roots)
    return answer.body


def flow_file_in(answer: Answer) -> bytes:
    """The bytes of a file of the trésorerie, whatever its root: not a refusal, not a page."""
    body = body_of(answer)
    if body.startswith((b"KO\n", b"KO\r")):
        lines_of(answer)
    try:
        root = xml.parse(body)
    except xml.UnreadableXml as fault:
        raise NotAnAnswer("ce n’est pas du XML") from fault
    match xml.root_name(root).lower():
        case "html":
            raise NotAnAnswer("page HTML à la place du fichier")
        case "get_retour":
            _check_result(root)
            raise NotAnAnswer("le fichier manque dans la réponse")
    return body


def pdf_in(answer: Answer) -> bytes:
    """The bytes of a whole PDF."""
    body = body_of(answer)
    if body.startswith((b"KO\n", b"KO\r")):
        lines_of(answer)
    if not body.startswith(b"%PDF-"):
        raise NotAnAnswer("ce n’est pas un PDF")
    if b"%%EOF" not in body[-_PDF_TAIL:]:
        raise NotAnAnswer("PDF coupé")
    return body


def stamped_pdf_in(answer: Answer, *, original_sha256: str) -> bytes:
    """The bytes of a stamped copy. Raises NotAnAnswer when the file that was sent comes back.

    S²LOW gives the unstamped PDF under 200 when its stamping service is down.
    """
    body = pdf_in(answer)
    if hashlib.sha256(body).hexdigest() == original_sha256:
        raise NotAnAnswer("le PDF est revenu sans tampon")
    return body


def archive_in(answer: Answer) -> bytes:
    """The bytes of a tar.gz of the préfecture; whoever opens it sees whether it is whole."""
    body = body_of(answer)
    if body.startswith((b"KO\n", b"KO\r")):
        lines_of(answer)
    if not body.startswith(_GZIP):
        raise NotAnAnswer("ce n’est pas une archive")
    return body


def envelope_in(answer: Answer, *, base_url: str) -> str | None:
    """The envelope number in the redirect that S²LOW documents for a message of the préfecture.

    It is the one redirect with a meaning (§3.7). It is not followed: its address must be the
    download script of the same host, of which only the number is taken. None when the answer is
    no redirect. Raises AccountFault or NotAnAnswer for a redirect to anywhere else.
    """
    if not 300 <= answer.status < 400:
        return None
    target, base = urlsplit(urljoin(base_url, answer.location)), urlsplit(base_url)
    numbers = parse_qs(target.query).get("env", [])
    same = (target.scheme, target.netloc) == (base.scheme, base.netloc)
    if same and target.path == _DOWNLOAD and len(numbers) == 1 and _NUMBER.fullmatch(numbers[0]):
        return numbers[0]
    raise _redirected(answer.location)
