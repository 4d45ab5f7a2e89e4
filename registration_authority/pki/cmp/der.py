"""The little DER (X.690) that CMP messages need, written and read.

`cryptography` reads certificates, names and keys; its declarative ASN.1 has no optional ANY, which
AlgorithmIdentifier and InfoTypeAndValue are made of.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
ENUMERATED: Final = 0x0A
UTF8_STRING: Final = 0x0C
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
_CONTEXT: Final = 0x80
_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_MAX_DEPTH: Final = 32


class NotDer(ValueError):
    """The bytes are not one whole DER value, or not of the kind expected."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value: its tag octet, its content, and the octets of the whole."""

    tag: int
    content: bytes
    raw: bytes
    depth: int = 0

    def children(self) -> list["Node"]:
        """The values inside. Raises NotDer."""
        if not self.tag & _CONSTRUCTED or self.depth >= _MAX_DEPTH:
            raise NotDer(f"nothing inside {self.tag:#x}")
        return list(_values(self.content, self.depth + 1))

    def only(self) -> "Node":
        """The one value inside. Raises NotDer."""
        inside = self.children()
        if len(inside) != 1:
            raise NotDer(f"{len(inside)} values instead of one")
        return inside[0]

    def expect(self, tag: int) -> "Node":
        """Itself, when its tag is `tag`. Raises NotDer."""
        if self.tag != tag:
            raise NotDer(f"{self.tag:#x} instead of {tag:#x}")
        return self

    def integer(self) -> int:
        """The value of an INTEGER. Raises NotDer."""
        return int.from_bytes(self.expect(INTEGER).content, signed=True)

    def octets(self) -> bytes:
        """The value of an OCTET STRING. Raises NotDer."""
        return self.expect(OCTET_STRING).content

    def bits(self) -> bytes:
        """The octets of a BIT STRING, its unused bits being zero. Raises NotDer."""
        content = self.expect(BIT_STRING).content
        if not content or content[0] > 7:
            raise NotDer("not a bit string")
        return content[1:]

    def text(self) -> str:
        """The value of a UTF8String. Raises NotDer."""
        try:
            return self.expect(UTF8_STRING).content.decode()
        except UnicodeDecodeError as fault:
            raise NotDer("not UTF-8") from fault

    def time(self) -> datetime:
        """The value of a GeneralizedTime in UTC to the second. Raises NotDer."""
        written = self.expect(GENERALIZED_TIME).content.decode("ascii", "replace")
        try:
            return datetime.strptime(written, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        except ValueError as fault:
            raise NotDer(f"not a time: {written!r}") from fault


def read(content: bytes) -> Node:
    """The one value that `content` is. Raises NotDer."""
    found = list(_values(content, 0))
    if len(found) != 1:
        raise NotDer(f"{len(found)} values instead of one")
    return found[0]


def context(number: int, *, constructed: bool = True) -> int:
    """The tag octet of [number]."""
    return _CONTEXT | number | (_CONSTRUCTED if constructed else 0)


def write(tag: int, *contents: bytes) -> bytes:
    """One value of this tag."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*contents: bytes) -> bytes:
    """SEQUENCE or SEQUENCE OF."""
    return write(SEQUENCE, *contents)


def explicit(number: int, content: bytes) -> bytes:
    """[number] EXPLICIT around one value."""
    return write(context(number), content)


def implicit(number: int, value: bytes) -> bytes:
    """[number] IMPLICIT: the tag of `value` replaced, constructed or not as it was."""
    return bytes((context(number, constructed=bool(value[0] & _CONSTRUCTED)),)) + value[1:]


def integer(value: int) -> bytes:
    """INTEGER."""
    return write(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return write(OCTET_STRING, value)


def bits(value: bytes) -> bytes:
    """BIT STRING of whole octets."""
    return write(BIT_STRING, b"\x00", value)


def text(value: str) -> bytes:
    """UTF8String."""
    return write(UTF8_STRING, value.encode())


def time(value: datetime) -> bytes:
    """GeneralizedTime, to the second."""
    return write(GENERALIZED_TIME, f"{value.astimezone(UTC):%Y%m%d%H%M%SZ}".encode())


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return write(OBJECT_IDENTIFIER, b"".join(map(_base128, (first * 40 + second, *rest))))


def null() -> bytes:
    """NULL."""
    return write(NULL)


def _base128(number: int) -> bytes:
    low = bytes((number & 0x7F,))
    number >>= 7
    while number:
        low = bytes((0x80 | number & 0x7F,)) + low
        number >>= 7
    return low


def _values(content: bytes, depth: int) -> Iterator[Node]:
    position = 0
    while position < len(content):
        start, size = _header(content, position)
        end = start + size
        if end > len(content):
            raise NotDer("a value is cut short")
        yield Node(content[position], content[start:end], content[position:end], depth)
        position = end


def _header(content: bytes, position: int) -> tuple[int, int]:
    """Where the content of the value at `position` starts, and how many octets it has."""
    if content[position] & _LONG_TAG == _LONG_TAG or position + 1 >= len(content):
        raise NotDer("no tag we know")
    first = content[position + 1]
    start = position + 2
    if first < 0x80:
        return start, first
    count = first & 0x7F
    written = content[start : start + count]
    size = int.from_bytes(written)
    if not 1 <= count <= 4 or len(written) != count or size < 0x80 or written[0] == 0:
        raise NotDer("a length is not in its shortest form")
    return start + count, size
