"""Questions about the life of spaces."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from socle.core.text import fold
from socle.directory.models import Organisation
from socle.notices.todos import Todo
from tenants.life.models import (
    Archive,
    ArchiveState,
    Destruction,
    DestructionState,
    Space,
    SpaceState,
)
from tenants.models import Tenant

UNFINISHED: Final = (ArchiveState.WAITING, ArchiveState.BUILDING)
GOING_ON: Final = (DestructionState.ASKED, DestructionState.CONFIRMED, DestructionState.RUNNING)
FORGOTTEN_AFTER: Final = timedelta(minutes=1)
TONES: Final[dict[str, str]] = {
    SpaceState.OPEN: "success",
    SpaceState.SUSPENDED: "warning",
    SpaceState.CONDEMNED: "danger",
    SpaceState.DESTROYED: "neutral",
}


def bodies(text: str, *, only: str = "") -> QuerySet[Organisation]:
    """Organisations that have or had a space, by name, with their spaces, newest first.

    `only` is a state of `SpaceState`, or "".
    """
    has_one = Exists(Tenant.objects.filter(organisation=OuterRef("pk")))
    living = Space.objects.filter(organisation=OuterRef("pk")).exclude(state=SpaceState.DESTROYED)
    found = Organisation.objects.filter(has_one | Q(spaces__isnull=False)).distinct()
    if text:
        found = found.filter(sort_key__contains=fold(text))
    if only == SpaceState.OPEN:
        found = found.filter(has_one).exclude(Exists(living.exclude(state=SpaceState.OPEN)))
    elif only == SpaceState.DESTROYED:
        found = found.exclude(has_one)
    elif only:
        found = found.filter(Exists(living.filter(state=only)))
    spaces = Prefetch("spaces", Space.objects.order_by("-pk"))
    return found.select_related("tenant").prefetch_related(spaces).order_by("sort_key", "pk")


@dataclass(frozen=True, slots=True)
class Line:
    """One organisation in the list."""

    organisation: Organisation
    state: str
    label: str
    tone: str
    since: datetime | None
    reason: str


def line(organisation: Organisation) -> Line:
    """How the space of an organisation stands, from what `bodies` fetched: no query."""
    space = next(iter(organisation.spaces.all()), None)
    tenant = getattr(organisation, "tenant", None)
    if space is None or (tenant and space.state == SpaceState.DESTROYED):
        opened = tenant.created_at if tenant else None
        return Line(organisation, SpaceState.OPEN, SpaceState.OPEN.label, "success", opened, "")
    state = SpaceState(space.state)
    return Line(organisation, state, state.label, TONES[state], space.changed_at, space.reason)


def archives_of(organisation: Organisation) -> QuerySet[Archive]:
    """The archives of an organisation's spaces, newest first, with who took them away."""
    return (
        Archive.objects.filter(space__organisation=organisation)
        .select_related("asked_by")
        .prefetch_related("downloads__person")
        .order_by("-pk")
    )


def destructions_of(organisation: Organisation) -> QuerySet[Destruction]:
    """The destructions of an organisation's spaces, newest first."""
    return (
        Destruction.objects.filter(space__organisation=organisation)
        .select_related("asked_by", "confirmed_by", "archive", "space")
        .prefetch_related("steps")
        .order_by("-pk")
    )


def lost_archives(*, at: datetime) -> list[int]:
    """Archives whose wake-up call was lost, or whose worker died."""
    waiting = Q(state=ArchiveState.WAITING, asked_at__lt=at - FORGOTTEN_AFTER)
    dead = Q(state=ArchiveState.BUILDING, lease_until__lt=at)
    return list(Archive.objects.filter(waiting | dead).order_by("pk").values_list("pk", flat=True))


def due_destructions(*, at: datetime) -> list[int]:
    """Destructions to begin, and those a worker left half-way."""
    due = Q(state=DestructionState.CONFIRMED, not_before__lte=at) | Q(
        state=DestructionState.RUNNING
    )
    return list(Destruction.objects.filter(due).order_by("pk").values_list("pk", flat=True))


def todos(request: HttpRequest) -> Iterable[Todo]:
    """Destructions that wait for a second person, this one, or that something stopped."""
    waiting = Destruction.objects.filter(state=DestructionState.ASKED).exclude(
        asked_by=request.user.pk
    )
    count = waiting.count()
    one = "destruction d’espace attend" if count == 1 else "destructions d’espaces attendent"
    url = f"{reverse('life:spaces')}?etat=suspended"
    yield Todo(count, f"{one} votre confirmation", url, "Examiner", "warning")


def archive_todos(request: HttpRequest) -> Iterable[Todo]:
    """Archives that are ready and that nobody took away."""
    count = Archive.objects.filter(state=ArchiveState.READY, downloads=None).count()
    one = "archive d’espace est prête" if count == 1 else "archives d’espaces sont prêtes"
    yield Todo(count, f"{one} à télécharger", reverse("life:spaces"), "Voir", "progress")
