"""What would leave if the button were pressed now, shown before it is pressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from socle.accounts.models import Person
from socle.actes import numbers, queries, sending
from socle.actes.ground import Ground
from socle.actes.models import Act, ActFile
from socle.actes.protocol.archive import SIZE_LIMIT
from socle.actes.protocol.build import build_acte, file_names
from socle.actes.protocol.classification import Typology, parse_matiere
from socle.actes.protocol.codes import MessageType, Nature
from socle.actes.protocol.names import message_name
from socle.actes.protocol.rules import cautions_of
from socle.actes.protocol.text import Replacement, transliterate
from socle.core.refusals import Refusal
from socle.documents.sniff import Kind as ContentKind
from socle.web import formats


@dataclass(frozen=True, slots=True)
class Piece:
    """One file: as she named it, as it will be named, and its type in words."""

    file: ActFile
    name: str
    typology: str


@dataclass(frozen=True, slots=True)
class Change:
    """One fact of a correction beside what the refused act said."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that will leave. `blocked` says why it cannot leave for now, or is None.

    `form` is the message as the préfecture will read it, `changes` what differs from the refused
    act this one corrects, `checks` what was found right.
    """

    form: str
    identifier: str
    changes: tuple[Change, ...]
    checks: tuple[str, ...]

    objet: str
    matter: str
    message: str
    pieces: tuple[Piece, ...]
    size: int
    replacements: tuple[Replacement, ...]
    cautions: tuple[str, ...]
    blocked: Refusal | None
    asks_classification: bool
    awaited: bool
    """Whether a newer classification was asked for and has not come."""


def of(act: Act, files: Sequence[ActFile], *, by: Person, at: datetime) -> Preview:
    """The preview of a complete draft, for `by` to send at `at`.

    Raises the refusal that makes the draft incomplete.
    """
    ground = Ground(by=by, at=at)
    classification = ground.classification
    acte = sending.acceptable(act, files, ground=ground)
    sending.check_budget_files(files, ground=ground)
    pieces = {piece.code: piece for piece in classification.typologies(acte.nature)}
    return Preview(
        form=build_acte(acte).decode("iso-8859-1"),
        identifier=str(acte.identifier),
        changes=_changes(act, files),
        checks=_checks(files, ground),
        objet=acte.objet,
        matter=" / ".join(classification.path(parse_matiere(act.matter))),
        message=message_name(acte.identifier, MessageType.ACTE),
        pieces=tuple(
            Piece(file, name, pieces.get(file.typology, Typology(file.typology, "")).display)
            for file, name in zip(files, file_names(acte), strict=True)
        ),
        size=sum(file.stored.size for file in files),
        replacements=transliterate(act.objet).replacements,
        cautions=(
            *(caution.sentence for caution in cautions_of(acte, at=at)),
            *_about_signatures(files),
            *_about_numbers(act, at),
        ),
        blocked=_blocked(ground, acte.nature),
        asks_classification=ground.held is None,
        awaited=ground.held is not None and queries.pending_classification_requests().exists(),
    )


def _checks(files: Sequence[ActFile], ground: Ground) -> tuple[str, ...]:
    """What was looked at and is right, in words."""
    size = sum(file.stored.size for file in files)
    kinds = {file.stored.media_type for file in files}
    found = [
        f"Poids : {formats.size(size)} sur {formats.size(SIZE_LIMIT)} permis.",
        "Contenu des fichiers : c’est bien ce que leur nom annonce, rien n’est protégé ni abîmé.",
        "Type de pièce : chaque fichier en a un, permis pour cette nature.",
        f"Matière : elle est dans la liste du {ground.classification.date:%d/%m/%Y}.",
    ]
    if any(file.signers for file in files):
        found.append("Signatures électroniques : elles sont intactes, rien n’a changé depuis.")
    if ContentKind.XML in kinds:
        found.append("Document budgétaire : il est scellé, voté, et c’est celui de la commune.")
    return tuple(found)


def _changes(act: Act, files: Sequence[ActFile]) -> tuple[Change, ...]:
    """What a correction changes of the act it corrects."""
    former = act.replaces
    if former is None:
        return ()
    said = [
        ("Numéro", former.number, act.number),
        ("Nature", former.get_nature_display(), act.get_nature_display()),
        ("Date de la décision", _day(former), _day(act)),
        ("Objet", former.objet, act.objet),
        ("Matière", former.matter, act.matter),
        ("Fichiers", _named(queries.files_of(former)), _named(files)),
    ]
    return tuple(Change(*one) for one in said if one[1] != one[2])


def _day(act: Act) -> str:
    return f"{act.decided_on:%d/%m/%Y}" if act.decided_on else ""


def _named(files: Sequence[ActFile]) -> str:
    return ", ".join(f"{file.stored.name} ({file.stored.sha256[:8]})" for file in files)


def _about_numbers(act: Act, at: datetime) -> list[str]:
    missing = numbers.skipped(act.number, at=at)
    if not missing:
        return []
    return [
        f"Aucun acte ne porte {'le numéro' if len(missing) == 1 else 'les numéros'} "
        f"{', '.join(missing[:5])}{'…' if len(missing) > 5 else ''} : vérifiez que "
        f"{act.number} est bien le suivant."
    ]


def _about_signatures(files: Sequence[ActFile]) -> list[str]:
    return [
        f"« {file.stored.name} » est signé électroniquement : pour ne pas rompre la signature, son "
        "tampon sera sur une feuille à part."
        for file in files
        if file.signed
    ]


def _blocked(ground: Ground, nature: Nature) -> Refusal | None:
    try:
        ground.operator(nature=str(nature.value))
    except Refusal as refusal:
        return refusal
    return None
