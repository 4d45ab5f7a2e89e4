"""What the corridor asks of an operator, and who answers for each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation


class OperatorUnavailable(Exception):
    """No answer, or one that says nothing: whether the bytes arrived is not known. Retried.

    `is_whole`: the operator answers nobody, not this account alone.
    """

    is_whole = True

    def __init__(self, problem: str, *, is_whole: bool = True) -> None:
        super().__init__(problem)
        self.is_whole = is_whole


class OutcomeUnknown(OperatorUnavailable):
    """An earlier attempt may have arrived and nobody can be asked: wait before sending again.

    `str(problem)` is a French sentence: what is waited for.
    """


class OperatorRefused(Refusal):
    """The operator answered that it does not take this file. Not retried by itself."""

    code = "delivery.operator_refused"


@dataclass(frozen=True, slots=True)
class Return:
    """One answer waiting at the operator."""

    external_id: str
    protocol: str
    name: str


class Adapter(Protocol):
    """An operator as the corridor sees it. Every method may raise OperatorUnavailable."""

    def send(self, *, protocol: str, name: str, content: BinaryIO, size: int) -> None:
        """Hand over `size` bytes under `name`; returning means "stored". Raises OperatorRefused."""

    def find(self, *, protocol: str, name: str) -> str | None:
        """The sha256 the operator holds under `name`, or None when it has nothing."""

    def returns(self) -> Iterator[Return]:
        """What waits for us, oldest first."""

    def fetch(self, external_id: str) -> bytes:
        """The raw bytes of one return."""

    def acknowledge(self, external_id: str) -> None:
        """Tell the operator we keep it; telling twice changes nothing."""


_factories: dict[str, Callable[[TransmissionOperator], Adapter]] = {}

Obstacle = Callable[[TransmissionOperator, Organisation, str], str]
"""What keeps a body from transmitting under a protocol through an operator; "" when nothing."""
_obstacles: dict[str, Obstacle] = {}
Doubt = Callable[[TransmissionOperator, bytes], str]
"""Why the origin of a raw return is not proved, in one sentence; "" when it is."""
_doubts: dict[str, Doubt] = {}


def register(
    name: str,
    factory: Callable[[TransmissionOperator], Adapter],
    *,
    obstacle: Obstacle = lambda operator, organisation, protocol: "",
    doubt: Doubt = lambda operator, raw: "",
) -> None:
    """Answer for operators whose `adapter` is `name`.

    Without `doubt`, the operator is known by the connection itself, whatever it delivers.
    """
    _factories[name], _obstacles[name], _doubts[name] = factory, obstacle, doubt


def obstacle_for(operator: TransmissionOperator, organisation: Organisation, protocol: str) -> str:
    """Why a body cannot transmit through an operator, in one sentence; "" when it can."""
    return _obstacles[operator.adapter](operator, organisation, protocol)


def doubt_about(operator: TransmissionOperator, raw: bytes) -> str:
    """Why a return of this operator may be somebody else's, in one sentence; "" when not."""
    return _doubts[operator.adapter](operator, raw)


def names() -> list[str]:
    """The adapters somebody answers for, in alphabetical order."""
    return sorted(_factories)


def adapter_for(operator: TransmissionOperator) -> Adapter:
    """The adapter of an operator; raises KeyError when nobody answers for it."""
    return _factories[operator.adapter](operator)
