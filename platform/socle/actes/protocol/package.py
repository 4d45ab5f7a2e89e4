"""What leaves: an archive of one envelope, one message and its documents, all named together."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import BinaryIO

from socle.actes.protocol.archive import Entry
from socle.actes.protocol.build import (
    FORCED_REQUEST,
    build_acte,
    build_cancellation,
    build_classification_request,
    build_envelope,
    build_reply,
    file_names,
)
from socle.actes.protocol.codes import MessageType
from socle.actes.protocol.identifiers import ActeId
from socle.actes.protocol.letters import reply_names
from socle.actes.protocol.names import (
    archive_name,
    classification_request_name,
    envelope_name,
    message_name,
)
from socle.actes.protocol.read import read_message
from socle.actes.protocol.values import (
    Acte,
    ActeData,
    Document,
    Emitter,
    Envelope,
    Operator,
    Referent,
    Reply,
)
from socle.core.refusals import Refusal

Opener = Callable[[], BinaryIO]


class InconsistentPackage(Refusal):
    """The envelope, the messages and the files do not tell the same story."""

    code = "actes.inconsistent_package"


@dataclass(frozen=True, slots=True)
class Sender:
    """Everything an envelope says besides its message.

    `day` is the day the envelope is made, `serial` its number that day for this collectivité.
    """

    emitter: Emitter
    operator: Operator
    day: date
    serial: int
    referent: Referent | None = None
    extra_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """Names and entries of an archive, ready for `write_archive`."""

    archive_name: str
    envelope_name: str
    message_name: str
    entries: tuple[Entry, ...]


def pack_acte(acte: Acte, openers: Sequence[Opener], *, sender: Sender) -> Package:
    """The package of a 1-1. `openers` open the acte's documents, in their order.

    Raises the refusals of `build_acte` and `build_envelope`, and EnvelopeSerialExhausted.
    """
    documents = [
        Entry(name, document.size, opener)
        for name, document, opener in zip(file_names(acte), acte.documents, openers, strict=True)
    ]
    name = message_name(acte.identifier, MessageType.ACTE)
    return _pack(sender, name, build_acte(acte), documents)


def pack_cancellation(acte: ActeId, *, sender: Sender) -> Package:
    """The package of a 6-1."""
    name = message_name(acte, MessageType.CANCELLATION)
    return _pack(sender, name, build_cancellation(acte))


def pack_reply(
    reply: Reply, documents: Sequence[Document], openers: Sequence[Opener], *, sender: Sender
) -> Package:
    """The package of an answer to a letter, or of its automatic acknowledgement (no document).

    `reply.documents` is not read: the names come from `documents`, in their order; `openers` open
    them. Raises InvalidDocument, the refusals of `build_envelope` and EnvelopeSerialExhausted.
    """
    names = reply_names(reply.acte, reply.type, documents)
    entries = [
        Entry(name, document.size, opener)
        for name, document, opener in zip(names, documents, openers, strict=True)
    ]
    message = build_reply(replace(reply, documents=names))
    return _pack(sender, message_name(reply.acte, reply.type), message, entries)


def pack_classification_request(*, sender: Sender, held: date = FORCED_REQUEST) -> Package:
    """The package of a 7-1. `held` is the date of the version the collectivité has."""
    name = classification_request_name(sender.emitter.departement, sender.emitter.siren)
    return _pack(sender, name, build_classification_request(held))


def check_package(xml: Mapping[str, bytes], names: Collection[str]) -> None:
    """Refuse an archive whose parts disagree, which the schema cannot see.

    `xml` holds the XML files (envelope and messages), `names` every file of the archive.
    Each form the envelope lists must be there and readable, the announced number of annexes exact,
    each document present, and nothing else in the archive. Raises InconsistentPackage.
    """
    envelopes = {name: found for name in xml if (found := _envelope(name, xml[name]))}
    if len(envelopes) != 1:
        raise InconsistentPackage("L'archive doit contenir une enveloppe et une seule.")
    ((name, envelope),) = envelopes.items()
    expected = {name}
    for form in envelope.messages:
        expected |= _files_of(form, xml)
    _same(expected, set(names))


def _pack(sender: Sender, name: str, message: bytes, documents: Sequence[Entry] = ()) -> Package:
    envelope = envelope_name(
        quadrigramme=sender.operator.quadrigramme,
        siren=sender.emitter.siren,
        day=sender.day,
        serial=sender.serial,
    )
    content = build_envelope(
        emitter=sender.emitter,
        operator=sender.operator,
        messages=[name],
        referent=sender.referent,
        extra_addresses=sender.extra_addresses,
    )
    entries = (Entry.of(envelope, content), Entry.of(name, message), *documents)
    return Package(archive_name(sender.operator.trigramme, envelope), envelope, name, entries)


def _envelope(name: str, data: bytes) -> Envelope | None:
    try:
        message = read_message(name, data)
    except Refusal:
        return None
    return message if isinstance(message, Envelope) else None


def _files_of(form: str, xml: Mapping[str, bytes]) -> set[str]:
    if form not in xml:
        raise InconsistentPackage(f"L'enveloppe annonce « {form} », absent de l'archive.")
    try:
        message = read_message(form, xml[form])
    except Refusal as refusal:
        raise InconsistentPackage(f"Le message « {form} » est illisible : {refusal}") from refusal
    if isinstance(message, Reply):
        return {form, *message.documents}
    if not isinstance(message, ActeData):
        return {form}
    if message.announced_annexes != len(message.annexes):
        raise InconsistentPackage(
            f"Le message « {form} » annonce {message.announced_annexes} annexes "
            f"et en cite {len(message.annexes)}."
        )
    return {form, message.document, *message.annexes}


def _same(expected: set[str], present: set[str]) -> None:
    if missing := sorted(expected - present):
        raise InconsistentPackage(f"Il manque « {missing[0]} » dans l'archive.")
    if extra := sorted(present - expected):
        raise InconsistentPackage(f"L'archive contient « {extra[0]} », que rien n'annonce.")
