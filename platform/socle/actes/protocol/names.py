"""Names of files: messages, documents, envelopes, archives (norm: file naming).

Built strictly, parsed leniently: a parser returns None for a name it does not recognise.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from socle.actes.protocol.codes import FileKind, MessageType
from socle.actes.protocol.identifiers import ActeId, compact, read_compact
from socle.core.refusals import Refusal

MESSAGE_SERIAL: Final = 0
FIRST_DOCUMENT_SERIAL: Final = 1
LAST_ENVELOPE_SERIAL: Final = 9999
ANOMALY_PREFIX: Final = "ANO_"

_BUSINESS: Final = re.compile(
    r"(?:(?P<typology>[A-Z0-9_]{5})-)?"
    r"(?P<departement>[09][0-9][0-9AB])-(?P<siren>[0-9]+)-(?P<date>[0-9]{8})?"
    r"-(?P<number>[^/\\]*)-(?P<nature>[A-Z]{2})?-(?P<type>[1-7]-[1-5])"
    r"(?:_(?P<serial>[0-9]+))?\.(?P<extension>[A-Za-z0-9]+)"
)
_ENVELOPE: Final = re.compile(
    r"(?P<anomaly>ANO_)?(?P<quadrigramme>[A-Z]{4})--(?:(?P<office>[A-Z]+[0-9AB]*)-)?"
    r"(?P<siren>[0-9]+)-{1,2}(?P<date>[0-9]{8})-(?P<serial>[0-9]+)(?:\.xml)?"
)
_ARCHIVE: Final = re.compile(r"(?P<trigramme>[A-Za-z0-9]{3})-(?P<envelope>.+)\.tar\.gz")


class EnvelopeSerialExhausted(Refusal):
    """More envelopes in one day than the norm can number."""

    code = "actes.envelope_serial_exhausted"


@dataclass(frozen=True, slots=True)
class BusinessName:
    """What the name of a message or document says; empty parts are None or empty text."""

    departement: str
    siren: str
    decided_on: date | None
    number: str
    nature: str
    type: MessageType
    serial: int | None
    extension: str
    typology: str = ""


@dataclass(frozen=True, slots=True)
class EnvelopeName:
    """What an envelope's name says; `office` is set on those the State sends."""

    quadrigramme: str
    siren: str
    date: date
    serial: int
    office: str = ""
    is_anomaly: bool = False


def message_name(acte: ActeId, type: MessageType) -> str:  # noqa: A002 - the norm's own word
    """Name of the XML file of a message about `acte`."""
    return f"{acte}-{type}_{MESSAGE_SERIAL}.xml"


def document_name(
    acte: ActeId,
    type: MessageType,  # noqa: A002 - the norm's own word
    *,
    serial: int,
    kind: FileKind,
    typology: str,
) -> str:
    """Name of a document joined to a message: serial 1 is the acte, then its annexes in order."""
    return f"{typology}-{acte}-{type}_{serial}.{kind.value}"


def classification_request_name(departement: str, siren: str) -> str:
    """Name of the XML file of a 7-1: date, number and nature are left empty."""
    return f"{departement}-{siren}----{MessageType.CLASSIFICATION_REQUEST}_{MESSAGE_SERIAL}.xml"


def envelope_name(*, quadrigramme: str, siren: str, day: date, serial: int) -> str:
    """Name of an outgoing envelope. `day` is the day it is made, `serial` counts 1.. in that day.

    Raises EnvelopeSerialExhausted above 9999.
    """
    if not 1 <= serial <= LAST_ENVELOPE_SERIAL:
        raise EnvelopeSerialExhausted(
            "Le nombre maximal d'envois @CTES de la journée est atteint : "
            "cet envoi partira demain ; prévenez le syndicat."
        )
    return f"{quadrigramme}--{siren}--{compact(day)}-{serial}.xml"


def archive_name(trigramme: str, envelope: str) -> str:
    """Name of the archive that carries the envelope file called `envelope`."""
    return f"{trigramme}-{envelope.removesuffix('.xml')}.tar.gz"


def parse_business_name(name: str) -> BusinessName | None:
    """Read the name of a message or document, typed or not, with or without serial."""
    found = _BUSINESS.fullmatch(name)
    if not found or found["type"] not in set(MessageType):
        return None
    return BusinessName(
        departement=found["departement"],
        siren=found["siren"],
        decided_on=read_compact(found["date"] or ""),
        number=found["number"],
        nature=found["nature"] or "",
        type=MessageType(found["type"]),
        serial=int(found["serial"]) if found["serial"] else None,
        extension=found["extension"].lower(),
        typology=found["typology"] or "",
    )


def parse_envelope_name(name: str) -> EnvelopeName | None:
    """Read the name of an envelope, ours or the State's, with its anomaly mark if it has one."""
    found = _ENVELOPE.fullmatch(name)
    day = found and read_compact(found["date"])
    if not found or not day:
        return None
    return EnvelopeName(
        quadrigramme=found["quadrigramme"],
        siren=found["siren"],
        date=day,
        serial=int(found["serial"]),
        office=found["office"] or "",
        is_anomaly=bool(found["anomaly"]),
    )


def parse_archive_name(name: str) -> tuple[str, EnvelopeName] | None:
    """The trigramme and the envelope an archive's name announces."""
    found = _ARCHIVE.fullmatch(name)
    envelope = found and parse_envelope_name(found["envelope"])
    return (found["trigramme"], envelope) if found and envelope else None


def refused_envelope(name: str) -> str:
    """Name of our envelope that the anomaly file `name` is about; empty when it is not one."""
    return name.removeprefix(ANOMALY_PREFIX) if name.startswith(ANOMALY_PREFIX) else ""
