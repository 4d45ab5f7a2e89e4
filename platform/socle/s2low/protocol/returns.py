"""What the room of @CTES is given when S²LOW has no file of the préfecture to give.

S²LOW tells an anomaly in words, and hands the classification over bare. Both travel on as a flat
tar.gz that holds the raw answer of S²LOW, which is the proof, and one XML message of the norm, by
which the room above reads it like any other return. Its bytes depend on the answer only.
"""

import gzip
import io
import re
import tarfile
from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from socle.s2low.protocol import xml
from socle.s2low.protocol.outcomes import NotAnAnswer

RAW_NAME: Final = "reponse-s2low.txt"
OPERATOR_NATURE: Final = "999"
"""Nature of what S²LOW itself refuses: the State uses it for what its own codes do not name."""
_ACKNOWLEDGEMENTS: Final = {False: "ARActe", True: "ARAnnulation"}
_REPLY_RECEIPTS: Final = {"ARPieceComplementaire": "3-5", "ARReponseRejetLettreObservations": "4-5"}
_MINISTRY: Final = re.compile(r"(?P<nature>[0-9]{1,3}) - (?P<detail>.*)", re.S)
_ENVELOPE: Final = re.compile(
    r"Enveloppe rejetée par le MI \((?P<nature>[0-9]{1,3}) : (?P<detail>.*)\)", re.S
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What must be echoed of the message an anomaly answers."""

    envelope_name: str
    message_name: str
    number: str
    decided_on: date | None
    nature: int


def is_acknowledgement(raw: bytes, *, cancellation: bool) -> bool:
    """Whether `raw` is an AR of an act, or of a cancellation."""
    try:
        return xml.root_name(xml.parse(raw)) == _ACKNOWLEDGEMENTS[cancellation]
    except xml.UnreadableXml:
        return False


def check_acknowledgement(raw: bytes, *, identifier: str, cancellation: bool) -> bytes:
    """`raw`, once it acknowledges this IDActe on a real date. Raises NotAnAnswer.

    Another account's AR, or one without date, must not make an act enforceable.
    """
    if not is_acknowledgement(raw, cancellation=cancellation):
        raise NotAnAnswer("le fichier reçu n’est pas l’accusé de réception")
    root = xml.parse(raw)
    if xml.attribute(root, "IDActe") != identifier:
        raise NotAnAnswer("l’accusé de réception est celui d’un autre acte")
    if xml.read_date(xml.attribute(root, "DateReception")) is None:
        raise NotAnAnswer("l’accusé de réception ne porte pas de date de réception")
    return raw


def acknowledgement_name(identifier: str, *, cancellation: bool) -> str:
    """The name the norm gives to the AR of an act or of its cancellation."""
    return f"{identifier}-{'6-2' if cancellation else '1-2'}_0.xml"


def is_final_once_sent(message_name: str) -> bool:
    """Whether the préfecture never acknowledges this message: the answer to a courrier simple."""
    return bool(re.search(r"-2-2_\d+\.xml$", message_name))


def reply_receipt(raw: bytes, *, message_name: str) -> tuple[str, bytes]:
    """Name and bytes of the AR (3-5, 4-5) of an answer to a letter. Raises NotAnAnswer."""
    try:
        root = xml.root_name(xml.parse(raw))
    except xml.UnreadableXml as fault:
        raise NotAnAnswer("le fichier reçu n’est pas l’accusé de réception") from fault
    if root not in _REPLY_RECEIPTS:
        raise NotAnAnswer("le fichier reçu n’est pas l’accusé de réception de la réponse")
    return re.sub(r"-[34]-[34]_\d+\.xml$", f"-{_REPLY_RECEIPTS[root]}_0.xml", message_name), raw


def anomaly_archive(reason: str, raw: bytes, sent: Sent) -> bytes:
    """The archive that says that `sent` was refused. `raw` is the answer of S²LOW.

    The State's refusal of an act (« 002 - … ») becomes an AnomalieActe; anything else (the State's
    refusal of the envelope, or S²LOW's own) an AnomalieEnveloppe.
    """
    ministry = _MINISTRY.fullmatch(reason)
    if ministry and sent.decided_on:
        name = re.sub(r"1-1_\d+\.xml$", "1-3_0.xml", sent.message_name)
        root = _acte_anomaly(ministry["nature"], ministry["detail"], sent)
    else:
        envelope = _ENVELOPE.fullmatch(reason) or ministry
        nature = envelope["nature"] if envelope else OPERATOR_NATURE
        name = f"ANO_{sent.envelope_name}"
        root = _envelope_anomaly(nature, envelope["detail"] if envelope else f"S²LOW : {reason}")
    return _pack({RAW_NAME: raw, name: _bytes(root)})


def classification_archive(classification: bytes, raw: bytes, *, name: str) -> bytes:
    """The archive of a RetourClassification, named for the authority it is for.

    `raw` is the status that announced it: it tells apart two communes, or two requests, that the
    same classification answers.
    """
    return _pack({RAW_NAME: raw, name: classification})


def _acte_anomaly(nature: str, detail: str, sent: Sent) -> etree._Element:
    root = _root("AnomalieActe")
    _add(root, "Nature", nature.rjust(3, "0"))
    _add(root, "Detail", detail)
    received = _add(root, "ActeRecu")
    received.set(f"{{{xml.ACTES}}}Date", sent.decided_on.isoformat() if sent.decided_on else "")
    received.set(f"{{{xml.ACTES}}}NumeroInterne", sent.number)
    received.set(f"{{{xml.ACTES}}}CodeNatureActe", str(sent.nature))
    return root


def _envelope_anomaly(nature: str, detail: str) -> etree._Element:
    root = _root("AnomalieEnveloppe")
    _add(root, "Nature", nature)
    _add(root, "Detail", detail)
    return root


def _root(name: str) -> etree._Element:
    return etree.Element(f"{{{xml.ACTES}}}{name}", nsmap={"actes": xml.ACTES, "insee": xml.INSEE})


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    element = etree.SubElement(parent, f"{{{xml.ACTES}}}{name}")
    element.text = re.sub(r"[\x00-\x1f\x7f]", " ", text) or None
    return element


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="ISO-8859-1")


def _pack(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
