"""ACTES XML (v1.1-20040216): safe reading of what comes in, ISO-8859-1 for what goes out."""

from typing import Final, TypeAlias

from lxml import etree

from socle.core.refusals import Refusal
from socle.exercise.protocol.outcome import MENTION

ACTES: Final = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
INSEE: Final = "http://xml.insee.fr/schema"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
NAMESPACES: Final = {"actes": ACTES, "insee": INSEE, "xsi": XSI}

Element: TypeAlias = etree._Element


class UnreadableXml(Refusal):
    """The bytes are not XML that an office accepts to open."""

    code = "unreadable-xml"


def parse(content: bytes, *, name: str) -> Element:
    """The root of an XML file, with neither DTD, entity nor network. Raises `UnreadableXml`."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableXml(f"Le fichier {name} n'est pas un document XML bien formé.") from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableXml(f"Le fichier {name} contient une DTD, ce qui est interdit.")
    return root


def actes(name: str) -> str:
    """The qualified name of an element or attribute of the norm (both are qualified)."""
    return f"{{{ACTES}}}{name}"


def shape(parent: Element) -> str:
    """The names of the children in order, spaced; a foreign child keeps its namespace."""
    prefix = actes("")
    return " ".join(str(child.tag).removeprefix(prefix) for child in parent)


def find(parent: Element, *names: str) -> Element | None:
    """The first element at this path of element names, or None."""
    return parent.find("/".join(actes(name) for name in names))


def text(parent: Element, *names: str) -> str:
    """The text at this path, without outer blanks; empty when there is none."""
    found = find(parent, *names)
    return (found.text or "").strip() if found is not None else ""


def attribute(element: Element | None, name: str, namespace: str = ACTES) -> str:
    """The value of a qualified attribute; empty when it or its element is absent."""
    return "" if element is None else element.get(f"{{{namespace}}}{name}", "")


def new_root(name: str, **attributes: str) -> Element:
    """A root element of the norm, with the usual prefixes and its schema hint."""
    root = etree.Element(actes(name), nsmap=NAMESPACES)
    root.set(f"{{{XSI}}}schemaLocation", f"{ACTES} actesv1_1.xsd")
    for key, value in attributes.items():
        root.set(actes(key), value)
    return root


def add(parent: Element, name: str, content: str | None = None, **attributes: str) -> Element:
    """Append a child of the norm, with its text and its qualified attributes."""
    child = etree.SubElement(parent, actes(name))
    child.text = content
    for key, value in attributes.items():
        child.set(actes(key), value)
    return child


def echo(parent: Element, name: str, source: Element) -> None:
    """Append a copy of `source` under another name, with our prefixes whatever the sender's."""
    copy = etree.SubElement(parent, actes(name), dict(source.attrib))
    _copy_children(copy, source)


def _copy_children(target: Element, source: Element) -> None:
    for child in source:
        copy = etree.SubElement(target, child.tag, dict(child.attrib))
        if child.text and child.text.strip():
            copy.text = child.text
        _copy_children(copy, child)


def serialise(root: Element) -> bytes:
    """The document in ISO-8859-1, opened by a comment that says it is an exercise."""
    root.addprevious(etree.Comment(f" {MENTION} - sans valeur juridique "))
    etree.indent(root, "  ")
    body: bytes = etree.tostring(root.getroottree(), encoding="ISO-8859-1", xml_declaration=False)
    return b'<?xml version="1.0" encoding="ISO-8859-1"?>\n' + body + b"\n"
