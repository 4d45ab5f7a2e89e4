"""How papers name bodies, places and days."""

from datetime import date

from socle.directory.facts import load
from socle.directory.models import Organisation, OrganisationKind
from socle.web import formats

BLANK = "……………………………"
"""What is left to write by hand."""

_ASSEMBLIES = {
    OrganisationKind.COMMUNE: "conseil municipal",
    OrganisationKind.EPCI: "conseil communautaire",
    OrganisationKind.SYNDICAT: "comité syndical",
}


def full_name(organisation: Organisation) -> str:
    """« Commune de Melle »; a body that is no commune bears its own name."""
    if organisation.kind != OrganisationKind.COMMUNE:
        return organisation.name
    return f"Commune {of_commune(organisation)}"


def of_commune(organisation: Organisation) -> str:
    """« de Melle », « d’Aigondigné », « du Vert »; « de » for what INSEE does not know."""
    known = load().commune(organisation.insee or "")
    return known.of.replace("'", "’") if known else f"de {organisation.name}"


def the_body(organisation: Organisation) -> str:
    """« la commune de Melle », « l’établissement Communauté de communes … »."""
    name = full_name(organisation)
    if organisation.kind == OrganisationKind.COMMUNE:
        return f"la {name[0].lower()}{name[1:]}"
    return f"l’établissement « {name} »"


def assembly(organisation: Organisation) -> str:
    """« conseil municipal »."""
    return _ASSEMBLIES.get(OrganisationKind(organisation.kind), "conseil d’administration")


def head(organisation: Organisation) -> str:
    """« le maire » or « le président »."""
    return "le maire" if organisation.kind == OrganisationKind.COMMUNE else "le président"


def departement(organisation: Organisation) -> str:
    """« Département des Deux-Sèvres », or "" when it is not known."""
    known = load().departement(organisation.departement.removeprefix("0"))
    return f"Département {known.of}".replace("'", "’") if known else ""


def arrondissement(organisation: Organisation) -> str:
    """« Arrondissement de Niort », or "" when it is not known."""
    code = f"{organisation.departement.removeprefix('0')}{organisation.arrondissement}"
    known = load().arrondissement(code)
    return f"Arrondissement {known.of}".replace("'", "’") if known else ""


def departement_name(organisation: Organisation) -> str:
    """« Deux-Sèvres », or ""."""
    known = load().departement(organisation.departement.removeprefix("0"))
    return known.name if known else ""


def arrondissement_name(organisation: Organisation) -> str:
    """« Niort », or ""."""
    code = f"{organisation.departement.removeprefix('0')}{organisation.arrondissement}"
    known = load().arrondissement(code)
    return known.name if known else ""


def the(name: str) -> str:
    """A body inside a sentence: « le Syndicat mixte … », « « Numérique 79 » »."""
    return f"le {name}" if name.startswith("Syndicat") else f"« {name} »"


def of_the(name: str) -> str:
    """« du Syndicat mixte … », « de « Numérique 79 » »."""
    return f"du {name}" if name.startswith("Syndicat") else f"de « {name} »"


def prefet_title(organisation: Organisation) -> str:
    """« Préfet des Deux-Sèvres »: what a convention proposes before somebody corrects it."""
    known = load().departement(organisation.departement.removeprefix("0"))
    return f"Préfet {known.of}".replace("'", "’") if known else "Préfet"


def address(organisation: Organisation) -> str:
    """« Place Bujault, 79500 Melle »."""
    town = f"{organisation.postal_code} {organisation.name}".strip()
    if organisation.kind != OrganisationKind.COMMUNE:
        town = organisation.postal_code
    return ", ".join(part for part in (organisation.address, town) if part)


def long_date(day: date | None) -> str:
    """« 24 novembre 2026 », or a blank to fill in."""
    return formats.day(day).partition(" ")[2] if day else BLANK


def or_blank(value: object) -> str:
    """The value, or a blank to fill in by hand for None and ""."""
    return BLANK if value in (None, "") else str(value)
