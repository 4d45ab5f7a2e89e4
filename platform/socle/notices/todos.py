"""The to-do list of a home page: each room says what waits for whom."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.http import HttpRequest

from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Scope


@dataclass(frozen=True, slots=True)
class Todo:
    """One line of the list: how many, what, and the button that leads there."""

    count: int
    sentence: str
    url: str
    button: str
    tone: str = "progress"
    detail: str = ""


Provider = Callable[[HttpRequest], Iterable[Todo]]
_GRAVITY = {"danger": 0, "warning": 1}
_providers: list[tuple[Scope, Capability, Provider]] = []


def register(scope: Scope, capability: Capability, provider: Provider) -> None:
    """Ask `provider` for the to-dos of persons with `capability` in `scope`.

    Called once by each room when the application starts; a provider makes one or two queries.
    """
    if (scope, capability, provider) not in _providers:
        _providers.append((scope, capability, provider))


def collect(request: HttpRequest) -> list[Todo]:
    """All that waits for the person on this host, the gravest first, empty lines left out."""
    waiting = [
        todo
        for scope, capability, provider in _providers
        if scope is request.scope and capability in request.capabilities  # type: ignore[attr-defined]
        for todo in provider(request)
        if todo.count
    ]
    return sorted(waiting, key=lambda todo: _GRAVITY.get(todo.tone, len(_GRAVITY)))
