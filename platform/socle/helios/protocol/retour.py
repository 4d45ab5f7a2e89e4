"""Recognising a PES_Retour: whose it is and what about. Its content is handed over as it came."""

from dataclasses import dataclass
from typing import Final

from socle.helios.protocol.header import Header, HeaderTarget
from socle.helios.protocol.refusals import NotPes
from socle.helios.protocol.streaming import Source, local_name, read_received

ROOT: Final = "PES_Retour"

_BLOCK_LABELS: Final = {
    "PES_DepenseRetour": "Dépense",
    "PES_RecetteRetour": "Recette",
    "PES_ClientRetour": "Client",
    "PES_AsapRetour": "Avis des sommes à payer",
}
_HEADERS: Final = {
    "PES_DepenseRetour": "EnTeteDepense",
    "PES_RecetteRetour": "EnTeteRecette",
    "PES_ClientRetour": "EnTeteClient",
}


@dataclass(frozen=True, slots=True)
class Retour:
    """A PES_Retour. `header.id_coll` is the SIRET it belongs to; `blocks` its blocks, known or not.

    `typ_restit` is the code of the restitution (rejets, périodique, stock), empty when not given.
    """

    header: Header
    blocks: tuple[str, ...]
    typ_restit: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The French name of each block, or the block's own name when unknown."""
        return tuple(_BLOCK_LABELS.get(block, block) for block in self.blocks)


def read_retour(source: Source) -> Retour:
    """Read a PES_Retour from bytes or a seekable stream. Raises an `UnreadableFile`."""
    return read_received(_RetourTarget, source).retour()


class _RetourTarget(HeaderTarget):
    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[str, None] = {}
        self._typ_restit = ""
        for block, header in _HEADERS.items():
            self.on_value(f"{block}/{header}/TypRestit", self._set_typ_restit)

    def open_root(self, tag: str) -> None:
        if local_name(tag) != ROOT:
            raise NotPes(local_name(tag), "un PES retour")

    def open_child(self, name: str) -> None:
        if name not in ("Enveloppe", "EnTetePES") and len(self._blocks) < 100:
            self._blocks[name] = None

    def retour(self) -> Retour:
        return Retour(self.header, tuple(self._blocks), self._typ_restit)

    def _set_typ_restit(self, text: str) -> None:
        self._typ_restit = self._typ_restit or text
