"""Why a file stands still, and who can do something about it: the same on every desk."""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from socle.core.refusals import Refusal
from socle.delivery import actions, policies
from socle.delivery.models import Outbound, OutboundState

log = logging.getLogger(__name__)


class Actor(Enum):
    """Whoever can make a file move again."""

    NOBODY = "nobody"
    """Socle tries again by itself."""
    SYNDICAT = "syndicat"
    COMMUNE = "commune"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a file stands still, who can act, and whether sending the same bytes again can help."""

    why: str
    who: Actor
    may_retry: bool


def of(row: Outbound, *, at: datetime) -> Diagnosis:
    """Look at one stuck file at `at`. Asks what the corridor will ask: some queries for each held.

    `row` comes with its organisation, operator and person. What an operator refused is for the
    syndicat to look at before the same bytes go again.
    """
    if row.state == OutboundState.DUE:
        return Diagnosis(row.last_error or "L’opérateur ne répond pas.", Actor.NOBODY, True)
    if row.state == OutboundState.REFUSED:
        why = f"L’opérateur ne l’a pas pris : {row.last_error}"
        return Diagnosis(why, Actor.SYNDICAT, False)
    try:
        actions.check_may_go(row, at=at)
    except Refusal as refusal:
        return Diagnosis(str(refusal), Actor.SYNDICAT, False)
    except Exception:  # one file nothing can be said of does not hide the others
        log.exception("%s: not to be diagnosed", row.name)
        return Diagnosis(row.last_error, Actor.SYNDICAT, True)
    if row.last_error.startswith(policies.STOPPED):
        return Diagnosis(row.last_error, Actor.SYNDICAT, True)
    why = f"{row.last_error} Ce n’est plus le cas : l’envoi peut être relancé."
    return Diagnosis(why, Actor.COMMUNE, True)
