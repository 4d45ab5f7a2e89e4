"""What would leave if the button were pressed now, shown before it is pressed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from socle.accounts.models import Person
from socle.actes import sending
from socle.actes.ground import Ground
from socle.actes.models import Act, ActFile
from socle.actes.protocol.build import file_names
from socle.actes.protocol.classification import Typology, parse_matiere
from socle.actes.protocol.codes import MessageType, Nature
from socle.actes.protocol.names import message_name
from socle.actes.protocol.rules import cautions_of
from socle.actes.protocol.text import Replacement, transliterate
from socle.core.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Piece:
    """One file: as she named it, as it will be named, and its type in words."""

    file: ActFile
    name: str
    typology: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that will leave. `blocked` says why it cannot leave for now, or is None."""

    objet: str
    matter: str
    message: str
    pieces: tuple[Piece, ...]
    size: int
    replacements: tuple[Replacement, ...]
    cautions: tuple[str, ...]
    blocked: Refusal | None
    asks_classification: bool


def of(act: Act, files: Sequence[ActFile], *, by: Person, at: datetime) -> Preview:
    """The preview of a complete draft, for `by` to send at `at`.

    Raises the refusal that makes the draft incomplete.
    """
    ground = Ground(by=by, at=at)
    classification = ground.classification
    acte = sending.acceptable(act, files, ground=ground)
    pieces = {piece.code: piece for piece in classification.typologies(acte.nature)}
    return Preview(
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
        ),
        blocked=_blocked(ground, acte.nature),
        asks_classification=ground.held is None,
    )


def _about_signatures(files: Sequence[ActFile]) -> list[str]:
    return [
        f"« {file.stored.name} » est signé électroniquement : il ne sera pas tamponné, pour ne pas "
        "rompre la signature."
        for file in files
        if file.signed
    ]


def _blocked(ground: Ground, nature: Nature) -> Refusal | None:
    try:
        ground.operator(nature=str(nature.value))
    except Refusal as refusal:
        return refusal
    return None
