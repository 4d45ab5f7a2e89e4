"""Whether a package may go to an archive: the order of the standard, and what the profile adds.

The official schemas are the reference (the tests validate against them where they are at hand);
these rules are written from the standard, for the elements the profile of the acts uses, and say
besides what no schema can: every file is there, whole, and described once.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from socle.actes.protocol.formats import measure
from socle.actes.protocol.seda import CONTENT, DIGEST, MANIFEST, Version
from socle.core.refusals import Refusal

_LIMIT: Final = 32 * 1024 * 1024


class BrokenPackage(Refusal):
    """The package is not what the standard wants: it must not leave."""

    code = "actes.broken_package"


@dataclass(frozen=True, slots=True)
class _Child:
    """A child an element may have: how often at least, how often at most (0: without limit)."""

    name: str
    least: int = 0
    most: int = 1


def _once(*names: str) -> tuple[_Child, ...]:
    return tuple(_Child(name, least=1) for name in names)


_ORDER: Final[dict[str, tuple[_Child, ...]]] = {
    "ArchiveTransfer": (
        _Child("Comment", most=0),
        *_once("Date", "MessageIdentifier", "ArchivalAgreement", "CodeListVersions"),
        *_once("DataObjectPackage", "ArchivalAgency", "TransferringAgency"),
    ),
    "CodeListVersions": tuple(
        _Child(name)
        for name in (
            "ReplyCodeListVersion",
            "MessageDigestAlgorithmCodeListVersion",
            "FileFormatCodeListVersion",
            "AppraisalRuleCodeListVersion",
            "AccessRuleCodeListVersion",
        )
    ),
    "DataObjectPackage": (
        _Child("DataObjectGroup", least=1, most=0),
        *_once("DescriptiveMetadata", "ManagementMetadata"),
    ),
    "DataObjectGroup": (_Child("BinaryDataObject", least=1, most=2),),
    "BinaryDataObject": _once(
        "DataObjectVersion", "Uri", "MessageDigest", "Size", "FormatIdentification", "FileInfo"
    ),
    "FormatIdentification": (
        _Child("FormatLitteral"),
        _Child("MimeType", least=1),
        _Child("FormatId"),
    ),
    "FileInfo": _once("Filename", "LastModified"),
    "DescriptiveMetadata": (_Child("ArchiveUnit", least=1, most=0),),
    "ArchiveUnit": (
        _Child("Management"),
        _Child("Content", least=1),
        _Child("ArchiveUnit", most=0),
        _Child("DataObjectReference"),
    ),
    "Management": _once("AccessRule"),
    "AccessRule": _once("Rule", "StartDate"),
    "Content": (
        *_once("DescriptionLevel", "Title"),
        _Child("TransferringAgencyArchiveUnitIdentifier"),
        _Child("Description"),
        _Child("CustodialHistory"),
        _Child("DocumentType"),
        *_once("Language", "DescriptionLanguage"),
        _Child("Tag", most=0),
        _Child("OriginatingAgency"),
        _Child("StartDate"),
        _Child("EndDate"),
        _Child("Event", most=0),
    ),
    "CustodialHistory": _once("CustodialHistoryItem"),
    "Event": _once("EventType", "EventDateTime", "EventDetail"),
    "DataObjectReference": _once("DataObjectGroupReferenceId"),
    "ManagementMetadata": (
        _Child("ArchivalProfile"),
        _Child("ServiceLevel"),
        *_once("LegalStatus", "OriginatingAgencyIdentifier", "SubmissionAgencyIdentifier"),
        _Child("AppraisalRule", least=1),
    ),
    "AppraisalRule": _once("FinalAction"),
    "ArchivalAgency": _once("Identifier"),
    "TransferringAgency": _once("Identifier"),
    "OriginatingAgency": _once("Identifier"),
}


def check(package: zipfile.ZipFile, version: Version) -> None:
    """Refuse a package that is not one whole transfer. Raises BrokenPackage (first fault)."""
    for fault in faults(package, version):
        raise BrokenPackage(
            f"Le paquet d’archivage n’est pas conforme au SEDA {version} : {fault}."
        )


def faults(package: zipfile.ZipFile, version: Version) -> Iterator[str]:
    """Everything that is wrong with a package, in words."""
    names = package.namelist()
    if len(set(names)) != len(names):
        yield "deux fichiers portent le même nom"
    if MANIFEST not in names:
        yield "il n’a pas de manifest.xml"
        return
    root = _root(package.read(MANIFEST))
    if root is None or root.tag != f"{{{version.namespace}}}ArchiveTransfer":
        yield "manifest.xml n’est pas un ArchiveTransfer de cette version"
        return
    yield from _order(root, version)
    yield from _references(root, version)
    yield from _files(package, root, version)


def _root(data: bytes) -> etree._Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser) if len(data) <= _LIMIT else None
    except etree.XMLSyntaxError:
        return None


def _order(element: etree._Element, version: Version) -> Iterator[str]:
    name = etree.QName(element).localname
    allowed = _ORDER.get(name)
    if allowed is None:
        if len(element) or not (element.text or "").strip():
            yield f"{name} est vide ou n’a pas à contenir d’élément"
        return
    left = [etree.QName(child).localname for child in element]
    for child in allowed:
        count = 0
        while left and left[0] == child.name:
            left.pop(0)
            count += 1
        if count < child.least or (child.most and count > child.most):
            yield f"{name} compte {count} {child.name}"
    if left:
        yield f"{left[0]} n’est pas à sa place dans {name}"
    if any(etree.QName(child).namespace != version.namespace for child in element):
        yield f"{name} contient un élément d’un autre espace de noms"
    for child in element:
        yield from _order(child, version)


def _references(root: etree._Element, version: Version) -> Iterator[str]:
    known = [one.get("id") for one in root.iter() if one.get("id")]
    if len(set(known)) != len(known):
        yield "deux éléments portent le même identifiant"
    referred = [one.text for one in root.iter(_tag(version, "DataObjectGroupReferenceId"))]
    groups = [one.get("id") for one in root.iter(_tag(version, "DataObjectGroup"))]
    if sorted(map(str, referred)) != sorted(map(str, groups)):
        yield "chaque fichier doit appartenir à une unité et à une seule"


def _files(package: zipfile.ZipFile, root: etree._Element, version: Version) -> Iterator[str]:
    described = set()
    for one in root.iter(_tag(version, "BinaryDataObject")):
        entry = one.findtext(_tag(version, "Uri")) or ""
        described.add(entry)
        if entry not in package.namelist():
            yield f"le fichier {entry} manque"
            continue
        with package.open(entry) as content:
            found = measure(content)  # type: ignore[arg-type]  # a ZipExtFile reads as a BinaryIO
        digest = one.find(_tag(version, "MessageDigest"))
        if digest is None or (digest.get("algorithm"), digest.text) != (DIGEST, found.sha512):
            yield f"l’empreinte de {entry} n’est pas la sienne"
        if one.findtext(_tag(version, "Size")) != str(found.size):
            yield f"la taille de {entry} n’est pas la sienne"
    for name in sorted({*package.namelist()} - described - {MANIFEST}):
        yield f"le fichier {name} n’est pas décrit"
    if any(not entry.startswith(f"{CONTENT}/") for entry in described):
        yield "un fichier n’est pas sous content/"


def _tag(version: Version, name: str) -> str:
    return f"{{{version.namespace}}}{name}"
