"""The offices of the State that a commune deals with: préfecture, sous-préfecture, comptable.

No open list of them is shipped: préfectures and sous-préfectures are deduced from the Code officiel
géographique (each has its seat in the chef-lieu), the accounting offices are written here.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from socle.core.identifiers import actes_departement
from socle.directory.facts import Arrondissement, Commune, Departement, Facts

DEUX_SEVRES: Final = "79"


class OfficeKind(StrEnum):
    """What the office does for a commune."""

    PREFECTURE = "prefecture"
    SUB_PREFECTURE = "sous_prefecture"
    ACCOUNTING_SERVICE = "sgc"


class Office(NamedTuple):
    """One office; `seat` is the INSEE code of its town.

    `departement` and `arrondissement` are written as ACTES does (`079`, `2`); the arrondissement is
    "" for an accounting service. `verified` says whether another source than the deduction
    confirms the office, its name and its seat: a screen shows the others as « à vérifier ».
    """

    kind: OfficeKind
    name: str
    departement: str
    arrondissement: str
    seat: str
    verified: bool


# The service de gestion comptable of the Mellois was not found in any source that can be cited.
ACCOUNTING_SERVICES: Final = (
    Office(OfficeKind.ACCOUNTING_SERVICE, "SGC de Melle", "079", "", "79174", verified=False),
)


def prefecture(facts: Facts, departement: Departement) -> Office:
    """The préfecture of a département; it also serves the arrondissement of its chef-lieu."""
    own = _arrondissement_of_seat(facts, departement)
    return Office(
        OfficeKind.PREFECTURE,
        f"Préfecture {departement.of}",
        actes_departement(departement.code),
        own.code[-1] if own else "",
        departement.chef_lieu,
        verified=departement.code == DEUX_SEVRES,
    )


def offices_of(facts: Facts, departement_code: str) -> tuple[Office, ...]:
    """The préfecture, the sous-préfectures and the known accounting services of a département.

    `departement_code` is the one of the facts: `79`, `2A`, `971`.

    Empty for an unknown code and for the overseas collectivities that have no préfecture.
    """
    departement = facts.departement(departement_code)
    if departement is None or departement.zone == "com":
        return ()
    return (
        prefecture(facts, departement),
        *(
            _sub_prefecture(arrondissement)
            for arrondissement in facts.arrondissements
            if arrondissement.departement == departement_code
            and arrondissement.chef_lieu != departement.chef_lieu
        ),
        *(o for o in ACCOUNTING_SERVICES if o.departement == actes_departement(departement_code)),
    )


def control_office(facts: Facts, commune: Commune) -> Office | None:
    """The office that controls a commune's acts: the one of its arrondissement.

    A préfet may decide otherwise (some give every act to the préfecture): it is a first proposal.
    """
    offices = offices_of(facts, commune.departement)
    own = (office for office in offices if office.arrondissement == commune.district != "")
    return next(own, offices[0] if offices else None)


def _sub_prefecture(arrondissement: Arrondissement) -> Office:
    return Office(
        OfficeKind.SUB_PREFECTURE,
        f"Sous-préfecture {arrondissement.of}",
        actes_departement(arrondissement.departement),
        arrondissement.code[-1],
        arrondissement.chef_lieu,
        verified=arrondissement.departement == DEUX_SEVRES,
    )


def _arrondissement_of_seat(facts: Facts, departement: Departement) -> Arrondissement | None:
    seats = (a for a in facts.arrondissements if a.chef_lieu == departement.chef_lieu)
    return next(seats, None)
