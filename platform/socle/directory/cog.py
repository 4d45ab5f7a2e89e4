"""What a new year of the Code officiel géographique changes in the directory. Pure.

`changes` compares what the directory knows with the facts and says what an import would do; it
writes nothing. Applying the plan and comparing again gives an empty plan. Rules of matching:

* A SIREN is a legal person: a commune whose code stays and whose SIREN changes (a *commune
  nouvelle* takes the code of its chef-lieu) is a new body, and the former one is closed.
* Without a SIREN on one side, the INSEE code decides, and the SIREN is a field to fill in.
* Nothing is ever deleted: what disappeared is closed, with its successor when the facts name one.
* Where the facts are silent (no population, no arrondissement) the directory keeps what it has.
"""

from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Final

from socle.core.identifiers import actes_departement
from socle.directory.facts import Commune, Epci, Facts, FormerCommune


class Kind(StrEnum):
    """The kinds of bodies on which the facts are complete; the others are left alone."""

    COMMUNE = "commune"
    EPCI = "epci"


class Reason(StrEnum):
    """Why a body is closed."""

    MERGED = "merged"
    NEW_LEGAL_PERSON = "new-legal-person"
    ABSENT = "absent"


@dataclass(frozen=True, kw_only=True)
class KnownOrganisation:
    """A body as the directory knows it, or as the facts describe it.

    `departement`, `arrondissement` and `nature` are written as ACTES does: `079`, `2`, `31`.
    `insee` is for communes only, `population` is municipal. What does not apply is "".
    """

    kind: str
    name: str
    siren: str = ""
    insee: str = ""
    nature: str = ""
    departement: str = ""
    arrondissement: str = ""
    epci_siren: str = ""
    population: int | None = None
    closed_on: date | None = None


@dataclass(frozen=True)
class KnownFormer:
    """A commune déléguée or associée as the directory knows it: a part of its chef-lieu."""

    insee: str
    name: str
    chef_lieu: str


@dataclass(frozen=True)
class FieldChange:
    """One field of one body; `old` and `new` have the type the field has."""

    field: str
    old: object
    new: object


@dataclass(frozen=True)
class Change:
    """A body that goes on with other particulars; never empty.

    A closed body that is found again in the facts has a change of `closed_on` to None.
    """

    known: KnownOrganisation
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class Closure:
    """A body that is no more; `successor` is the commune which holds its territory today."""

    known: KnownOrganisation
    reason: Reason
    successor: Commune | None = None


@dataclass(frozen=True)
class Plan:
    """What an import would do; `unchanged` counts the bodies it would leave as they are.

    `former_recorded` are the communes déléguées and associées to write down, or to correct, as
    parts of their chef-lieu; `former_dropped` are those that are no longer one. `rejected` would
    be created if the facts gave them the SIREN by which the directory names a body.
    """

    created: tuple[KnownOrganisation, ...]
    changed: tuple[Change, ...]
    closed: tuple[Closure, ...]
    former_recorded: tuple[FormerCommune, ...]
    former_dropped: tuple[KnownFormer, ...]
    rejected: tuple[KnownOrganisation, ...]
    unchanged: int

    @property
    def is_empty(self) -> bool:
        """Whether an import would write nothing."""
        steps = (self.created, self.changed, self.closed, self.former_recorded, self.former_dropped)
        return not any(steps)


def territory(
    facts: Facts, *, departements: Iterable[str] = (), epcis: Iterable[str] = ()
) -> frozenset[str]:
    """The communes (INSEE codes) of some départements and EPCI, and the EPCI (SIREN) they form."""
    communes = [
        *(c for code in departements for c in facts.communes_of_departement(code)),
        *(c for siren in epcis for c in facts.members(siren)),
    ]
    codes = {commune.insee for commune in communes}
    return frozenset(codes | {commune.epci_siren for commune in communes if commune.epci_siren})


# The facts give the métropoles no nature, the EPCI no seat, and lack some other particulars.
_MAY_BE_SILENT: Final = frozenset(
    {"siren", "nature", "departement", "arrondissement", "population"}
)

_ACTES_NATURES: Final = {"CC": "44", "CU": "45", "CA": "46"}

_Pair = tuple[KnownOrganisation, KnownOrganisation | None]


def changes(
    known: Iterable[KnownOrganisation],
    facts: Facts,
    *,
    known_former: Iterable[KnownFormer] = (),
    wanted: Collection[str] | None = None,
) -> Plan:
    """Compare the directory with the facts.

    `known` may hold closed bodies, and bodies of kinds the facts ignore: those are passed over.
    `wanted` limits what may be created to some INSEE codes and EPCI SIRENs, as `territory` gives
    them (None: everything in France). Created all the same: the successor of a closed body, and
    the EPCI of any commune. What is already known is compared wherever it is.
    EPCI come before communes in `created`.
    """
    pairs = _pairs([body for body in known if body.kind in set(Kind)], facts)
    targets = [target for _, target in pairs if target]
    changed = tuple(
        change for body, target in pairs if target and (change := _change(body, target))
    )
    closed = tuple(_closure(body, facts) for body, target in pairs if _disappears(body, target))
    new = _new(
        facts, {_code(target) for target in targets}, _needed(facts, targets, closed, wanted)
    )
    created = tuple(body for body in new if body.siren)
    recorded, dropped = _former(facts, known_former, {body.insee for body in (*targets, *created)})
    return Plan(
        created,
        changed,
        closed,
        recorded,
        dropped,
        rejected=tuple(body for body in new if not body.siren),
        unchanged=len(targets) - len(changed),
    )


def commune_organisation(commune: Commune) -> KnownOrganisation:
    """A commune of the facts as the directory would know it."""
    return KnownOrganisation(
        kind=Kind.COMMUNE,
        name=commune.name,
        siren=commune.siren,
        insee=commune.insee,
        nature="31",
        departement=actes_departement(commune.departement),
        arrondissement=commune.district,
        epci_siren=commune.epci_siren,
        population=commune.population,
    )


def epci_organisation(epci: Epci) -> KnownOrganisation:
    """An EPCI of the facts as the directory would know it."""
    return KnownOrganisation(
        kind=Kind.EPCI,
        name=epci.name,
        siren=epci.siren,
        nature=_ACTES_NATURES.get(epci.type, ""),
        population=epci.population_municipale,
    )


def _code(body: KnownOrganisation) -> str:
    return body.insee if body.kind == Kind.COMMUNE else body.siren


def _needed(
    facts: Facts,
    targets: Sequence[KnownOrganisation],
    closed: Sequence[Closure],
    wanted: Collection[str] | None,
) -> frozenset[str] | None:
    """The codes that the directory must hold after the import; None for all."""
    if wanted is None:
        return None
    successors = {closure.successor.insee for closure in closed if closure.successor}
    communes = (facts.commune(code) for code in (*wanted, *successors))
    epcis = {c.epci_siren for c in communes if c} | {target.epci_siren for target in targets}
    return frozenset(successors.union(wanted, epcis))


def _new(
    facts: Facts, held: Container[str], needed: Container[str] | None
) -> tuple[KnownOrganisation, ...]:
    def is_new(code: str) -> bool:
        return code not in held and (needed is None or code in needed)

    return (
        *(epci_organisation(epci) for epci in facts.epcis if is_new(epci.siren)),
        *(commune_organisation(commune) for commune in facts.communes if is_new(commune.insee)),
    )


def _pairs(bodies: Sequence[KnownOrganisation], facts: Facts) -> list[_Pair]:
    """Each body with what the facts say of it: by SIREN first, then by INSEE code."""
    by_siren = [(body, _of_siren(body, facts)) for body in bodies]
    taken = {_code(target) for _, target in by_siren if target}
    return [(body, target or _of_insee(body, facts, taken)) for body, target in by_siren]


def _of_siren(body: KnownOrganisation, facts: Facts) -> KnownOrganisation | None:
    if body.kind == Kind.EPCI:
        epci = facts.epci(body.siren)
        return epci_organisation(epci) if epci else None
    commune = facts.commune_of_siren(body.siren)
    return commune_organisation(commune) if commune else None


def _of_insee(
    body: KnownOrganisation, facts: Facts, taken: Container[str]
) -> KnownOrganisation | None:
    commune = facts.commune(body.insee)
    if commune is None or commune.insee in taken or body.closed_on:
        return None
    contradicts = body.siren and commune.siren
    return None if contradicts else commune_organisation(commune)


def _change(body: KnownOrganisation, target: KnownOrganisation) -> Change | None:
    differences = tuple(
        FieldChange(field.name, old, new)
        for field in fields(body)
        if (old := getattr(body, field.name)) != (new := getattr(target, field.name))
        and not (field.name in _MAY_BE_SILENT and new in ("", None))
    )
    return Change(body, differences) if differences else None


def _disappears(body: KnownOrganisation, target: KnownOrganisation | None) -> bool:
    return target is None and body.closed_on is None


def _closure(body: KnownOrganisation, facts: Facts) -> Closure:
    same_code = facts.commune(body.insee)
    if same_code:
        return Closure(body, Reason.NEW_LEGAL_PERSON, same_code)
    successor = facts.successor(body.insee)
    return Closure(body, Reason.MERGED if successor else Reason.ABSENT, successor)


def _former(
    facts: Facts, known_former: Iterable[KnownFormer], chefs_lieux: Container[str]
) -> tuple[tuple[FormerCommune, ...], tuple[KnownFormer, ...]]:
    known = {former.insee: former for former in known_former}
    recorded = tuple(
        former
        for former in facts.former_communes
        if former.chef_lieu in chefs_lieux and known.get(former.insee) != _as_known(former)
    )
    dropped = tuple(f for f in known.values() if facts.former_commune(f.insee) is None)
    return recorded, dropped


def _as_known(former: FormerCommune) -> KnownFormer:
    return KnownFormer(former.insee, former.name, former.chef_lieu)
