"""French names of places after « de »: « de Melle », « du Vert », « des Deux-Sèvres ».

INSEE gives each name a code, TNCC (*type de nom en clair*), which says what article it has.
"""

from enum import IntEnum
from typing import Final


class Liaison(IntEnum):
    """The TNCC codes of the Code officiel géographique that occur in the facts."""

    CONSONANT = 0
    VOWEL = 1
    LE = 2
    LA = 3
    LES = 4
    L_APOSTROPHE = 5
    AUX = 6
    LOS = 8


_WITH_ARTICLE: Final = {
    Liaison.CONSONANT: "de ",
    Liaison.VOWEL: "d'",
    Liaison.LE: "du ",
    Liaison.LA: "de la ",
    Liaison.LES: "des ",
    Liaison.L_APOSTROPHE: "de l'",
}


def of_town(name: str, liaison: Liaison) -> str:
    """Return « de » and a commune's or arrondissement's name, which is written with its article.

    « Melle » → « de Melle », « Le Vert » → « du Vert », « La Crèche » → « de La Crèche ».
    """
    if liaison in (Liaison.LE, Liaison.LES):
        return _WITH_ARTICLE[liaison] + name.partition(" ")[2]
    return ("d'" if liaison in (Liaison.VOWEL, Liaison.AUX) else "de ") + name


def of_territory(name: str, liaison: Liaison) -> str:
    """Return « de » and a département's name, which is written without its article.

    « Deux-Sèvres » → « des Deux-Sèvres », « Ain » → « de l'Ain », « Mayotte » → « de Mayotte ».
    """
    return _WITH_ARTICLE[liaison] + name
