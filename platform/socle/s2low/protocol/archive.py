"""What our own archive says, so that S²LOW can be given fields and files instead.

S²LOW writes envelope, message and names itself (interface §2.3). The archive is our room's, but it
is read here from the facts of the norm alone: what another room wrote is not taken for granted.
"""

import gzip
import io
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


@dataclass(frozen=True, slots=True)
class LetterReply:
    """A message 2-2, 3-3, 3-4, 4-3 or 4-4: the answer to a letter of the préfecture.

    `letter` is the type of the letter answered, `dated` its date; `refuses` tells 3-3 and 4-3.
    """

    siren: str
    identifier: str
    letter: int
    dated: date
    refuses: bool
    document: Piece
    annexes: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message 3-2 or 4-2, which S²LOW sends by itself (status 8)."""

    siren: str
    identifier: str


Message = Acte | Cancellation | ClassificationRequest | LetterReply | Receipt

_REPLIES: Final = {
    "ReponseCourrierSimple": (2, False),
    "RefusPieceComplementaire": (3, True),
    "PieceComplementaire": (3, False),
    "RejetLettreObservations": (4, True),
    "ReponseLettreObservations": (4, False),
}
"""Root of a reply → type of the letter it answers, whether it refuses (norm §3.5)."""
_RECEIPTS: Final = frozenset({"ARDemandePieceComplementaire", "ARLettreObservations"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """The one message of an archive, with the names it travels under."""

    envelope_name: str
    message_name: str
    message: Message


def letter_date(content: bytes) -> date | None:
    """The date of the letter in an archive of S²LOW, or None when none can be read."""
    with ExitStack() as files:
        try:
            found = _entries(cast(BinaryIO, io.BytesIO(content)), files)
            roots = [xml.parse(_read(one)) for name, one in found.items() if name.endswith(".xml")]
        except (*_BROKEN, UnusableArchive):
            return None
    dates = (xml.read_date(xml.attribute(root, "DateCourrierPref")) for root in roots)
    return next(filter(None, dates), None)


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
        case name if name in _REPLIES:
            return _reply(root, siren, files)
        case name if name in _RECEIPTS:
            return Receipt(siren, xml.attribute(root, "IDActe"))
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


def _reply(root: etree._Element, siren: str, files: dict[str, Upload]) -> LetterReply:
    letter, refuses = _REPLIES[xml.root_name(root)]
    dated = xml.read_date(xml.attribute(root, "DateCourrierPref"))
    named = [xml.text_at(one, "NomFichier") for one in root.iterfind(".//{*}Document")]
    if dated is None or not named:
        raise UnusableArchive("la réponse n’indique ni la date du courrier ni son document.")
    document, *annexes = [_piece(name, files) for name in named]
    return LetterReply(
        siren=siren,
        identifier=xml.attribute(root, "IDActe"),
        letter=letter,
        dated=dated,
        refuses=refuses,
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
