"""Messages and envelopes as the State wants them: ISO-8859-1, fixed order, fixed prefixes."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from lxml import etree

from socle.actes.protocol.codes import MessageType
from socle.actes.protocol.identifiers import ActeId
from socle.actes.protocol.letters import SEVERAL, check_count
from socle.actes.protocol.names import FIRST_DOCUMENT_SERIAL, document_name
from socle.actes.protocol.rules import (
    InvalidDocument,
    InvalidEmail,
    check_email,
    check_emitter,
    check_number,
    check_objet,
)
from socle.actes.protocol.text import ENCODING, Untransmittable, is_transmittable, transliterate
from socle.actes.protocol.values import Acte, Emitter, Operator, Referent, Reply
from socle.actes.protocol.xml import ACTES, INSEE, NAMESPACES

# The whole classification is newer than this date: asking with it always brings a 7-2 back.
FORCED_REQUEST: Final = date(2001, 1, 1)
_DECLARATION: Final = b'<?xml version="1.0" encoding="ISO-8859-1"?>\n'


def file_names(acte: Acte) -> tuple[str, ...]:
    """Names of the acte's documents, in the order of `acte.documents`. Raises InvalidDocument."""
    names = []
    for serial, document in enumerate(acte.documents, FIRST_DOCUMENT_SERIAL):
        if document.kind is None:
            raise InvalidDocument(
                f"Le format du fichier « {document.original_name} » n'est pas autorisé."
            )
        names.append(
            document_name(
                acte.identifier,
                MessageType.ACTE,
                serial=serial,
                kind=document.kind,
                typology=document.typology,
            )
        )
    return tuple(names)


def build_acte(acte: Acte) -> bytes:
    """Message 1-1. Raises a Refusal when the number, objet or documents cannot be sent."""
    root = _root(
        MessageType.ACTE.root,
        Date=acte.decided_on.isoformat(),
        NumeroInterne=check_number(acte.number),
    )
    root.set(_actes("CodeNatureActe"), str(acte.nature.value))
    for level, code in enumerate(acte.matiere, 1):
        _add(root, f"CodeMatiere{level}", CodeMatiere=str(code))
    _add(root, "Objet", _faithful(check_objet(acte.objet), acte.objet))
    if acte.replaces:
        _add(root, "PrecedentIdentifiantActe", IDActe=str(acte.replaces))
    _add(root, "ClassificationDateVersion", acte.classification_date.isoformat())
    main, *annexes = file_names(acte)
    _add_file(root, "Document", main)
    group = _add(root, "Annexes", Nombre=str(len(annexes)))
    for annexe in annexes:
        _add_file(group, "Annexe", annexe)
    _add(root, "DocumentPapier", "O" if acte.paper_complement else "N")
    return _bytes(root)


def build_cancellation(acte: ActeId) -> bytes:
    """Message 6-1."""
    return _bytes(_root(MessageType.CANCELLATION.root, IDActe=str(acte)))


def build_reply(reply: Reply) -> bytes:
    """Message 2-2, 3-2, 3-3, 3-4, 4-2, 4-3 or 4-4. Raises InvalidDocument for a wrong count."""
    check_count(reply.type, len(reply.documents))
    root = _root(reply.type.root, IDActe=str(reply.acte), DateCourrierPref=reply.dated.isoformat())
    parent = _add(root, "Documents") if reply.type in SEVERAL else root
    for name in reply.documents:
        _add_file(parent, "Document", name)
    return _bytes(root)


def build_classification_request(held: date = FORCED_REQUEST) -> bytes:
    """Message 7-1. `held` is the date of the version the collectivité has."""
    root = _root(MessageType.CLASSIFICATION_REQUEST.root)
    _add(root, "DateClassification", held.isoformat())
    return _bytes(root)


def build_envelope(
    *,
    emitter: Emitter,
    operator: Operator,
    messages: Sequence[str],
    referent: Referent | None = None,
    extra_addresses: Sequence[str] = (),
) -> bytes:
    """`EnveloppeCLMISILL` listing the message files `messages`.

    Answers go to the operator's mailboxes, then to `extra_addresses`, each once.
    Raises InvalidEmitter, InvalidEmail or Untransmittable.
    """
    check_emitter(emitter)
    root = _root("EnveloppeCLMISILL")
    _add_emitter(root, emitter, referent)
    _add_addresses(root, (*operator.return_addresses, *extra_addresses))
    forms = _add(root, "FormulairesEnvoyes")
    for name in messages:
        _add_file(forms, "Formulaire", name)
    return _bytes(root)


def _add_addresses(root: etree._Element, addresses: Sequence[str]) -> None:
    if not addresses:
        raise InvalidEmail("L'opérateur de transmission n'a pas d'adresse de retour.")
    group = _add(root, "AdressesRetour")
    for address in dict.fromkeys(addresses):
        _add(group, "Email", check_email(address))


def _add_emitter(root: etree._Element, emitter: Emitter, referent: Referent | None) -> None:
    group = _add(root, "Emetteur")
    identity = _add(group, "IDCL")
    identity.set(f"{{{INSEE}}}SIREN", emitter.siren)
    identity.set(_actes("Departement"), emitter.departement)
    identity.set(_actes("Arrondissement"), emitter.arrondissement)
    identity.set(_actes("Nature"), emitter.nature)
    if referent:
        _add_referent(group, referent)


def _add_referent(group: etree._Element, referent: Referent) -> None:
    element = _add(group, "Referent")
    if referent.name:
        _add(element, "Nom", transliterate(referent.name, field="referent").text)
    _add(element, "Telephone", transliterate(referent.telephone, field="referent").text)
    if referent.email:
        _add(element, "Email", check_email(referent.email))


def _root(name: str, **attributes: str) -> etree._Element:
    return _with(etree.Element(_actes(name), nsmap=NAMESPACES), attributes)


def _add(
    parent: etree._Element, name: str, content: str | None = None, /, **attributes: str
) -> etree._Element:
    element = _with(etree.SubElement(parent, _actes(name)), attributes)
    element.text = content
    return element


def _add_file(parent: etree._Element, name: str, file_name: str) -> None:
    _add(_add(parent, name), "NomFichier", file_name)


def _with(element: etree._Element, attributes: dict[str, str]) -> etree._Element:
    for name, value in attributes.items():
        element.set(_actes(name), value)
    return element


def _actes(name: str) -> str:
    return f"{{{ACTES}}}{name}"


def _faithful(clean: str, given: str) -> str:
    """The agent saw what would be sent before she sent it: nothing may change after that."""
    if clean != given or not is_transmittable(clean):
        raise Untransmittable(
            "L'objet de l'acte contient des caractères à remplacer avant l'envoi.", field="objet"
        )
    return clean


def _bytes(root: etree._Element) -> bytes:
    body: bytes = etree.tostring(root, encoding=ENCODING, xml_declaration=False)
    return _DECLARATION + body
