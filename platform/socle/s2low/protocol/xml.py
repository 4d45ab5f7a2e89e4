"""Reading XML that others wrote, without letting it do anything."""

import re
from datetime import date
from typing import Final

from lxml import etree

ACTES: Final = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
INSEE: Final = "http://xml.insee.fr/schema"
_DOCTYPE: Final = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_DATE: Final = re.compile(r"\s*(\d{4}-\d{2}-\d{2})(?!\d)", re.ASCII)


class UnreadableXml(Exception):
    """Not well-formed XML, or XML with a DTD."""


def parse(data: bytes) -> etree._Element:
    """The root of an XML file; no DTD, no entity, no network. Raises UnreadableXml.

    An ISO-8859-1 header over UTF-8 bytes only harms accents, and is read as declared.
    Blank lines before the declaration are passed over.
    """
    if _DOCTYPE.search(data):
        raise UnreadableXml("DTD")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise UnreadableXml(str(fault)) from fault


def root_name(root: etree._Element) -> str:
    """The local name of the root."""
    return etree.QName(root).localname


def text_at(root: etree._Element | None, *path: str) -> str:
    """The stripped text of the element reached by local names, whatever the namespace; or ""."""
    found = element_at(root, *path)
    return "" if found is None else "".join(found.itertext()).strip()


def element_at(root: etree._Element | None, *path: str) -> etree._Element | None:
    """The first element reached by local names, or None."""
    for name in path:
        root = None if root is None else root.find(f"{{*}}{name}")
    return root


def attribute(element: etree._Element | None, name: str, namespace: str = ACTES) -> str:
    """The stripped attribute, prefixed as the norm wants or not; empty when absent."""
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
