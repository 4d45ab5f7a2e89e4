"""The envelope of a collectivité (`EnveloppeCLMISILL`) and the messages it announces."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from socle.core.refusals import Refusal
from socle.exercise.protocol import actes_xml as xml
from socle.exercise.protocol import names

#: Codes of the norm's closed list, but 999: the ministry really uses it for the unrecognisable.
SENDER_FAULT: Final = 5
CONTENT_FAULT: Final = 100
UNRECOGNISED: Final = 999

_EMAIL: Final = re.compile(
    r"[\w-]+(\.[\w-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,6}", re.ASCII
)
_ROOTS: Final = {
    "1-1": "Acte",
    "2-2": "ReponseCourrierSimple",
    "3-2": "ARDemandePieceComplementaire",
    "3-3": "RefusPieceComplementaire",
    "3-4": "PieceComplementaire",
    "4-2": "ARLettreObservations",
    "4-3": "RejetLettreObservations",
    "4-4": "ReponseLettreObservations",
    "6-1": "Annulation",
    "7-1": "DemandeClassification",
}


class EnvelopeRefused(Refusal):
    """The whole envelope is refused: an `AnomalieEnveloppe` answers it."""

    code = "envelope-refused"

    def __init__(self, sentence: str, *, nature: int = CONTENT_FAULT, reference: str = "") -> None:
        super().__init__(sentence)
        self.nature = nature
        self.reference = reference


@dataclass(frozen=True, slots=True)
class Sender:
    """The collectivité as its `IDCL` names it, and where it reads its mail."""

    siren: str
    department: str
    district: str
    nature: str
    addresses: tuple[str, ...]


#: The sender while none has been read.
NOBODY: Final = Sender("", "", "", "", ())


@dataclass(frozen=True, slots=True)
class Message:
    """One message métier of the envelope: its file name, read and whole, and its root element."""

    file_name: str
    name: names.MessageName
    root: xml.Element


def find_envelope(files: Mapping[str, bytes], archive_name: str) -> tuple[str, xml.Element]:
    """Name and root of the only envelope of the archive. Raises `EnvelopeRefused`."""
    found = [name for name in files if names.ENVELOPE.fullmatch(name)]
    if len(found) != 1:
        raise EnvelopeRefused(
            "L'archive doit contenir une seule enveloppe EACT--SIREN--date-n.xml."
        )
    archive = names.ARCHIVE.fullmatch(archive_name)
    if archive is None or f"{archive['stem']}.xml" != found[0]:
        raise EnvelopeRefused(
            f"Le nom de l'archive {archive_name} ne correspond pas à l'enveloppe {found[0]}."
        )
    return found[0], _parse(files[found[0]], found[0], "EnveloppeCLMISILL")


def read_sender(root: xml.Element) -> Sender:
    """The collectivité an envelope names, read as far as it goes; `check_envelope` judges it."""
    identity = xml.find(root, "Emetteur", "IDCL")
    addresses = root.findall(f"{xml.actes('AdressesRetour')}/{xml.actes('Email')}")
    return Sender(
        siren=xml.attribute(identity, "SIREN", xml.INSEE),
        department=xml.attribute(identity, "Departement"),
        district=xml.attribute(identity, "Arrondissement"),
        nature=xml.attribute(identity, "Nature"),
        addresses=tuple((address.text or "").strip() for address in addresses),
    )


def check_envelope(root: xml.Element, name: str, sender: Sender) -> None:
    """Structure, identity and return addresses of the envelope. Raises `EnvelopeRefused`."""
    if xml.shape(root) != "Emetteur AdressesRetour FormulairesEnvoyes":
        raise EnvelopeRefused(f"L'enveloppe {name} ne suit pas l'ordre de la norme.")
    _check_identity(name, sender)
    if not sender.addresses or not all(map(is_address, sender.addresses)):
        raise EnvelopeRefused(
            f"Une adresse de retour de l'enveloppe {name} manque ou est mal formée."
        )


def is_address(mail: str) -> bool:
    """Whether a mail address has the form the norm's schema demands."""
    return _EMAIL.fullmatch(mail) is not None


def _check_identity(name: str, sender: Sender) -> None:
    patterns = (
        (r"\d{9}", sender.siren),
        (names.DEPARTMENT, sender.department),
        (r"\d", sender.district),
        (r"\d\d", sender.nature),
    )
    if not all(re.fullmatch(pattern, value, re.ASCII) for pattern, value in patterns):
        raise EnvelopeRefused(
            f"L'identité de la collectivité (IDCL) de l'enveloppe {name} est incomplète.",
            nature=SENDER_FAULT,
        )
    if f"--{sender.siren}--" not in name:
        raise EnvelopeRefused(
            f"Le SIREN {sender.siren} de l'émetteur n'est pas celui du nom de l'enveloppe {name}.",
            nature=SENDER_FAULT,
            reference="PREF-VERIF-02",
        )


def read_messages(
    root: xml.Element, files: Mapping[str, bytes], sender: Sender
) -> tuple[Message, ...]:
    """The messages announced by the envelope, in its order. Raises `EnvelopeRefused`."""
    forms = root.findall(f"{xml.actes('FormulairesEnvoyes')}/{xml.actes('Formulaire')}")
    listed = [xml.text(form, "NomFichier") for form in forms]
    if not listed or len(set(listed)) != len(listed):
        raise EnvelopeRefused(
            "L'enveloppe doit annoncer au moins un formulaire, et chacun une fois."
        )
    return tuple(_read_message(name, files, sender) for name in listed)


def _read_message(file_name: str, files: Mapping[str, bytes], sender: Sender) -> Message:
    if file_name not in files:
        raise EnvelopeRefused(f"Le formulaire {file_name} annoncé n'est pas dans l'archive.")
    name = names.MessageName.read(file_name)
    if name is None or name.code not in _ROOTS:
        raise EnvelopeRefused(
            f"Transaction non reconnue : le nom du message métier {file_name} est mal formé.",
            nature=UNRECOGNISED,
            reference="ODT-VERIF-17",
        )
    if (name.siren, name.department) != (sender.siren, sender.department):
        raise EnvelopeRefused(
            f"Le message {file_name} n'est pas de la collectivité qui l'envoie.",
            nature=SENDER_FAULT,
        )
    return Message(file_name, name, _parse(files[file_name], file_name, _ROOTS[name.code]))


def _parse(content: bytes, name: str, expected: str) -> xml.Element:
    try:
        root = xml.parse(content, name=name)
    except xml.UnreadableXml as error:
        raise EnvelopeRefused(str(error)) from error
    if root.tag != xml.actes(expected):
        raise EnvelopeRefused(
            f"Transaction non reconnue : la racine de {name} devrait être {expected}.",
            nature=UNRECOGNISED,
            reference="ODT-VERIF-17",
        )
    return root
