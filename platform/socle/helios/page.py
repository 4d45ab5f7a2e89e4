"""Flows in French words, for the screens."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from socle.helios import policies
from socle.helios.models import FlowState, PesBordereau, PesFlow
from socle.helios.protocol.aller import Bordereau, Domain, Signature
from socle.helios.protocol.deposit import Level
from socle.helios.protocol.words import count
from socle.journal import events
from socle.journal.models import Entry
from socle.journal.queries import history
from socle.web.items import Event, Tone

SIGNATURES: Final = {
    Signature.NONE: "Aucune signature électronique",
    Signature.GLOBAL: "Signature présente sur tout le flux",
    Signature.EVERY_BORDEREAU: "Signature présente sur chaque bordereau",
    Signature.SOME_BORDEREAUX: "Signature présente sur une partie des bordereaux",
}
_LEVELS: Final[dict[Level, tuple[str, Tone]]] = {
    Level.HOLD: ("À compléter", "danger"),
    Level.CONFIRM: ("À confirmer", "warning"),
    Level.WARNING: ("À vérifier", "warning"),
    Level.INFO: ("Pour information", "neutral"),
}
_PIECES: Final = {
    Domain.DEPENSE: ("mandat", "mandats"),
    Domain.RECETTE: ("titre", "titres"),
}
_VERDICT_TONES: Final = {
    verdict.label.lower(): policies.TONES[state] for verdict, state in policies.VERDICTS.items()
}
_EVENT_TONES: Final[dict[str, Tone]] = {
    "helios.sent": "success",
    "helios.failed": "danger",
    "helios.transmitted": "progress",
}


def tone(flow: PesFlow) -> str:
    """The tone that repeats the state in colour."""
    if flow.state == FlowState.SENT and not flow.expects_acquit:
        return "success"
    return policies.TONES[FlowState(flow.state)]


def findings(flow: PesFlow) -> list[tuple[str, Tone, str]]:
    """Each finding of the deposit: its level in words, its tone, its sentence."""
    return [(*_LEVELS[one.level], one.sentence) for one in flow.found]


@dataclass(frozen=True, slots=True)
class Row:
    """A bordereau as the page shows it."""

    bordereau: PesBordereau
    facts: Bordereau
    pieces: str
    verdict: tuple[str, Tone]


def bordereaux(found: Iterable[PesBordereau]) -> list[Row]:
    """The bordereaux of a page, with their words."""
    return [_row(one) for one in found]


def _row(one: PesBordereau) -> Row:
    domain = Domain(one.domain)
    facts = Bordereau(
        domain=domain,
        number=one.number,
        exercice=one.exercice,
        type_code=one.type_code,
        issued_on=one.issued_on,
        total_ht=one.total_ht,
        total_tva=one.total_tva,
    )
    pieces = count(one.pieces, *_PIECES.get(domain, ("pièce", "pièces")))
    return Row(one, facts, pieces, _verdict(one.accepted))


def _verdict(accepted: bool | None) -> tuple[str, Tone]:
    if accepted is None:
        return ("—", "neutral")
    return ("Accepté", "success") if accepted else ("Refusé", "danger")


def timeline(flow: PesFlow) -> list[Event]:
    """All that happened to the flow, newest first."""
    return [
        Event(
            at=entry.at,
            label=events.sentence(entry),
            who=entry.actor_label,
            tone=_event_tone(entry),
        )
        for entry in history(flow).reverse()
    ]


def _event_tone(entry: Entry) -> Tone:
    if entry.outcome == "refused":
        return "danger"
    if entry.event == "helios.acquit_received":
        return _VERDICT_TONES.get(entry.detail["verdict"], "neutral")
    return _EVENT_TONES.get(entry.event, "neutral")
