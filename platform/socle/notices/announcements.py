"""What everybody at work on a page must know now: each room says it, the shell shows it on top."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.http import HttpRequest

from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Scope


@dataclass(frozen=True, slots=True)
class Announcement:
    """One banner; `tone` is the kind of a `{% notice %}`."""

    title: str
    text: str
    tone: str = "warning"


Provider = Callable[[HttpRequest], Iterable[Announcement]]
_providers: list[tuple[Scope, Capability, Provider]] = []


def register(scope: Scope, capability: Capability, provider: Provider) -> None:
    """Ask `provider` what persons with `capability` must know in `scope`.

    Called once by each room when the application starts. A provider is asked on every page: it
    looks at the address first, and makes two queries at most where it has something to say.
    """
    _providers.append((scope, capability, provider))


def collect(request: HttpRequest) -> list[Announcement]:
    """All that is to be said on this page, each thing once."""
    found = [
        announcement
        for scope, capability, provider in _providers
        if scope is request.scope and capability in request.capabilities  # type: ignore[attr-defined]
        for announcement in provider(request)
    ]
    return list(dict.fromkeys(found))
