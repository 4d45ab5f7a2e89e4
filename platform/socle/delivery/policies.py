"""When the corridor tries again, and when it gives up. No query, no clock, no HTTP."""

from datetime import timedelta
from typing import Final

from socle.delivery.models import InboundState, OutboundState

TRANSITIONS: Final[dict[OutboundState, frozenset[OutboundState]]] = {
    OutboundState.DUE: frozenset({OutboundState.SENDING, OutboundState.HELD}),
    OutboundState.SENDING: frozenset(
        {OutboundState.SENT, OutboundState.DUE, OutboundState.REFUSED, OutboundState.HELD}
    ),
    OutboundState.SENT: frozenset({OutboundState.REFUSED}),  # refused by later checks
    OutboundState.REFUSED: frozenset({OutboundState.DUE}),
    OutboundState.HELD: frozenset({OutboundState.DUE}),
}
INBOUND_TRANSITIONS: Final[dict[InboundState, frozenset[InboundState]]] = {
    InboundState.RECEIVED: frozenset(
        {
            InboundState.MATCHED,
            InboundState.UNMATCHED,
            InboundState.DOUBTFUL,
            InboundState.FAILED,
        }
    ),
    InboundState.MATCHED: frozenset(),
    InboundState.UNMATCHED: frozenset(
        {InboundState.MATCHED, InboundState.UNMATCHED, InboundState.DOUBTFUL, InboundState.FAILED}
    ),
    InboundState.DOUBTFUL: frozenset(
        {
            InboundState.MATCHED,
            InboundState.UNMATCHED,
            InboundState.DOUBTFUL,
            InboundState.DISMISSED,
            InboundState.FAILED,
        }
    ),
    InboundState.DISMISSED: frozenset(),
    InboundState.FAILED: frozenset(
        {InboundState.MATCHED, InboundState.UNMATCHED, InboundState.DOUBTFUL, InboundState.FAILED}
    ),
}
READINGS: Final = 5
"""Readings of a return that ended with their process, after which it is for a person."""
READ_WITHIN: Final = timedelta(minutes=15)
"""A return not read by then stands on the desk: something holds the reading up."""
STOPPED: Final = "L’envoi s’est arrêté. "
"""How the reason of a file begins that nothing forbids, and that something unforeseen stopped."""
_FIRST_WAIT: Final = timedelta(seconds=10)
_LONGEST_WAIT: Final = timedelta(hours=1)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after the n-th failed attempt: doubling from ten seconds to an hour."""
    return min(_FIRST_WAIT * 2 ** min(attempts - 1, 12), _LONGEST_WAIT)
