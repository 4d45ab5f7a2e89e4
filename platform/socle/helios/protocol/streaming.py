"""Reading an XML file once, in constant memory, without ever building its tree.

A target parser is used rather than `iterparse`: a PJ is one base64 text of any length, which
libxml2 refuses to hold in a tree above 10 MB unless its other guards are lifted too (`huge_tree`).
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import BinaryIO, Final, TypeVar

from lxml import etree

from socle.helios.protocol.refusals import (
    EmptyFile,
    ForbiddenDoctype,
    MalformedXml,
    NotXml,
    TooDeep,
    TooLarge,
    UndecodableBytes,
)

Source = bytes | BinaryIO
Handler = Callable[[Mapping[str, str]], None]

MAX_DEPTH: Final = 64  # a signed PES reaches about 15
MAX_DEPOSIT: Final = 128 * 1024**2  # bytes, the S²LOW upload limit
MAX_INBOUND: Final = 150 * 1024**2  # bytes, the S²LOW reception limit
RECEIVED_ENCODING: Final = "ISO-8859-1"  # what the DGFiP writes, even when it declares otherwise

_CHUNK: Final = 64 * 1024
_MAGIC: Final = (
    (b"%PDF", "un document PDF"),
    (b"PK\x03\x04", "une archive ZIP ou un document bureautique"),
    (b"\x1f\x8b", "un fichier compressé (gzip)"),
    (b"\xd0\xcf\x11\xe0", "un document bureautique"),
    (b"\xff\xd8\xff", "une image"),
    (b"\x89PNG", "une image"),
)
_HTML: Final = (b"<!doctype html", b"<html")
_BYTE_ORDER_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_ENCODING_ERRORS: Final = frozenset(
    {
        etree.ErrorTypes.ERR_INVALID_ENCODING,
        etree.ErrorTypes.ERR_INVALID_CHAR,
        etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING,
        etree.ErrorTypes.ERR_UNKNOWN_ENCODING,
        etree.ErrorTypes.I18N_CONV_FAILED,
    }
)


@dataclass(slots=True)
class _Node:
    path: str
    start: Handler | None = None
    end: Callable[[], None] | None = None
    children: dict[str, "_Node"] = field(default_factory=dict)


class PathTarget:
    """Calls what is registered for an element's path below the root, and forgets all the rest.

    Paths hold local names: elements below a PES root are in no namespace.
    """

    def __init__(self) -> None:
        self._root = _Node("")
        self._open: list[_Node | None] = []

    def on(
        self, path: str, start: Handler | None = None, end: Callable[[], None] | None = None
    ) -> None:
        """Register `start` (given the attributes) and `end` for `path`, e.g. `EnTetePES/IdPost`."""
        node = self._root
        for name in path.split("/"):
            node = node.children.setdefault(name, _Node(f"{node.path}/{name}".lstrip("/")))
        node.start, node.end = start, end

    def on_value(self, path: str, take: Callable[[str], None]) -> None:
        """Register `take` for the trimmed attribute `V` of the element at `path`."""
        self.on(path, lambda attributes: take(attributes.get("V", "").strip()))

    def open_root(self, tag: str) -> None:
        """Called first, with the root's `{namespace}name`; raises a Refusal to stop there."""

    def open_child(self, name: str) -> None:
        """Called with the local name of each child of the root."""

    def parent_path(self) -> str | None:
        """The path of the parent of the element being opened; None when it is not watched."""
        parent = self._open[-2] if len(self._open) > 1 else None
        return None if parent is None else parent.path

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        opened = self._open
        if len(opened) >= MAX_DEPTH:
            raise TooDeep
        name = local_name(tag)
        if not opened:
            self.open_root(tag)
            opened.append(self._root)
            return
        parent = opened[-1]
        node = None if parent is None else parent.children.get(name)
        opened.append(node)
        if len(opened) == 2:
            self.open_child(name)
        if node is not None and node.start is not None:
            node.start(attributes)

    def end(self, _tag: str) -> None:
        node = self._open.pop()
        if node is not None and node.end is not None:
            node.end()

    def doctype(self, *_declaration: str | None) -> None:
        raise ForbiddenDoctype

    def close(self) -> None:
        """Nothing to hand over: the reader keeps its target."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What was read: size in bytes, SHA-256 in hexadecimal, first bytes (64 KiB at most)."""

    size: int
    sha256: str
    head: bytes


def local_name(tag: str) -> str:
    """`{namespace}name` or `name` → `name`."""
    return tag[tag.rfind("}") + 1 :]


def namespace(tag: str) -> str:
    """`{namespace}name` → `namespace`, or an empty string."""
    return tag[1 : tag.rfind("}")] if tag.startswith("{") else ""


def read_into(
    target: PathTarget, source: Source, *, limit: int, encoding: str | None = None
) -> Digest:
    """Feed `source` to `target`, reading it once and never more than `limit` bytes.

    `encoding` overrides what the file declares. Raises an `UnreadableFile`, or what `target`
    raises.
    """
    parser = etree.XMLParser(
        target=target,
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    size, digest, head = 0, sha256(), b""
    try:
        for chunk in _chunks(source, limit):
            if not head:
                head = chunk
                _refuse_other_formats(head)
            size += len(chunk)
            digest.update(chunk)
            parser.feed(chunk)
        if not head:
            raise EmptyFile
        parser.close()
    except etree.XMLSyntaxError as error:
        line = error.lineno or 1
        raise (UndecodableBytes if error.code in _ENCODING_ERRORS else MalformedXml)(
            line
        ) from error
    return Digest(size, digest.hexdigest(), head)


Target = TypeVar("Target", bound=PathTarget)


def read_received(make_target: Callable[[], Target], source: Source) -> Target:
    """Read an inbound file, as ISO-8859-1 when it does not keep to the encoding it declares.

    Needs bytes or a seekable stream. Raises an `UnreadableFile`, or what the target raises.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    start = stream.tell()
    target = make_target()
    try:
        read_into(target, stream, limit=MAX_INBOUND)
    except UndecodableBytes:
        stream.seek(start)
        target = make_target()
        read_into(target, stream, limit=MAX_INBOUND, encoding=RECEIVED_ENCODING)
    return target


def _chunks(source: Source, limit: int) -> Iterator[bytes]:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    read = 0
    while chunk := stream.read(_CHUNK):
        read += len(chunk)
        if read > limit:
            raise TooLarge(limit)
        yield chunk


def _refuse_other_formats(head: bytes) -> None:
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise NotXml(what)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        raise EmptyFile
    if text[:14].lower().startswith(_HTML):
        raise NotXml("une page web")
    if not text.startswith(b"<") and not head.startswith(_BYTE_ORDER_MARKS):
        raise NotXml("d’un autre format que le XML")
