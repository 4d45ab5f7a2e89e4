"""What is public about France's communes and their groupings, shipped with the platform.

The facts are read once, from one compressed file that `socle.directory.facts.build` makes;
`NOTICE.md` gives their sources, dates and licence.
"""

import json
import lzma
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from socle.core.identifiers import departement_of
from socle.directory.facts.names import Liaison, of_territory, of_town

FILE: Final = Path(__file__).with_name("cog.json.xz")


class FormerKind(StrEnum):
    """What a commune has become inside another one; neither kind is a legal person."""

    DELEGUEE = "deleguee"
    ASSOCIEE = "associee"


class Header(NamedTuple):
    """Where the facts come from and what day and years they describe."""

    title: str
    package: str
    version: str
    cog_date: str
    population_year: int
    population_totale_year: int
    population_years: Mapping[str, int | None]
    licence: str
    licence_url: str
    sources: Sequence[str]


class Region(NamedTuple):
    code: str
    name: str
    chef_lieu: str


class Departement(NamedTuple):
    """A département, or an overseas collectivity that is none (`zone == "com"`)."""

    code: str
    name: str
    liaison: Liaison
    region: str
    chef_lieu: str
    zone: str

    @property
    def of(self) -> str:
        """« des Deux-Sèvres »."""
        return of_territory(self.name, self.liaison)


class Arrondissement(NamedTuple):
    """A sub-prefect's district; `code` is the département's and one character more."""

    code: str
    name: str
    liaison: Liaison
    departement: str
    chef_lieu: str

    @property
    def of(self) -> str:
        """« de Bressuire »."""
        return of_town(self.name, self.liaison)


class Commune(NamedTuple):
    """A commune of today.

    `population` is the *population municipale*, `population_totale` comes from another file and
    may be of another year: see `Facts.population_year` and `Header.population_totale_year`.
    `siren`, `arrondissement`, `epci_siren` are "" and the populations None where there is none.
    """

    insee: str
    name: str
    liaison: Liaison
    siren: str
    departement: str
    region: str
    arrondissement: str
    epci_siren: str
    population: int | None
    population_totale: int | None
    postal_codes: tuple[str, ...]
    former_codes: tuple[str, ...]

    @property
    def of(self) -> str:
        """« de Melle », « d'Aigondigné », « du Vert »."""
        return of_town(self.name, self.liaison)

    @property
    def district(self) -> str:
        """The arrondissement as ACTES writes it (`IDCL`): its last character, or ""."""
        return self.arrondissement[-1:]


class FormerCommune(NamedTuple):
    """A *commune déléguée* or *associée*: a part of `chef_lieu`, never a legal person."""

    insee: str
    name: str
    kind: FormerKind
    chef_lieu: str


class Epci(NamedTuple):
    """An *EPCI à fiscalité propre*; `type` is CC, CA, CU, METRO or MET69, `financing` FPU or FA.

    Both populations come from the DGCL's file and are of `Header.population_totale_year`.
    """

    siren: str
    name: str
    type: str
    financing: str
    population_totale: int
    population_municipale: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """The whole directory, with the questions it answers. An unknown code is answered by None."""

    header: Header
    regions: tuple[Region, ...]
    departements: tuple[Departement, ...]
    arrondissements: tuple[Arrondissement, ...]
    communes: tuple[Commune, ...]
    former_communes: tuple[FormerCommune, ...]
    epcis: tuple[Epci, ...]

    def commune(self, insee: str) -> Commune | None:
        return self._communes.get(insee)

    def commune_of_siren(self, siren: str) -> Commune | None:
        return self._communes_by_siren.get(siren)

    def former_commune(self, insee: str) -> FormerCommune | None:
        return self._former_communes.get(insee)

    def epci(self, siren: str) -> Epci | None:
        return self._epcis.get(siren)

    def departement(self, code: str) -> Departement | None:
        return self._departements.get(code)

    def arrondissement(self, code: str) -> Arrondissement | None:
        return self._arrondissements.get(code)

    def members(self, epci_siren: str) -> tuple[Commune, ...]:
        """The communes of an EPCI in the order of the DGCL's file."""
        epci = self.epci(epci_siren)
        return tuple(self._communes[insee] for insee in epci.members) if epci else ()

    def communes_of_departement(self, code: str) -> tuple[Commune, ...]:
        """The communes of a département in the order of their codes."""
        return self._communes_by_departement.get(code, ())

    def successor(self, insee: str) -> Commune | None:
        """The commune of today that holds the territory of a code which is no longer one.

        None for a code of today, and for one that nobody remembers.
        """
        return self._communes.get(self._successors.get(insee, ""))

    def population_year(self, insee: str) -> int | None:
        """The reference year of a commune's `population`; None where the source gives none."""
        return self.header.population_years.get(departement_of(insee), self.header.population_year)

    @cached_property
    def _communes(self) -> dict[str, Commune]:
        return {commune.insee: commune for commune in self.communes}

    @cached_property
    def _communes_by_siren(self) -> dict[str, Commune]:
        return {commune.siren: commune for commune in self.communes if commune.siren}

    @cached_property
    def _communes_by_departement(self) -> dict[str, tuple[Commune, ...]]:
        groups: defaultdict[str, list[Commune]] = defaultdict(list)
        for commune in self.communes:
            groups[commune.departement].append(commune)
        return {code: tuple(group) for code, group in groups.items()}

    @cached_property
    def _former_communes(self) -> dict[str, FormerCommune]:
        return {former.insee: former for former in self.former_communes}

    @cached_property
    def _epcis(self) -> dict[str, Epci]:
        return {epci.siren: epci for epci in self.epcis}

    @cached_property
    def _departements(self) -> dict[str, Departement]:
        return {departement.code: departement for departement in self.departements}

    @cached_property
    def _arrondissements(self) -> dict[str, Arrondissement]:
        return {arrondissement.code: arrondissement for arrondissement in self.arrondissements}

    @cached_property
    def _successors(self) -> dict[str, str]:
        merged = {former.insee: former.chef_lieu for former in self.former_communes}
        older = {old: commune.insee for commune in self.communes for old in commune.former_codes}
        return {old: new for old, new in (older | merged).items() if old not in self._communes}


@cache
def load() -> Facts:
    """Return the facts shipped with the platform, read on the first call only."""
    return parse(lzma.decompress(FILE.read_bytes()))


def parse(document: bytes) -> Facts:
    """Read the JSON document, UTF-8, that `socle.directory.facts.build` writes."""
    raw = json.loads(document)
    epcis = tuple(Epci(*row)._replace(members=tuple(row[-1].split())) for row in raw["epcis"])
    departements = tuple(
        Departement(code, name, Liaison(liaison), *rest)
        for code, name, liaison, *rest in raw["departements"]
    )
    return Facts(
        header=Header(**raw["header"]),
        regions=tuple(Region(*row) for row in raw["regions"]),
        departements=departements,
        arrondissements=tuple(
            Arrondissement(code, name, Liaison(liaison), *rest)
            for code, name, liaison, *rest in raw["arrondissements"]
        ),
        communes=_communes(raw["communes"], departements, epcis),
        former_communes=tuple(
            FormerCommune(insee, name, FormerKind(kind), chef_lieu)
            for insee, name, kind, chef_lieu in raw["former_communes"]
        ),
        epcis=epcis,
    )


def _communes(
    rows: Sequence[Sequence[Any]], departements: Sequence[Departement], epcis: Sequence[Epci]
) -> tuple[Commune, ...]:
    region_of = {departement.code: departement.region for departement in departements}
    epci_of = {insee: epci.siren for epci in epcis for insee in epci.members}
    liaisons = {int(liaison): liaison for liaison in Liaison}
    return tuple(
        Commune(
            insee,
            name,
            liaisons[liaison],
            siren,
            departement_of(insee),
            region_of[departement_of(insee)],
            arrondissement,
            epci_of.get(insee, ""),
            population,
            population_totale,
            tuple(postal_codes.split()),
            tuple(former_codes.split()),
        )
        for (
            insee,
            name,
            liaison,
            siren,
            arrondissement,
            population,
            population_totale,
            postal_codes,
            former_codes,
        ) in rows
    )
