"""Who a certificate names, and which characters may enter one."""

import unicodedata
from dataclasses import dataclass
from typing import Final

from socle.core.refusals import Refusal
from socle.core.text import normalise_spaces

COMMON_NAME_LENGTH: Final = 64  # X.520 ub-common-name, in characters
ORGANISATION_LENGTH: Final = 64  # X.520 ub-organization-name
_PUNCTUATION_OF_NAMES: Final = frozenset(" -'’.")


class UnfitName(Refusal):
    """A name cannot be written in a certificate as it stands."""

    code = "ra.unfit_name"


@dataclass(frozen=True, slots=True)
class Holder:
    """The person and the body a certificate names, as the file was checked."""

    given_name: str
    surname: str
    email: str
    organisation: str
    siren: str

    @property
    def common_name(self) -> str:
        """« Hélène ÉPINAY »: the given name, then the surname in capitals, accents kept."""
        return f"{self.given_name} {self.surname.upper()}"

    @property
    def organisation_unit(self) -> str:
        """0002 is the ICD of SIRENE (ISO/IEC 6523), then the SIREN: the practice of French CAs."""
        return f"0002 {self.siren}"

    @property
    def organisation_identifier(self) -> str:
        """Registration in the national trade register, EN 319 412-1 §5.1.4: « NTRFR-200081511 »."""
        return f"NTRFR-{self.siren}"


def checked_holder(
    *, given_name: str, surname: str, email: str, organisation: str, siren: str
) -> Holder:
    """A holder whose names are in NFC and hold nothing that could disguise or forge a subject.

    Control and bidirectional characters, `=`, `/` and letters of another alphabet are refused. An
    organisation longer than X.520 allows is cut. Raises UnfitName.
    """
    holder = Holder(
        given_name=_person_name(given_name, what="Le prénom"),
        surname=_person_name(surname, what="Le nom"),
        email=_email(email),
        organisation=_plain(organisation, what="Le nom de l’organisme")[:ORGANISATION_LENGTH],
        siren=siren,
    )
    if len(holder.common_name) > COMMON_NAME_LENGTH:
        raise UnfitName(
            f"« {holder.common_name} » dépasse les {COMMON_NAME_LENGTH} caractères d’un "
            "certificat : ne gardez que le premier prénom de la fiche de la personne."
        )
    return holder


def _person_name(text: str, *, what: str) -> str:
    name = _plain(text, what=what)
    odd = {c for c in name if not (c.isalpha() or c in _PUNCTUATION_OF_NAMES or _is_mark(c))}
    if odd or not any(character.isalpha() for character in name):
        raise _unfit(what, name)
    return name


def _plain(text: str, *, what: str) -> str:
    name = unicodedata.normalize("NFC", text.strip())
    hidden = any(unicodedata.category(character)[0] == "C" for character in name)
    if not name or hidden or "=" in name or _has_look_alike(name):
        raise _unfit(what, name)
    return normalise_spaces(name)


def _email(text: str) -> str:
    """The address with its case kept, since it is bound to the certificate; ASCII (RFC 5280)."""
    address = text.strip()
    if not address.isascii() or not address.isprintable() or address.count("@") != 1:
        raise UnfitName(
            f"L’adresse « {address} » ne peut pas figurer dans un certificat : donnez une adresse "
            "nominative sans accent, par exemple prenom.nom@commune.fr."
        )
    return address


def _has_look_alike(text: str) -> bool:
    """Whether a letter is of another alphabet: the Cyrillic « а » passes for ours on paper."""
    letters = (character for character in text if character.isalpha())
    return any(not unicodedata.name(letter, "").startswith("LATIN ") for letter in letters)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) == "Mn"


def _unfit(what: str, name: str) -> UnfitName:
    shown = "".join(c if c.isprintable() else "�" for c in name)
    return UnfitName(
        f"{what} « {shown} » contient un caractère qui ne va pas dans un certificat : "
        "corrigez la fiche avec les seuls caractères de la pièce d’identité."
    )
