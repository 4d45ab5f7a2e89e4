"""A transfer of acts to an electronic archive (SAE), in the words of the SEDA. Pure.

SEDA 2.1 (June 2018) and 2.2 (January 2022), Service interministériel des Archives de France: one
`ArchiveTransfer` message, `manifest.xml` at the root of a ZIP, files under `content/`, which is
what VITAM takes and what other SAE take too. The namespace and the list of codes tell the versions
apart; the profile of the acts uses nothing the two do not share.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from lxml import etree

from socle.actes.protocol.codes import Nature
from socle.actes.protocol.formats import Measure

MANIFEST: Final = "manifest.xml"
CONTENT: Final = "content"
NAMESPACE: Final = "fr:gouv:culture:archivesdefrance:seda:v{}"
DIGEST: Final = "SHA-512"

FREE: Final = "AR038"
"""Anybody may read at once (code du patrimoine, L213-1)."""
PRIVATE: Final = "AR048"
"""Fifty years: private life, or a judgement about a person (L213-2, 3°)."""
_STAFF: Final = 4
"""« Fonction publique », first level of the classification."""
_SOCIAL: Final = (8, 2)
"""« Aide sociale »."""


class Version(StrEnum):
    """The versions an archive may ask for."""

    V2_1 = "2.1"
    V2_2 = "2.2"

    @property
    def namespace(self) -> str:
        """The target namespace of its schemas."""
        return NAMESPACE.format(self.value)


@dataclass(frozen=True, slots=True)
class Parties:
    """Who gives what to whom: identifiers the archive gave, under its agreement."""

    archival_agency: str
    transferring_agency: str
    agreement: str
    originating_agency: str
    profile: str = ""
    service_level: str = ""


@dataclass(frozen=True, slots=True)
class Binary:
    """One file: where it lies in the ZIP, the name people know it by, what was measured."""

    entry: str
    name: str
    measure: Measure
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a unit."""

    at: datetime
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unit:
    """An archive unit. `master` is the file itself, `copy` the one to show (the stamped copy)."""

    title: str
    level: str = "Item"
    description: str = ""
    identifier: str = ""
    document_type: str = ""
    tags: Sequence[str] = ()
    originating_agency: str = ""
    custody: str = ""
    access_rule: str = ""
    rule_from: date | None = None
    start: date | None = None
    end: date | None = None
    events: Sequence[Event] = ()
    master: Binary | None = None
    copy: Binary | None = None
    units: Sequence["Unit"] = ()


@dataclass(frozen=True, slots=True)
class Transfer:
    """The whole message. `access_rule` is the strictest of its units: what they inherit."""

    identifier: str
    at: datetime
    comment: str
    parties: Parties
    units: Sequence[Unit]


def access_rule(nature: int, matter: str) -> str:
    """How long nobody may read an act: about a person, fifty years; else not at all.

    Individual acts and contracts of « Fonction publique » (4), and individual acts of « Aide
    sociale » (8.2).
    """
    levels = tuple(int(level) for level in matter.split(".")[:2] if level.isdigit())
    staff = levels[:1] == (_STAFF,) and nature in {Nature.INDIVIDUAL, Nature.CONTRACT}
    social = levels == _SOCIAL and nature == Nature.INDIVIDUAL
    return PRIVATE if staff or social else FREE


def concerns_staff(nature: int, matter: str) -> bool:
    """Whether the act comes from the service that manages people, perhaps its own producer."""
    return access_rule(nature, matter) == PRIVATE and matter.split(".")[0] == str(_STAFF)


def manifest(transfer: Transfer, version: Version) -> bytes:
    """The `ArchiveTransfer` message, in UTF-8. The same transfer gives the same bytes."""
    return _Writer(version).write(transfer)


@dataclass
class _Writer:
    """One message being written: elements in the namespace, identifiers that never repeat."""

    version: Version
    count: int = 0
    groups: list[etree._Element] = field(default_factory=list)

    def write(self, transfer: Transfer) -> bytes:
        units = [self.unit(unit) for unit in transfer.units]
        parties = transfer.parties
        root = self.element(
            "ArchiveTransfer",
            self.text("Comment", transfer.comment),
            self.text("Date", _instant(transfer.at)),
            self.text("MessageIdentifier", transfer.identifier),
            self.text("ArchivalAgreement", parties.agreement),
            self.code_lists(),
            self.element(
                "DataObjectPackage",
                *self.groups,
                self.element("DescriptiveMetadata", *units),
                self.management(parties),
            ),
            self.agency("ArchivalAgency", parties.archival_agency),
            self.agency("TransferringAgency", parties.transferring_agency),
            nsmap={None: self.version.namespace},
        )
        content: bytes = etree.tostring(
            root, encoding="UTF-8", xml_declaration=True, pretty_print=True
        )
        return content

    def code_lists(self) -> etree._Element:
        """The lists the codes of the message come from."""
        names = {
            "ReplyCodeListVersion": f"ReplyCodeListVersion{self.version}",
            "MessageDigestAlgorithmCodeListVersion": f"MessageDigestAlgorithm{self.version}",
            "FileFormatCodeListVersion": "PRONOM",
            "AppraisalRuleCodeListVersion": "AppraisalRuleCodeListVersion",
            "AccessRuleCodeListVersion": "AccessRuleCodeListVersion",
        }
        return self.element("CodeListVersions", *(self.text(*pair) for pair in names.items()))

    def management(self, parties: Parties) -> etree._Element:
        return self.element(
            "ManagementMetadata",
            self.text("ArchivalProfile", parties.profile),
            self.text("ServiceLevel", parties.service_level),
            self.text("LegalStatus", "Public Archive"),
            self.text("OriginatingAgencyIdentifier", parties.originating_agency),
            self.text("SubmissionAgencyIdentifier", parties.transferring_agency),
            # Délibérations and arrêtés are kept for ever (instruction DAF DPACI/RES/2009/018).
            self.element("AppraisalRule", self.text("FinalAction", "Keep")),
        )

    def unit(self, unit: Unit) -> etree._Element:
        found = self.element(
            "ArchiveUnit",
            self.rules(unit),
            self.element(
                "Content",
                self.text("DescriptionLevel", unit.level),
                self.text("Title", unit.title),
                self.text("TransferringAgencyArchiveUnitIdentifier", unit.identifier),
                self.text("Description", unit.description),
                self.custody(unit.custody),
                self.text("DocumentType", unit.document_type),
                self.text("Language", "fra"),
                self.text("DescriptionLanguage", "fra"),
                *(self.text("Tag", tag) for tag in unit.tags),
                self.agency("OriginatingAgency", unit.originating_agency),
                self.text("StartDate", _day(unit.start)),
                self.text("EndDate", _day(unit.end)),
                *(self.event(event) for event in unit.events),
            ),
            *(self.unit(below) for below in unit.units),
            self.reference(unit),
        )
        found.set("id", self.identifier())
        return found

    def rules(self, unit: Unit) -> etree._Element | None:
        if not unit.access_rule:
            return None
        rule = self.element(
            "AccessRule",
            self.text("Rule", unit.access_rule),
            self.text("StartDate", _day(unit.rule_from)),
        )
        return self.element("Management", rule)

    def custody(self, sentence: str) -> etree._Element | None:
        if not sentence:
            return None
        return self.element("CustodialHistory", self.text("CustodialHistoryItem", sentence))

    def event(self, event: Event) -> etree._Element:
        return self.element(
            "Event",
            self.text("EventType", event.kind),
            self.text("EventDateTime", _instant(event.at)),
            self.text("EventDetail", event.detail),
        )

    def reference(self, unit: Unit) -> etree._Element | None:
        """The group of the unit's files, written on the way, and where it is referred to."""
        files = [("BinaryMaster_1", unit.master), ("Dissemination_1", unit.copy)]
        objects = [self.binary(use, file) for use, file in files if file is not None]
        if not objects:
            return None
        group = self.element("DataObjectGroup", *objects)
        group.set("id", self.identifier())
        self.groups.append(group)
        return self.element(
            "DataObjectReference", self.text("DataObjectGroupReferenceId", group.get("id", ""))
        )

    def binary(self, use: str, file: Binary) -> etree._Element:
        kind = file.measure.format
        digest = self.text("MessageDigest", file.measure.sha512)
        assert digest is not None  # noqa: S101 -- a digest is never empty
        digest.set("algorithm", DIGEST)
        found = self.element(
            "BinaryDataObject",
            self.text("DataObjectVersion", use),
            self.text("Uri", file.entry),
            digest,
            self.text("Size", str(file.measure.size)),
            self.element(
                "FormatIdentification",
                self.text("FormatLitteral", kind.name),
                self.text("MimeType", kind.media_type),
                self.text("FormatId", kind.puid),
            ),
            self.element(
                "FileInfo",
                self.text("Filename", file.name),
                self.text("LastModified", _instant(file.at)),
            ),
        )
        found.set("id", self.identifier())
        return found

    def agency(self, name: str, identifier: str) -> etree._Element | None:
        return self.element(name, self.text("Identifier", identifier)) if identifier else None

    def identifier(self) -> str:
        self.count += 1
        return f"ID{self.count}"

    def element(
        self,
        name: str,
        *children: etree._Element | None,
        nsmap: dict[str | None, str] | None = None,
    ) -> etree._Element:
        found = etree.Element(f"{{{self.version.namespace}}}{name}", nsmap=nsmap)
        found.extend(child for child in children if child is not None)
        return found

    def text(self, name: str, value: str) -> etree._Element | None:
        """An element of one line; None when there is nothing to say: the SEDA refuses it empty."""
        line = " ".join(_UNWRITABLE.sub(" ", value).split())
        if not line:
            return None
        found = self.element(name)
        found.text = line
        return found


_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def files_of(units: Iterable[Unit]) -> Iterator[Binary]:
    """Every file of these units and of those below."""
    for unit in units:
        yield from (file for file in (unit.master, unit.copy) if file is not None)
        yield from files_of(unit.units)


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
