"""The numbers that name a body, a commune and a State office in France."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from socle.core.refusals import Refusal

LA_POSTE: Final = "356000000"
LA_POSTE_HEAD_OFFICE: Final = "35600000000048"
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"

# Metropolitan départements without Corsica (the code 20 disappeared in 1976), then overseas.
_DEPARTEMENTS: Final = frozenset(
    {f"{number:02d}" for number in range(1, 96) if number != 20}
    | {"2A", "2B"}
    | {"971", "972", "973", "974", "975", "976", "977", "978", "984", "986", "987", "988", "989"}
)

ACTES_NATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "11": "Conseil régional",
        "12": "Établissement public local d'enseignement (région)",
        "14": "Société d'économie mixte locale (région)",
        "21": "Conseil départemental",
        "22": "Établissement public de santé (département)",
        "23": "Établissement public local d'enseignement (département)",
        "24": "Autre établissement public (département)",
        "25": "Société d'économie mixte locale (département)",
        "31": "Commune",
        "32": "Établissement public de santé (commune)",
        "33": "Autre établissement public (commune), dont CCAS et caisse des écoles",
        "34": "Société d'économie mixte locale (commune)",
        "41": "Syndicat de communes ou syndicat mixte fermé",
        "42": "Syndicat mixte ouvert",
        "43": "Syndicat d'agglomération nouvelle",
        "44": "Communauté de communes",
        "45": "Communauté urbaine",
        "46": "Communauté d'agglomération",
        "47": "Société d'économie mixte locale (intercommunalité)",
        "51": "Service départemental d'incendie et de secours",
        "52": "Entente interdépartementale",
        "53": "Entente interrégionale",
        "54": "Autre société d'économie mixte locale",
        "55": "Autre organisme",
        "61": "Association syndicale autorisée",
        "62": "Association foncière urbaine autorisée",
        "63": "Association foncière de remembrement",
        "71": "Autre",
        "72": "Société publique locale",
        "73": "Société d'économie mixte locale",
        "74": "Commission syndicale pour la gestion des biens indivis des communes",
    }
)
"""Nature of the emitting body in ACTES (`CodeNature` of `IDCL`), with a label for people."""


class InvalidIdentifier(Refusal):
    """An identifier does not have the form or the control key that its rule demands."""

    code = "invalid-identifier"


def luhn(digits: str) -> bool:
    """Say whether a string of ASCII digits satisfies the Luhn formula (ISO/IEC 7812-1)."""
    return _luhn_sum(digits) % 10 == 0


def luhn_key(digits: str) -> str:
    """Return the digit which, written after `digits`, makes the whole satisfy Luhn."""
    return str(-_luhn_sum(digits + "0") % 10)


def check_siren(text: str) -> str:
    """Return the 9 digits of a SIREN typed with or without spaces; refuse a wrong length or key."""
    digits = _digits(text, length=9, name="SIREN", field="siren")
    # Nine zeros satisfy the formula, but INSEE gives that number to nobody.
    if not luhn(digits) or digits == "000000000":
        raise _wrong_key("SIREN", text, field="siren")
    return digits


def check_siret(text: str) -> str:
    """Return the 14 digits of a SIRET typed with or without spaces; refuse a wrong length or key.

    The establishments of La Poste follow another rule than Luhn: the sum of their digits is a
    multiple of five. Only its head office follows Luhn.
    """
    digits = _digits(text, length=14, name="SIRET", field="siret")
    if not _siret_key_is_right(digits) or siren_of(digits) == "000000000":
        raise _wrong_key("SIRET", text, field="siret")
    return digits


def siren_of(siret: str) -> str:
    """Return the SIREN of the body to which a checked SIRET belongs."""
    return siret[:9]


def complete_siren(first_eight: str) -> str:
    """Add the control key to eight digits: a well-formed SIREN for fictitious bodies."""
    return first_eight + luhn_key(first_eight)


def siret_of(siren: str, establishment: int = 1) -> str:
    """Return the SIRET of the n-th establishment of a body: SIREN, rank on 4 digits, control key.

    The result is well formed; whether INSEE has opened that establishment is another matter.
    """
    stem = f"{siren}{establishment:04d}"
    return stem + luhn_key(stem)


def format_siren(siren: str) -> str:
    """Write a SIREN for people, by groups of three: « 200 081 511 »."""
    return NO_BREAK_SPACE.join((siren[:3], siren[3:6], siren[6:9]))


def format_siret(siret: str) -> str:
    """Write a SIRET for people: the SIREN by groups of three, then the five digits of the NIC."""
    return f"{format_siren(siret)}{NO_BREAK_SPACE}{siret[9:]}"


def check_insee_commune(code: str) -> str:
    """Return a commune's code of the Code officiel géographique: 5 characters, `2A004`, `97411`.

    Form and département are checked, not existence: a former commune keeps a valid code.
    """
    cleaned = _without_spaces(code).upper()
    well_formed = re.fullmatch(r"[0-9][0-9AB][0-9]{3}", cleaned)
    if not well_formed or departement_of(cleaned) not in _DEPARTEMENTS:
        raise InvalidIdentifier(
            f"Le code commune « {code} » n'est pas un code INSEE : écrivez ses cinq caractères, "
            "par exemple 79174, 2A004 ou 97411.",
            code="insee-form",
            field="insee",
        )
    return cleaned


def departement_of(insee: str) -> str:
    """Return the département of a commune's code: two characters, three overseas (97x, 98x)."""
    return insee[:3] if insee.startswith(("97", "98")) else insee[:2]


def actes_departement(code: str) -> str:
    """Return a département as ACTES writes it, on three characters: `079`, `02A`, `971`."""
    cleaned = _without_spaces(code).upper()
    if cleaned not in _DEPARTEMENTS:
        raise InvalidIdentifier(
            f"Le département « {code} » n'existe pas : "
            "écrivez son code, par exemple 79, 2A ou 971.",
            code="departement-unknown",
            field="departement",
        )
    return cleaned.rjust(3, "0")


def check_actes_nature(code: str) -> str:
    """Return the two-digit code of the emitting body's nature in ACTES; see `ACTES_NATURES`."""
    if code not in ACTES_NATURES:
        raise InvalidIdentifier(
            f"La nature de collectivité « {code} » n'existe pas dans ACTES : "
            "choisissez-en une dans la liste, par exemple 31 pour une commune.",
            code="actes-nature-unknown",
            field="actes_nature",
        )
    return code


def _luhn_sum(digits: str) -> int:
    plain = (int(digit) for digit in digits[-1::-2])
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return sum(plain) + sum(doubled)


def _siret_key_is_right(digits: str) -> bool:
    if siren_of(digits) == LA_POSTE and digits != LA_POSTE_HEAD_OFFICE:
        return sum(map(int, digits)) % 5 == 0
    return luhn(digits)


def _without_spaces(text: str) -> str:
    return "".join(text.split())


def _digits(text: str, *, length: int, name: str, field: str) -> str:
    cleaned = _without_spaces(text)
    if not re.fullmatch(rf"[0-9]{{{length}}}", cleaned):
        raise InvalidIdentifier(
            f"Le {name} « {text} » doit compter {length} chiffres, sans lettre ni point : "
            "vérifiez la saisie.",
            code=f"{field}-length",
            field=field,
        )
    return cleaned


def _wrong_key(name: str, text: str, *, field: str) -> InvalidIdentifier:
    return InvalidIdentifier(
        f"Le {name} « {text} » n'existe pas : un chiffre est faux ou deux chiffres sont "
        "inversés, vérifiez la saisie.",
        code=f"{field}-key",
        field=field,
    )
