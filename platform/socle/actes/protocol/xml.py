"""Reading XML that others wrote, without letting it do anything."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from lxml import etree

from socle.core.refusals import Refusal

ACTES: Final = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
INSEE: Final = "http://xml.insee.fr/schema"
NAMESPACES: Final = {"actes": ACTES, "insee": INSEE}
SIZE_LIMIT: Final = 8 * 1024 * 1024

_DECLARATION: Final = re.compile(r"\A\s*<\?xml[^>]*\?>")
_ENCODING: Final = re.compile(
    rb"""\A\s*<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']"""
)
_DOCTYPE: Final = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_DATE: Final = re.compile(r"\s*(\d{4}-\d{2}-\d{2})(?!\d)", re.ASCII)
_LEGACY: Final = frozenset(
    {"utf-8", "utf8", "iso-8859-1", "iso_8859-1", "latin1", "latin-1", "us-ascii", "ascii"}
    | {"windows-1252", "cp1252"}
)


class UnreadableXml(Refusal):
    """Not XML, or XML in an encoding nobody uses here."""

    code = "actes.unreadable_xml"


class HostileXml(Refusal):
    """A DTD, an entity, or a size no message of the norm has."""

    code = "actes.hostile_xml"


def parse(data: bytes) -> etree._Element:
    """The root element of `data`, whatever ISO/UTF-8 confusion it went through.

    No DTD, no entity, no network. Raises UnreadableXml or HostileXml.
    """
    if len(data) > SIZE_LIMIT:
        raise HostileXml("Le fichier XML reçu est trop volumineux pour être un message @CTES.")
    text = decode(data)
    if _DOCTYPE.search(text):
        raise HostileXml("Le fichier XML contient une DTD ou une entité : il n'est pas lu.")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(_DECLARATION.sub("", text, count=1).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise UnreadableXml("Le fichier n'est pas du XML bien formé.") from fault


def decode(data: bytes) -> str:
    """The text of an XML file, found from its declaration and from its bytes.

    Under an ISO-8859-1 header, bytes that are valid UTF-8 and spell Western characters only are
    UTF-8 (some operators do that). Other bytes are read as Windows-1252, of which printable
    ISO-8859-1 is a part. Raises UnreadableXml.
    """
    declared = _declared_encoding(data)
    if declared != "iso-8859-15" and declared not in _LEGACY:
        raise UnreadableXml(f"Le fichier XML est dans un encodage non prévu ({declared}).")
    single_byte = "cp1252" if declared in _LEGACY else declared
    try:
        text = data.decode("utf-8-sig")
        if not declared.startswith("utf"):
            text.encode("cp1252")
        return text
    except UnicodeError:
        return _decode_single_byte(data, single_byte)


def _declared_encoding(data: bytes) -> str:
    if b"\0" in data:
        return "utf-16"
    found = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf"))
    return found[1].decode("ascii").lower() if found else "utf-8"


def _decode_single_byte(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def local_name(element: etree._Element) -> str:
    """The element's name without namespace; empty when it is not in the norm's namespace."""
    name = etree.QName(element)
    return name.localname if name.namespace == ACTES else ""


def child(element: etree._Element | None, name: str) -> etree._Element | None:
    """The first child called `name` in the norm's namespace."""
    return None if element is None else element.find(f"{{{ACTES}}}{name}")


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """The children called `name` in the norm's namespace."""
    return iter(()) if element is None else element.iterchildren(f"{{{ACTES}}}{name}")


def text_of(element: etree._Element | None, name: str) -> str:
    """The stripped text of the first child called `name`; empty when absent."""
    found = child(element, name)
    return "" if found is None else "".join(found.itertext()).strip()


def attribute(element: etree._Element | None, name: str, namespace: str = ACTES) -> str:
    """The stripped attribute `name`, prefixed as the norm wants or not; empty when absent."""
    if element is None:
        return ""
    value = element.get(f"{{{namespace}}}{name}") or element.get(name) or ""
    return str(value).strip()


def read_date(text: str) -> date | None:
    """An `xsd:date` (any time or zone after it is dropped), or None when it is not one."""
    found = _DATE.match(text)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def read_int(text: str) -> int | None:
    """A non-negative decimal number of at most nine digits, or None."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
