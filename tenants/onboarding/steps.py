"""The steps of a case, as data. Pure: no Django.

Four tracks run side by side; inside a track a step waits for those it `requires`. What completes a
step is in `guards`, by the same codes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Track(StrEnum):
    """What a step is about."""

    ACTES = "actes"
    PEOPLE = "people"
    HELIOS = "helios"
    SERVICE = "service"


TRACK_LABELS: Final[dict[Track, str]] = {
    Track.ACTES: "Convention @CTES",
    Track.PEOPLE: "Certificats et formation",
    Track.HELIOS: "HELIOS",
    Track.SERVICE: "Mise en service",
}


class Owner(StrEnum):
    """Whose turn it is."""

    SYNDICAT = "syndicat"
    COMMUNE = "commune"
    PREFECTURE = "prefecture"
    DGFIP = "dgfip"


OWNER_LABELS: Final[dict[Owner, str]] = {
    Owner.SYNDICAT: "Syndicat",
    Owner.COMMUNE: "Commune",
    Owner.PREFECTURE: "Préfecture",
    Owner.DGFIP: "Comptable public (DGFiP)",
}
TO_OWNER: Final[dict[Owner, str]] = {
    Owner.SYNDICAT: "au syndicat",
    Owner.COMMUNE: "à la commune",
    Owner.PREFECTURE: "à la préfecture",
    Owner.DGFIP: "au comptable public",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: who carries it, what it waits for, and the papers it makes and takes.

    `due_days` are calendar days from the moment its turn comes. `dated` steps are completed by
    giving the day on which something was done outside; all others are computed from facts.
    `optional` steps may be set aside by the syndicat, with a reason.
    """

    code: str
    track: Track
    label: str
    owner: Owner
    requires: tuple[str, ...]
    due_days: int
    generates: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()
    dated: bool = False
    optional: bool = False


STEPS: Final[tuple[Step, ...]] = (
    Step(
        code="A0",
        track=Track.ACTES,
        label="Identité de la collectivité",
        owner=Owner.SYNDICAT,
        requires=(),
        due_days=3,
        generates=("fiche collectivité",),
    ),
    Step(
        code="A1",
        track=Track.ACTES,
        label="Adhésion et tarif",
        owner=Owner.COMMUNE,
        requires=("A0",),
        due_days=7,
        generates=("contrat",),
    ),
    Step(
        code="A2",
        track=Track.ACTES,
        label="Choix de l’opérateur",
        owner=Owner.SYNDICAT,
        requires=("A1",),
        due_days=3,
        generates=("fiche Références TdT",),
    ),
    Step(
        code="A3",
        track=Track.ACTES,
        label="Délibération",
        owner=Owner.COMMUNE,
        requires=("A2",),
        due_days=21,
        generates=("délibération",),
        uploads=("délibération signée", "preuve de transmission"),
    ),
    # The signature of the contract comes after the délibération which authorises it, while the
    # price is known before: one step of §3.6 of the practice becomes two.
    Step(
        code="M1",
        track=Track.ACTES,
        label="Marché ou adhésion signé",
        owner=Owner.COMMUNE,
        requires=("A1", "A3"),
        due_days=7,
        generates=("contrat",),
        uploads=("contrat signé",),
    ),
    Step(
        code="A4",
        track=Track.ACTES,
        label="Convention avec la préfecture",
        owner=Owner.COMMUNE,
        requires=("A2", "A3", "M1"),
        due_days=21,
        generates=("convention", "lettre d’envoi"),
        uploads=("convention signée",),
    ),
    Step(
        code="A5",
        track=Track.ACTES,
        label="Copie à l’opérateur",
        owner=Owner.SYNDICAT,
        requires=("A4",),
        due_days=3,
        generates=("bordereau d’envoi",),
        dated=True,
    ),
    Step(
        code="C1",
        track=Track.PEOPLE,
        label="Porteurs désignés",
        owner=Owner.COMMUNE,
        requires=("A1",),
        due_days=7,
        generates=("liste des utilisateurs",),
    ),
    Step(
        code="C2",
        track=Track.PEOPLE,
        label="Dossier de certificat",
        owner=Owner.COMMUNE,
        requires=("C1",),
        due_days=14,
    ),
    Step(
        code="C3",
        track=Track.PEOPLE,
        label="Remise du certificat",
        owner=Owner.SYNDICAT,
        requires=("C2",),
        due_days=14,
    ),
    Step(
        code="C4",
        track=Track.PEOPLE,
        label="Déclaration du certificat",
        owner=Owner.SYNDICAT,
        requires=("C3",),
        due_days=3,
    ),
    Step(
        code="F1",
        track=Track.PEOPLE,
        label="Inscription à la formation",
        owner=Owner.SYNDICAT,
        requires=("C1",),
        due_days=14,
    ),
    Step(
        code="F2",
        track=Track.PEOPLE,
        label="Présence à la formation",
        owner=Owner.COMMUNE,
        requires=("F1",),
        due_days=30,
    ),
    Step(
        code="H1",
        track=Track.HELIOS,
        label="Fiche budgétaire",
        owner=Owner.COMMUNE,
        requires=("A1",),
        due_days=14,
        generates=("fiche HELIOS",),
        optional=True,
    ),
    Step(
        code="H2",
        track=Track.HELIOS,
        label="Accord de la DGFiP",
        owner=Owner.DGFIP,
        requires=("H1",),
        due_days=21,
        optional=True,
    ),
    Step(
        code="H3",
        track=Track.HELIOS,
        label="Formulaire d’adhésion au PES",
        owner=Owner.COMMUNE,
        requires=("A2", "H2"),
        due_days=14,
        generates=("formulaire d’adhésion au PES",),
        uploads=("formulaire signé",),
        optional=True,
    ),
    Step(
        code="H4",
        track=Track.HELIOS,
        label="Premier flux PES acquitté",
        owner=Owner.SYNDICAT,
        requires=("H3",),
        due_days=14,
        optional=True,
    ),
    Step(
        code="T1",
        track=Track.SERVICE,
        label="Paramétrage chez l’opérateur",
        owner=Owner.SYNDICAT,
        requires=("A4", "C4"),
        due_days=3,
        generates=("fiche de paramétrage",),
        dated=True,
    ),
    Step(
        code="T2",
        track=Track.SERVICE,
        label="Premier envoi accompagné",
        owner=Owner.COMMUNE,
        requires=("T1", "F2"),
        due_days=7,
    ),
    Step(
        code="B1",
        track=Track.SERVICE,
        label="Logiciel prêt pour les actes budgétaires",
        owner=Owner.COMMUNE,
        requires=("A4",),
        due_days=30,
        dated=True,
        optional=True,
    ),
    Step(
        code="B2",
        track=Track.SERVICE,
        label="Premier document budgétaire",
        owner=Owner.COMMUNE,
        requires=("B1", "T2"),
        due_days=60,
        optional=True,
    ),
    Step(
        code="P1",
        track=Track.SERVICE,
        label="Mode de publicité des actes",
        owner=Owner.COMMUNE,
        requires=("T2",),
        due_days=30,
        dated=True,
        optional=True,
    ),
    Step(
        code="Z",
        track=Track.SERVICE,
        label="Renonciation",
        owner=Owner.COMMUNE,
        requires=(),
        due_days=30,
        generates=("lettre de renonciation",),
        optional=True,
    ),
)
BY_CODE: Final[dict[str, Step]] = {step.code: step for step in STEPS}


def of_track(track: Track) -> tuple[Step, ...]:
    """The steps of one track, in order."""
    return tuple(step for step in STEPS if step.track is track)
