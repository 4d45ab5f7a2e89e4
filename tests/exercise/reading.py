"""Reading what the offices return, as a stranger would."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from lxml import etree

from tests.exercise.builders import ACTES

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def mail_of(content: bytes) -> EmailMessage:
    """The mail an ACTES return is."""
    return message_from_bytes(content, policy=default)


def attachments(content: bytes) -> dict[str, bytes]:
    """File name → bytes of the files a mail carries."""
    parts = mail_of(content).iter_attachments()
    return {part.get_filename() or "": bytes(part.get_content()) for part in parts}


def only(content: bytes, root: str) -> etree._Element:
    """The one attachment of a mail whose root element has this name."""
    files = attachments(content).items()
    roots = [etree.fromstring(one) for name, one in files if name.endswith(".xml")]
    [found] = [one for one in roots if one.tag == f"{{{ACTES}}}{root}"]
    return found


def values(element: etree._Element, path: str) -> list[str | None]:
    """The `V` of the elements of an acquit at this path."""
    return [one.get("V") for one in element.findall(path)]


def schema(path: str) -> etree.XMLSchema:
    """An official schema, or a skipped test where the schemas are not at hand."""
    file = DATA / "schemas" / path
    if not file.exists():
        pytest.skip("the official schemas are not at hand")
    return etree.XMLSchema(etree.parse(file))


def sample(path: str) -> bytes:
    """A real file, or a skipped test where samples are not at hand."""
    file = DATA / "samples" / path
    if not file.exists():
        pytest.skip("the samples are not at hand")
    return file.read_bytes()
