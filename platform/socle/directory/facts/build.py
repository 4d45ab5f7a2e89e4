"""Make `cog.json.xz` from the npm package `@etalab/decoupage-administratif`.

For maintainers, once a year when the package follows the new Code officiel géographique:

    npm pack @etalab/decoupage-administratif && tar xzf etalab-decoupage-administratif-*.tgz
    python -m socle.directory.facts.build package

The same package always gives the same bytes. A new version needs its line in `VINTAGES` first:
the years of the populations are written nowhere in the package's data, only in its read-me.
"""

import json
import lzma
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from socle.core.identifiers import departement_of
from socle.core.text import fold
from socle.directory.facts import FILE, FormerKind
from socle.directory.facts.names import Liaison


class Vintage(NamedTuple):
    """What one version of the package describes."""

    cog_date: str
    population_year: int
    population_totale_year: int


VINTAGES: Final = {
    # The municipal populations of the DGCL's file are those INSEE published for 2022 (equal for
    # 34 816 of 34 871 communes), so its total populations are of that year too.
    "6.0.0": Vintage("2026-01-01", population_year=2023, population_totale_year=2022),
}

# Mayotte was last counted in 2017; the other collectivities have each their own census year.
POPULATION_YEARS: Final = {
    "976": 2017,
    **dict.fromkeys(("975", "977", "978", "984", "986", "987", "988", "989"), None),
}

_FORMER_KINDS: Final = {
    "commune-deleguee": FormerKind.DELEGUEE,
    "commune-associee": FormerKind.ASSOCIEE,
}

_Rows = Iterable[Sequence[Any]]


def build(package: Path) -> bytes:
    """Return the compressed facts made from an unpacked npm package."""
    version = _read(package / "package.json")["version"]
    data = package / "data"
    communes, epcis = _read(data / "communes.json"), _read(data / "epci.json")
    tables: dict[str, _Rows] = {
        "regions": [(r["code"], r["nom"], r["chefLieu"]) for r in _read(data / "regions.json")],
        "departements": map(_departement, _read(data / "departements.json")),
        "arrondissements": map(_arrondissement, _read(data / "arrondissements.json")),
        "communes": _communes(communes, epcis),
        "former_communes": map(_former, (c for c in communes if c["type"] in _FORMER_KINDS)),
        "epcis": map(_epci, epcis),
    }
    document = _document(_header(version), tables)
    return lzma.compress(document.encode(), preset=9 | lzma.PRESET_EXTREME)


def main(arguments: Sequence[str]) -> None:
    """Write the file beside this module; the one argument is the unpacked package's folder."""
    (folder,) = arguments
    written = FILE.write_bytes(build(Path(folder)))
    sys.stdout.write(f"{FILE.name}: {written} bytes\n")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _header(version: str) -> dict[str, Any]:
    return {
        "title": "Communes, EPCI à fiscalité propre, arrondissements, départements et régions",
        "package": "@etalab/decoupage-administratif",
        "version": version,
        **VINTAGES[version]._asdict(),
        "population_years": POPULATION_YEARS,
        "licence": "Licence Ouverte / Open Licence 2.0 (Etalab)",
        "licence_url": "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
        "sources": [
            "INSEE, Code officiel géographique",
            "INSEE, populations de référence",
            "DGCL, liste et composition des EPCI à fiscalité propre",
            "La Poste, base officielle des codes postaux",
        ],
    }


def _departement(row: dict[str, Any]) -> Sequence[Any]:
    keys = ("code", "nom", "typeLiaison", "region", "chefLieu", "zone")
    return [row[key] for key in keys]


def _arrondissement(row: dict[str, Any]) -> Sequence[Any]:
    return [row[key] for key in ("code", "nom", "typeLiaison", "departement", "chefLieu")]


def _communes(communes: list[dict[str, Any]], epcis: list[dict[str, Any]]) -> _Rows:
    totals = {m["code"]: m["populationTotale"] for epci in epcis for m in epci["membres"]}
    for row in communes:
        if row["type"] == "commune-actuelle":
            yield _commune(row, totals.get(row["code"]))


def _commune(row: dict[str, Any], population_totale: int | None) -> Sequence[Any]:
    if row["departement"] != departement_of(row["code"]):
        raise ValueError(f"{row['code']} is not in the département its code says")
    return [
        row["code"],
        row["nom"],
        row.get("typeLiaison", _liaison(row["nom"])),
        row.get("siren", ""),
        row.get("arrondissement", ""),
        row.get("population"),
        population_totale,
        " ".join(row.get("codesPostaux", ())),
        " ".join(row.get("anciensCodes", ())),
    ]


def _liaison(name: str) -> Liaison:
    """The TNCC that INSEE does not give to the names of the overseas collectivities."""
    first = fold(name).partition(" ")[0]
    articles = {"le": Liaison.LE, "la": Liaison.LA, "les": Liaison.LES, "l": Liaison.L_APOSTROPHE}
    return articles.get(first, Liaison.VOWEL if first[0] in "aeiou" else Liaison.CONSONANT)


def _former(row: dict[str, Any]) -> Sequence[Any]:
    return [row["code"], row["nom"], _FORMER_KINDS[row["type"]], row["chefLieu"]]


def _epci(row: dict[str, Any]) -> Sequence[Any]:
    keys = ("code", "nom", "type", "modeFinancement", "populationTotale", "populationMunicipale")
    return [*(row[key] for key in keys), " ".join(member["code"] for member in row["membres"])]


def _document(header: dict[str, Any], tables: dict[str, _Rows]) -> str:
    """One JSON object, sorted, one row a line, so that two years can be compared with diff."""
    parts = [f'"header": {json.dumps(header, ensure_ascii=False, indent=1)}']
    for name, rows in tables.items():
        lines = sorted(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        parts.append(f'"{name}": [\n' + ",\n".join(lines) + "\n]")
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    main(sys.argv[1:])
