"""Characters: the norm speaks ISO-8859-1, people do not."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from socle.core.refusals import Refusal

ENCODING: Final = "iso-8859-1"

_EQUIVALENTS: Final[dict[str, str]] = {
    **dict.fromkeys("‘’‚‛′ʼ", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•‣●▪◦", "-"),
    "‹": "<",
    "›": ">",
    "…": "...",
    "œ": "oe",
    "Œ": "OE",
    "€": "EUR",
    "Ÿ": "Y",
    "™": "(TM)",
    "→": "->",
    "⁄": "/",
    "≤": "<=",
    "≥": ">=",
    "\u00ad": "",
    "\u200b": "",
    "\u200c": "",
    "\u200d": "",
    "\u2060": "",
    "\ufe0e": "",
    "\ufe0f": "",
    "\ufeff": "",
}
_C1: Final = re.compile("[\x80-\x9f]")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f]")


class Untransmittable(Refusal):
    """A character has no equivalent in ISO-8859-1."""

    code = "actes.untransmittable_character"


@dataclass(frozen=True, slots=True)
class Replacement:
    """One character that ISO-8859-1 cannot carry, and what is sent instead."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Transliteration:
    """A text the norm can carry, and the characters it took to make it so."""

    text: str
    replacements: tuple[Replacement, ...] = ()


def transliterate(text: str, *, field: str = "") -> Transliteration:
    """The nearest text that ISO-8859-1 can carry, on one line, with single spaces.

    Reports each replaced character once, in order of appearance; spacing is not reported.
    Raises Untransmittable (naming `field`) when a character has no equivalent.
    """
    line = " ".join(_CONTROLS.sub(" ", _repair(unicodedata.normalize("NFC", text))).split())
    found: dict[str, str] = {}
    for character in dict.fromkeys(line):
        if not is_transmittable(character) or character in _EQUIVALENTS:
            found[character] = _equivalent(character, field)
    clean = "".join(found.get(character, character) for character in line)
    replacements = tuple(Replacement(before, after) for before, after in found.items())
    return Transliteration(" ".join(clean.split()), replacements)


def is_transmittable(text: str) -> bool:
    """Whether `text` is written in printable ISO-8859-1 only (0x80–0x9F are controls there)."""
    return all(" " <= character <= "~" or "\xa0" <= character <= "ÿ" for character in text)


def _repair(text: str) -> str:
    """Windows-1252 punctuation mistaken for ISO-8859-1, as pasted from old software."""
    return _C1.sub(lambda found: found[0].encode("latin-1").decode("cp1252", "ignore"), text)


def _equivalent(character: str, field: str) -> str:
    if character in _EQUIVALENTS:
        return _EQUIVALENTS[character]
    decomposed = unicodedata.normalize("NFKD", character)
    plain = "".join(
        _EQUIVALENTS.get(part, part) for part in decomposed if not unicodedata.combining(part)
    )
    stray_accent = all(map(unicodedata.combining, decomposed))
    if (plain or stray_accent) and is_transmittable(plain):
        return plain
    raise Untransmittable(
        f"Le caractère « {character} » ne peut pas être transmis à la préfecture : "
        "retirez-le ou remplacez-le.",
        field=field,
    )
