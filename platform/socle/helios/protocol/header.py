"""The envelope and header every PES carries, whichever way it travels (Enveloppe, EnTetePES)."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Final

from socle.helios.protocol.refusals import RepeatedField
from socle.helios.protocol.streaming import PathTarget

_PATHS: Final = {
    "Enveloppe/Parametres/Version": "version",
    "Enveloppe/Parametres/TypFic": "typ_fic",
    "Enveloppe/Parametres/NomFic": "nom_fic",
    "Enveloppe/Emetteur/Sigle": "editor",
    "Enveloppe/Emetteur/Adresse": "software",
    "EnTetePES/DteStr": "dte_str",
    "EnTetePES/IdPost": "id_post",
    "EnTetePES/LibellePoste": "libelle_poste",
    "EnTetePES/IdColl": "id_coll",
    "EnTetePES/CodCol": "cod_col",
    "EnTetePES/CodColl": "cod_col",  # so spelled in a PES_Retour
    "EnTetePES/CodBud": "cod_bud",
    "EnTetePES/LibelleColBud": "libelle_col_bud",
}
_DECIMAL: Final = re.compile(r"[+-]?(\d{1,14}(\.\d{0,2})?|\.\d{1,2})", re.ASCII)
_TRUTH: Final = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Header:
    """What the file says of itself, as written there and trimmed; an absent field is empty.

    `id_coll` is the SIRET of the budget, `cod_col` and `cod_bud` its codes in Hélios, `id_post` the
    codique of the poste comptable, `nom_fic` the name the finance software gave to the flux.
    """

    version: str = ""
    typ_fic: str = ""
    nom_fic: str = ""
    editor: str = ""
    software: str = ""
    dte_str: str = ""
    id_post: str = ""
    libelle_poste: str = ""
    id_coll: str = ""
    cod_col: str = ""
    cod_bud: str = ""
    libelle_col_bud: str = ""

    @property
    def dated(self) -> date | None:
        """DteStr, the date of the flux; None when it is not a date."""
        return read_date(self.dte_str)

    @property
    def has_entete(self) -> bool:
        """False when nothing at all was read from EnTetePES."""
        return any((self.dte_str, self.id_post, self.id_coll, self.cod_col, self.cod_bud))


class HeaderTarget(PathTarget):
    """A target that keeps the header; raises `RepeatedField` when the file gives two for one."""

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, str] = {}
        for path, name in _PATHS.items():
            self.on_value(path, partial(self._keep, path, name))

    @property
    def header(self) -> Header:
        return Header(**self._values)

    def _keep(self, path: str, name: str, value: str) -> None:
        if self._values.setdefault(name, value) != value:
            raise RepeatedField(path.rpartition("/")[2])


def read_date(text: str) -> date | None:
    """An xs:date without time zone (`AAAA-MM-JJ`), or None."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def read_amount(text: str) -> Decimal | None:
    """An amount in euros as the PES writes it: dot separator, at most two decimals; or None."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def read_integer(text: str) -> int | None:
    """A count or number of at most 18 digits, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def read_boolean(text: str) -> bool | None:
    """An xs:boolean (`1`, `0`, `true`, `false`), or None."""
    return _TRUTH.get(text.strip())
