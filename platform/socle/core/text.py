"""French text made comparable, sortable and fit for a host name."""

import re
import unicodedata
from typing import Final

from socle.core.refusals import Refusal

HOST_LABEL_LENGTH: Final = 63
_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae"})


class UnusableName(Refusal):
    """Nothing of a name can be written in a host name."""

    code = "unusable-name"


def normalise_spaces(text: str) -> str:
    """Return `text` without outer spaces, any inner run of spaces or line ends being one space."""
    return " ".join(text.split())


def fold(text: str) -> str:
    """Return the key by which French text is sorted and searched.

    Case, accents, ligatures, hyphens, apostrophes and other punctuation do not count:
    « Saint-Maixent-l'École » and « saint maixent l ecole » have the same key.
    """
    decomposed = unicodedata.normalize("NFKD", text)
    unaccented = "".join(character for character in decomposed if not _is_accent(character))
    return normalise_spaces(re.sub(r"[\W_]+", " ", unaccented.casefold().translate(_LIGATURES)))


def slug_host(name: str) -> str:
    """Return the host label of a commune: « Saint-Martin-lès-Melle » → `saint-martin-les-melle`.

    The label follows RFC 1123: `a-z`, `0-9` and inner hyphens, 63 characters at most. It is not
    unique: twelve communes are called Sainte-Colombe, the caller adds what tells them apart.
    Raises `UnusableName` when no letter and no digit is left.
    """
    label = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:HOST_LABEL_LENGTH].rstrip("-")
    if not label:
        raise UnusableName(
            f"Le nom « {name} » ne peut pas servir d'adresse : "
            "donnez un nom contenant au moins une lettre ou un chiffre.",
            field="name",
        )
    return label


def _is_accent(character: str) -> bool:
    return unicodedata.combining(character) != 0
