"""What the page shell shows around a screen, gathered from the request and the settings.

Everything is optional: an anonymous page, an error page or a mail preview has no place, no
navigation and sometimes no request at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from django.conf import settings
from django.http import HttpRequest

TINTS: Final = 8  # as many `.tint-n` rules as in socle.css
LITTLE_WORDS: Final = frozenset(
    "de du des la le les et en sur sous aux à commune ville communauté communes mairie d l".split()
)


@dataclass(frozen=True)
class Place:
    """An organisation the person may act for, with the colour that tells it from her others."""

    label: str
    url: str
    current: bool
    tint: int

    @property
    def initials(self) -> str:
        """One or two capitals for the coat of arms: « Commune de Melle » → « ME »."""
        return initials(self.label)


@dataclass(frozen=True)
class Shell:
    """All that `page.html` needs besides the screen itself."""

    places: tuple[Place, ...]
    place: Place | None
    navigation: tuple[Any, ...]
    announcements: tuple[Any, ...]
    person: str
    demo: bool
    syndicat: str
    version: str
    help_mail: str
    help_phone: str
    help_hours: str
    accessibility: str


def initials(label: str) -> str:
    """Return one or two capitals that stand for a name, ignoring « Commune de » and the like."""
    words = label.replace("'", " ").replace("’", " ").replace("-", " ").split()
    telling = [word for word in words if word.casefold() not in LITTLE_WORDS] or words
    if not telling:
        return "?"
    pair = telling[0][:2] if len(telling) == 1 else telling[0][:1] + telling[1][:1]
    return pair.upper()


def tint(label: str, taken: Iterable[int] = ()) -> int:
    """Return the colour number of a name: always the same, unless it is `taken` by a neighbour."""
    first = crc32(label.casefold().encode()) % TINTS
    used = set(taken)
    turn = ((first + step) % TINTS for step in range(TINTS))
    return next((candidate for candidate in turn if candidate not in used), first)


def places_of(offered: Iterable[Any]) -> tuple[Place, ...]:
    """Colour the places of `request.places`, so that the first eight of a person all differ."""
    coloured: list[Place] = []
    for one in offered:
        shade = tint(one.label, (place.tint for place in coloured))
        coloured.append(Place(one.label, one.url, bool(one.current), shade))
    return tuple(coloured)


def person_of(request: HttpRequest | None) -> str:
    """Return the name of the person logged in, or an empty string."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    full_name = getattr(user, "get_full_name", None)
    return (full_name() if full_name else "") or str(user)


def gather(request: HttpRequest | None) -> Shell:
    """Collect the shell of a page; every part is empty when the request does not carry it."""
    places = places_of(getattr(request, "places", None) or ())
    return Shell(
        places=places,
        place=next((place for place in places if place.current), None),
        navigation=tuple(getattr(request, "navigation", None) or ()),
        announcements=tuple(getattr(request, "announcements", tuple)()),
        person=person_of(request),
        demo=bool(getattr(request, "demo", getattr(settings, "DEMO", False))),
        syndicat=getattr(settings, "SYNDICAT_NAME", ""),
        version=getattr(settings, "SOCLE_VERSION", ""),
        help_mail=getattr(settings, "HELP_MAIL", ""),
        help_phone=getattr(settings, "HELP_PHONE", ""),
        help_hours=getattr(settings, "HELP_HOURS", ""),
        # Article 47 of the law of 11 February 2005: the only status open to a site not audited yet.
        accessibility=getattr(settings, "ACCESSIBILITY_STATUS", "non conforme"),
    )
