"""`IDActe`, the name the State gives an acte, and its parts."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from socle.actes.protocol.codes import Nature
from socle.core.refusals import Refusal

# Any number that one of the two published schemas accepts inside an identifier.
_RECEIVED_NUMBER: Final = re.compile(
    r"[A-Za-z0-9_]{1,15}|[A-Za-z0-9](?:[A-Za-z0-9_ -]{0,13}[A-Za-z0-9])?"
)
_IDENTIFIER: Final = re.compile(
    r"(?P<departement>[09][0-9][0-9AB])-(?P<siren>[0-9]{9})-(?P<date>[0-9]{8})"
    r"-(?P<number>.+)-(?P<nature>[A-Z]{2})"
)


class UnreadableIdentifier(Refusal):
    """A text that should be an `IDActe` and is not."""

    code = "actes.unreadable_identifier"


@dataclass(frozen=True, slots=True)
class ActeId:
    """`IDActe`: département, SIREN, decision date, internal number, nature abbreviation.

    The emitter can predict it; the State only ever confirms it.
    """

    departement: str
    siren: str
    decided_on: date
    number: str
    nature: str

    def __str__(self) -> str:
        return "-".join(
            (self.departement, self.siren, compact(self.decided_on), self.number, self.nature)
        )

    @property
    def nature_code(self) -> Nature | None:
        """The nature behind the abbreviation, or None when it is not one of the six."""
        return Nature.of_abbreviation(self.nature)


def compact(day: date) -> str:
    """AAAAMMJJ, in the calendar year (never the week-based one)."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def read_compact(digits: str) -> date | None:
    """The date written AAAAMMJJ, or None."""
    if not re.fullmatch("[0-9]{8}", digits):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def parse_acte_id(text: str) -> ActeId:
    """Read an `IDActe`, from both ends since a foreign number may itself hold dashes or spaces.

    Raises UnreadableIdentifier.
    """
    found = _IDENTIFIER.fullmatch(text.strip())
    decided_on = found and read_compact(found["date"])
    if not found or not decided_on or not _RECEIVED_NUMBER.fullmatch(found["number"]):
        raise UnreadableIdentifier(f"« {text} » n'est pas un identifiant d'acte @CTES.")
    return ActeId(
        found["departement"], found["siren"], decided_on, found["number"], found["nature"]
    )
