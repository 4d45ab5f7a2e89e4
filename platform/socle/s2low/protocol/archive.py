"""What our own archive says, so that S²LOW can be given fields and files instead.

S²LOW writes envelope, message and names itself (interface §2.3). The archive is our room's, but it
is read here from the facts of the norm alone: what another room wrote is not taken for granted.
"""

import gzip
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Final, cast

from lxml import etree

from socle.s2low.protocol import xml
from socle.s2low.protocol.multipart import Upload

MESSAGE_LIMIT: Final = 8 * 1024 * 1024
EXPANSION_LIMIT: Final = 300 * 1024 * 1024
IN_MEMORY: Final = 4 * 1024 * 1024
ENTRY_LIMIT: Final = 1000
NATURES: Final = {1: "DE", 2: "AR", 3: "AI", 4: "CC", 5: "BF", 6: "AU"}
_TYPED: Final = re.compile(r"(?P<typology>[A-Z0-9_]{5})-(?=[09][0-9][0-9AB]-)")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
_BROKEN: Final = (tarfile.TarError, zlib.error, EOFError, OSError, xml.UnreadableXml)


class UnusableArchive(Exception):
    """The archive does not hold what S²LOW must be given. `str()` says what, in French."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A document and the type of piece its name announces (5 characters)."""

    typology: str
    upload: Upload


@dataclass(frozen=True, slots=True)
class Acte:
    """A message 1-1. `matiere` holds one number a level; `identifier` is the IDActe to come."""

    siren: str
    identifier: str
    number: str
    decided_on: date
    nature: int
    matiere: tuple[int, ...]
    subject: str
    paper_complement: bool
    document: Piece
    annexes: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A message 6-1 about an act we transmitted."""

    siren: str
    identifier: str


@dataclass(frozen=True, slots=True)
class ClassificationRequest:
    """A message 7-1."""

    siren: str
    departement: str


Message = Acte | Cancellation | ClassificationRequest


@dataclass(frozen=True, slots=True)
class Parcel:
    """The one message of an archive, with the names it travels under."""

    envelope_name: str
    message_name: str
    message: Message


@contextmanager
def opened(archive: BinaryIO) -> Iterator[Parcel]:
    """Read an archive (a flat tar.gz, forward only); its files stay open inside the `with`.

    Files wait in anonymous temporary files, large ones only. Raises UnusableArchive.
    """
    with ExitStack() as files:
        try:
            parcel = _parcel(_entries(archive, files))
        except _BROKEN as fault:
            raise UnusableArchive("l’archive est illisible.") from fault
        yield parcel


def _entries(archive: BinaryIO, files: ExitStack) -> dict[str, Upload]:
    found: dict[str, Upload] = {}
    total = 0
    with (
        gzip.GzipFile(fileobj=archive, mode="rb") as plain,
        tarfile.open(fileobj=cast(BinaryIO, plain), mode="r|") as tar,
    ):
        for member in tar:
            total += member.size
            _check(member, found, total)
            found[member.name] = _copy(tar, member, files)
    return found


def _check(member: tarfile.TarInfo, found: dict[str, Upload], total: int) -> None:
    plain = member.isfile() and not member.issparse()
    if not plain or not _NAME.fullmatch(member.name) or member.name in found:
        raise UnusableArchive(f"l’archive contient une entrée inattendue (« {member.name} »).")
    if len(found) >= ENTRY_LIMIT or total > EXPANSION_LIMIT:
        raise UnusableArchive("l’archive est anormalement volumineuse.")


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, files: ExitStack) -> Upload:
    kept = files.enter_context(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY))
    content = tar.extractfile(member)
    while content and (chunk := content.read(64 * 1024)):
        kept.write(chunk)
    kept.seek(0)
    return Upload(member.name, member.size, cast(BinaryIO, kept))


def _parcel(files: dict[str, Upload]) -> Parcel:
    envelope_name, envelope = _envelope(files)
    forms = [
        xml.text_at(form, "NomFichier")
        for form in envelope.iterfind("{*}FormulairesEnvoyes/{*}Formulaire")
    ]
    if len(forms) != 1 or forms[0] not in files:
        raise UnusableArchive("l’enveloppe doit annoncer un message et un seul.")
    identity = xml.element_at(envelope, "Emetteur", "IDCL")
    root = xml.parse(_read(files[forms[0]]))
    return Parcel(envelope_name, forms[0], _message(root, identity, files))


def _envelope(files: dict[str, Upload]) -> tuple[str, etree._Element]:
    for name, upload in files.items():
        if "--" in name and name.endswith(".xml") and upload.size <= MESSAGE_LIMIT:
            root = xml.parse(_read(upload))
            if xml.root_name(root) == "EnveloppeCLMISILL":
                return name, root
    raise UnusableArchive("l’archive ne contient pas d’enveloppe.")


def _read(upload: Upload) -> bytes:
    upload.content.seek(0)
    return upload.content.read(MESSAGE_LIMIT)


def _message(
    root: etree._Element, identity: etree._Element | None, files: dict[str, Upload]
) -> Message:
    siren = xml.attribute(identity, "SIREN", xml.INSEE)
    departement = xml.attribute(identity, "Departement")
    match xml.root_name(root):
        case "Acte":
            return _acte(root, siren, departement, files)
        case "Annulation":
            return Cancellation(siren, xml.attribute(root, "IDActe"))
        case "DemandeClassification":
            return ClassificationRequest(siren, departement)
        case other:
            raise UnusableArchive(f"un message « {other} » ne passe pas encore par S²LOW.")


def _acte(root: etree._Element, siren: str, departement: str, files: dict[str, Upload]) -> Acte:
    number = xml.attribute(root, "NumeroInterne")
    decided_on = xml.read_date(xml.attribute(root, "Date"))
    nature = _integer(xml.attribute(root, "CodeNatureActe"))
    if decided_on is None or nature not in NATURES:
        raise UnusableArchive("le message n’indique ni date ni nature.")
    names = [
        xml.text_at(root, "Document", "NomFichier"),
        *[xml.text_at(one, "NomFichier") for one in root.iterfind("{*}Annexes/{*}Annexe")],
    ]
    document, *annexes = [_piece(name, files) for name in names]
    return Acte(
        siren=siren,
        identifier=f"{departement}-{siren}-{decided_on:%Y%m%d}-{number}-{NATURES[nature]}",
        number=number,
        decided_on=decided_on,
        nature=nature,
        matiere=_matiere(root),
        subject=xml.text_at(root, "Objet"),
        paper_complement=xml.text_at(root, "DocumentPapier").upper() in {"O", "1"},
        document=document,
        annexes=tuple(annexes),
    )


def _piece(name: str, files: dict[str, Upload]) -> Piece:
    typed = _TYPED.match(name)
    if name not in files or not typed:
        raise UnusableArchive(f"le fichier « {name} » manque ou n’indique pas son type de pièce.")
    return Piece(typed["typology"], files[name])


def _matiere(root: etree._Element) -> tuple[int, ...]:
    """The levels given, in order; a hole left by a skipped level reads 0."""
    levels = [
        _integer(xml.attribute(xml.element_at(root, f"CodeMatiere{level}"), "CodeMatiere")) or 0
        for level in range(1, 6)
    ]
    while levels and not levels[-1]:
        levels.pop()
    return tuple(levels)


def _integer(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() else 0
