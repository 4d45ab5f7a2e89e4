"""The classification of a collectivité: matières, and the types of pieces each nature allows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from socle.actes.protocol.codes import Nature
from socle.core.refusals import Refusal
from socle.core.text import fold

MatiereCode = tuple[int, ...]

LEVELS: Final = 5
_CODE: Final = re.compile(r"[0-9]{1,3}(?:[.-][0-9]{1,3})*")
_GENERIC: Final = "99_"


class UnknownMatiere(Refusal):
    """A matière code that is badly written, too short, or not in the classification."""

    code = "actes.unknown_matiere"


class NoTypology(Refusal):
    """The classification lists no type of piece for a nature."""

    code = "actes.no_typology"


@dataclass(frozen=True, slots=True)
class Typology:
    """A type of piece: five-character code and French label (labels repeat, codes do not)."""

    code: str
    label: str

    @property
    def display(self) -> str:
        """Label and code, since two types of one nature may bear the same label."""
        return f"{self.label} ({self.code})"


@dataclass(frozen=True, slots=True)
class NatureEntry:
    """A nature as the classification describes it, with its types of pieces.

    Generic types come first, then the others by label, whatever the file's order.
    """

    code: int
    label: str
    abbreviation: str
    typologies: tuple[Typology, ...]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.typologies, key=_display_order))
        object.__setattr__(self, "typologies", ordered)  # sorted once, read at every deposit


@dataclass(frozen=True, slots=True)
class Matiere:
    """A matière: full code from level 1, French label, and the matières below it."""

    code: MatiereCode
    label: str
    children: tuple["Matiere", ...] = ()

    def walk(self) -> Iterator["Matiere"]:
        """Itself, then everything below, in numeric order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Classification:
    """One dated version of the classification, ordered for display whatever the file's order."""

    date: date
    natures: tuple[NatureEntry, ...]
    matieres: tuple[Matiere, ...]

    def find(self, code: MatiereCode) -> Matiere | None:
        """The matière of this full code, or None."""
        return next((found for found in self._walk() if found.code == code), None)

    def selectable(self) -> tuple[Matiere, ...]:
        """The matières an acte may quote: two levels at least."""
        return tuple(found for found in self._walk() if len(found.code) >= 2)

    def leaves(self) -> tuple[Matiere, ...]:
        """The matières that have none below them."""
        return tuple(found for found in self._walk() if not found.children)

    def path(self, code: MatiereCode) -> tuple[str, ...]:
        """Labels from level 1 down to `code`; empty when it is unknown."""
        steps = [self.find(code[:level]) for level in range(1, len(code) + 1)]
        return tuple(step.label for step in steps if step) if all(steps) else ()

    def typologies(self, nature: Nature) -> tuple[Typology, ...]:
        """The types of pieces of `nature`: generic ones first, then by label.

        They depend on the nature alone since notice 2.2 (2019).
        """
        entry = next((entry for entry in self.natures if entry.code == nature), None)
        return entry.typologies if entry else ()

    def default_typology(self, nature: Nature) -> Typology:
        """The type given to a piece nobody typed. Raises NoTypology."""
        known = self.typologies(nature)
        if not known:
            raise NoTypology(
                "Impossible de trouver un typage par défaut pour la nature "
                f"« {nature.label} » : demandez une nouvelle classification.",
                field="documents",
            )
        generic = [piece for piece in known if piece.code in nature.generic_typologies]
        return (generic or known)[0]

    def _walk(self) -> Iterator[Matiere]:
        for matiere in self.matieres:
            yield from matiere.walk()


def parse_matiere(text: str) -> MatiereCode:
    """Read `7.10`, `1-1-2` or the zero-padded `1-1-1-0-0`, of one to five levels.

    Raises UnknownMatiere.
    """
    code = text.strip()
    if not _CODE.fullmatch(code):
        raise _unknown(f"La matière « {text} » n'est pas un code de classification, comme 7.10.")
    levels = [int(level) for level in re.split("[.-]", code)]
    while len(levels) > 1 and levels[-1] == 0:
        levels.pop()
    if len(levels) > LEVELS:
        raise _unknown(f"La matière « {text} » a plus de cinq niveaux : corrigez le code.")
    return tuple(levels)


def format_matiere(code: MatiereCode) -> str:
    """`7.10`."""
    return ".".join(map(str, code))


def check_matiere(code: MatiereCode, classification: Classification) -> None:
    """Refuse a matière an acte cannot quote under `classification`. Raises UnknownMatiere."""
    if len(code) < 2:
        raise _unknown(
            "Les deux premiers niveaux de la matière sont obligatoires : "
            f"précisez une matière sous « {format_matiere(code)} »."
        )
    if classification.find(code) is None:
        raise _unknown(
            f"La matière {format_matiere(code)} n'existe pas dans la classification "
            f"du {classification.date:%d/%m/%Y} : choisissez-en une autre."
        )


def _display_order(piece: Typology) -> tuple[bool, str, str]:
    generic = piece.code.startswith(_GENERIC)
    return (not generic, piece.code if generic else fold(piece.label), piece.code)


def _unknown(sentence: str) -> UnknownMatiere:
    return UnknownMatiere(sentence, field="matiere")
