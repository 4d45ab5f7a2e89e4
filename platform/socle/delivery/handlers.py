"""Who is woken when something was sent or came back: upper rooms register, nobody calls up."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from socle.core.refusals import Refusal
from socle.delivery.models import Outbound
from socle.delivery.origin import Origin


class Unmatched(Refusal):
    """A return that belongs to nothing we know. Kept raw, shown on the desk."""

    code = "delivery.unmatched"


class AlreadyAnswered(Refusal):
    """The file was answered: the operator has it, and it must not go again."""

    code = "delivery.already_answered"


@dataclass(frozen=True, slots=True)
class Room:
    """How a room takes part in the corridor.

    `sent` and `refused` run in the organisation's schema, in the transaction that stores the
    outcome. `receive` runs in the public schema, in the transaction that marks the return: it
    enters the schema it finds, matches what the operator of the return carried and nothing else
    (`origin`), and returns the organisation's key, or raises Unmatched or Doubtful. All three must
    accept being called again for the same thing.
    """

    sent: Callable[[Outbound, datetime], None]
    refused: Callable[[Outbound, str, datetime], None]
    receive: Callable[[str, bytes, datetime, Origin], int]
    check: Callable[[Outbound, datetime], None]
    """Look once more, just before sending, whether it may still go.

    Raises AlreadyAnswered when its answer came before its outcome was stored, another Refusal when
    it must not go.
    """


_rooms: dict[str, Room] = {}


def register(protocol: str, room: Room) -> None:
    """Let `room` handle what travels under `protocol`."""
    _rooms[protocol] = room


def room_for(protocol: str) -> Room:
    """The room of a protocol; raises KeyError when no room registered."""
    return _rooms[protocol]
