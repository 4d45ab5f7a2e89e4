"""What an operator hands back, opened: a mail, an archive, or one XML file. Pure.

The bytes are foreign: `answer` opens them in a process of its own (`core.apart`).
"""

import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from typing import Any, BinaryIO, Final

from socle.actes.protocol.archive import EXPANSION_LIMIT, HostileArchive, read_archive
from socle.actes.protocol.codes import FileKind
from socle.actes.protocol.files import HEAD_SIZE, sniff
from socle.actes.protocol.read import UnknownMessage, read_message
from socle.actes.protocol.values import ReturnEnvelope
from socle.core.names import safe_name
from socle.core.plain import plain

PART_LIMIT: Final = 500
_GZIP: Final = b"\x1f\x8b"
_TAG: Final = re.compile(r"<[^>]*>")
_SEVERAL_CHANNELS: Final = re.compile(r"multi[\s-]?can(?:al|aux)", re.IGNORECASE)
_IDENTIFIER: Final = re.compile(
    r"\b[09][0-9][0-9AB]-[0-9]{9}-[0-9]{8}"
    r"-[A-Za-z0-9_](?:[A-Za-z0-9_ -]{0,13}[A-Za-z0-9_])?-[A-Z]{2}\b"
)


def answer(content: BinaryIO, out: BinaryIO, *, name: str) -> dict[str, Any]:
    """All that is in the return called `name`; the contents of its files go to `out`, end to end.

    `files` are names and sizes, `messages` what was read of each XML file, `unknown` the sentence
    of each that is no message, `reminder` see `paper_reminder`. Raises what reading raises.
    """
    raw = content.read()
    files = _safely_named(files_in(name, raw))
    messages, unknown = [], []
    for found, data in messages_of(files).items():
        try:
            messages.append((found, read_message(found, data)))
        except UnknownMessage as refusal:
            unknown.append(str(refusal))
    out.writelines(files.values())
    bare = all(isinstance(message, ReturnEnvelope) for _, message in messages)
    return {
        "files": [[found, len(data)] for found, data in files.items()],
        "messages": plain(messages),
        "unknown": unknown,
        "reminder": paper_reminder(raw) if bare else "",
    }


def _safely_named(files: Mapping[str, bytes]) -> dict[str, bytes]:
    safe: dict[str, bytes] = {}
    for rank, (name, content) in enumerate(files.items()):
        clean = safe_name(name)
        safe[clean if clean not in safe else safe_name(f"{rank}-{clean}")] = content
    return safe


def files_in(name: str, raw: bytes) -> dict[str, bytes]:
    """Name → content of every file of the return called `name`.

    `raw` is an RFC 822 message with attachments, a flat tar.gz, or a bare XML file. Attachments are
    found however deep they lie; an archive attached to a mail is opened too. Raises HostileArchive
    or UnreadableArchive.
    """
    if raw.startswith(_GZIP):
        return read_archive(raw)
    if sniff(raw[:HEAD_SIZE]) is FileKind.XML:
        return {name: raw}
    return _attachments(raw)


def messages_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The XML files among `files`, which are what a machine may act on."""
    return {
        found: content
        for found, content in files.items()
        if sniff(content[:HEAD_SIZE]) is FileKind.XML
    }


def named(files: Mapping[str, bytes], name: str) -> bytes:
    """The content of the file called `name`, whatever the capitals; empty when it did not come."""
    wanted = safe_name(name).casefold()
    return files.get(name) or next(
        (content for found, content in files.items() if found.casefold() == wanted), b""
    )


def paper_reminder(raw: bytes) -> str:
    """The `IDActe` a mail without XML names when it reminds of pieces sent on paper; else empty.

    The ministry sends it, with its logo and no message, for an act that announced such pieces.
    """
    mail = message_from_bytes(raw)
    text = " ".join(_words(part) for part in mail.walk() if part.get_content_maintype() == "text")
    found = _IDENTIFIER.search(text) if _SEVERAL_CHANNELS.search(text) else None
    return found[0] if found else ""


def _words(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        text = content.decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeError):
        text = content.decode("latin-1")
    return _TAG.sub(" ", text)


def media_type(raw: bytes) -> str:
    """What a return is: an archive, one XML file, or a mail."""
    if raw.startswith(_GZIP):
        return "application/gzip"
    is_xml = sniff(raw[:HEAD_SIZE]) is FileKind.XML
    return "application/xml" if is_xml else "message/rfc822"


def _attachments(raw: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for rank, (name, content) in enumerate(_parts(message_from_bytes(raw))):
        if rank >= PART_LIMIT:
            raise HostileArchive("Le courriel contient trop de pièces jointes.")
        found = read_archive(content) if content.startswith(_GZIP) else {name: content}
        for inner, data in found.items():
            size += len(data)
            if size > EXPANSION_LIMIT:
                raise HostileArchive("Les pièces du courriel sont anormalement volumineuses.")
            files[inner if inner not in files else f"{rank}-{inner}"] = data
    return files


def _parts(mail: Message) -> Iterator[tuple[str, bytes]]:
    for part in mail.walk():
        name = _file_name(part)
        content = part.get_payload(decode=True)
        if name and isinstance(content, bytes):
            yield name, content


def _file_name(part: Message) -> str:
    """The attachment's name, RFC 2231 or RFC 2047 undone; empty for a body that is not XML."""
    try:
        written = part.get_filename() or ""
    except (LookupError, UnicodeError):  # an encoding nobody knows
        written = "sans-nom"
    if not written:
        return "message.xml" if part.get_content_subtype() == "xml" else ""
    try:
        return str(make_header(decode_header(written)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return written
