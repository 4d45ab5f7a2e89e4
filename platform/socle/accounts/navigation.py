"""The main menu: each room says where its door is; the shell shows the doors one may open."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.urls import reverse

from socle.accounts.capabilities import Capability


class Scope(StrEnum):
    """Which of the two houses a door belongs to."""

    PORTAL = "portal"
    COMMUNE = "commune"


@dataclass(frozen=True, slots=True)
class Door:
    """One entry of the main menu."""

    scope: Scope
    label: str
    url_name: str
    capability: Capability
    order: int
    icon: str = ""


_doors: list[Door] = []


def register(*doors: Door) -> None:
    """Add doors; called once by each room when the application starts."""
    _doors.extend(door for door in doors if door not in _doors)


@dataclass(frozen=True, slots=True)
class Entry:
    """A door as the page shows it."""

    label: str
    url: str
    current: bool
    icon: str


def entries(scope: Scope, capabilities: Iterable[Capability], path: str) -> list[Entry]:
    """The menu of a person with `capabilities`, the entry that `path` is in marked current.

    A door inside another's address is the nearer one: it alone is current.
    """
    allowed = frozenset(capabilities)
    found = [door for door in _doors if door.scope is scope and door.capability in allowed]
    urls = [(door, reverse(door.url_name)) for door in sorted(found, key=lambda d: d.order)]
    nearest = max((url for _, url in urls if path.startswith(url)), key=len, default=None)
    return [Entry(door.label, url, url == nearest, door.icon) for door, url in urls]
