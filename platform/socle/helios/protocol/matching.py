"""Whose is it? An acquit answers one flux, a retour belongs to one organisation, never to two."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from socle.helios.protocol.header import Header

Flux = TypeVar("Flux")
Organisation = TypeVar("Organisation")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Flux]):
    """A flux that an acquit might answer. `awaiting`: it was transmitted and has no acquit yet."""

    flux: Flux
    nom_fic: str
    cod_col: str
    awaiting: bool
    deposited_at: datetime


@dataclass(frozen=True, slots=True)
class Match(Generic[Flux]):
    """The flux found, and whether others could have been meant."""

    flux: Flux
    ambiguous: bool


def match_acquit(header: Header, candidates: Iterable[Candidate[Flux]]) -> Match[Flux] | None:
    """The flux with the NomFic and CodCol of the acquit: the one that waits, else the most recent.

    An acquit without CodCol is matched by its NomFic, if only one flux bears it. None: keep it
    aside and try again when a flux of that name appears.
    """
    if not header.nom_fic:
        return None
    same_name = [found for found in candidates if found.nom_fic == header.nom_fic]
    if not header.cod_col:
        return Match(same_name[0].flux, ambiguous=False) if len(same_name) == 1 else None
    same = [found for found in same_name if found.cod_col == header.cod_col]
    if not same:
        return None
    best = max(same, key=lambda found: (found.awaiting, found.deposited_at))
    return Match(best.flux, ambiguous=len(same) > 1)


def attribute_retour(
    id_coll: str, holders: Collection[tuple[str, Organisation]]
) -> Organisation | None:
    """The organisation a retour belongs to: by exact SIRET, else by SIREN, and only if it is alone.

    `holders` pairs each declared SIRET with its organisation. None: nobody, or several; the retour
    then waits for the syndicat and is shown to no commune.
    """
    if len(id_coll) != 14:
        return None
    exact = {organisation for siret, organisation in holders if siret == id_coll}
    if exact:
        return exact.pop() if len(exact) == 1 else None
    related = {organisation for siret, organisation in holders if siret[:9] == id_coll[:9]}
    return related.pop() if len(related) == 1 else None
