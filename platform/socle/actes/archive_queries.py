"""Questions about the transfers to the archive, in the commune whose schema is the current one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from socle.actes import policies
from socle.actes.models import Act, ArchivedAct, SaeState, SaeTransfer
from socle.notices.todos import Todo


@dataclass(frozen=True, slots=True)
class Archiving:
    """Where an act stands with the archive; `may_again` when no transfer holds it any more."""

    transfer: SaeTransfer
    tone: str
    may_again: bool


def transfers() -> QuerySet[SaeTransfer]:
    """All transfers, newest first, with the number of their acts."""
    return SaeTransfer.objects.annotate(acts=Count("lines")).order_by("-pk")


def of_act(act: Act) -> Archiving | None:
    """The last transfer of an act, or None."""
    line = act.archivings.select_related("transfer").order_by("pk").last()
    if line is None:
        return None
    tone = policies.SAE_TONES[SaeState(line.transfer.state)]
    return Archiving(line.transfer, tone, may_again=line.released_at is not None)


def archivable(acts: QuerySet[Act]) -> QuerySet[Act]:
    """Those of `acts` that may be put in a transfer now, oldest first."""
    live = ArchivedAct.objects.filter(act=OuterRef("pk"), released_at=None)
    found = acts.filter(state__in=policies.ARCHIVABLE).exclude(Exists(live))
    return found.order_by("deposited_at", "pk")


def todos(request: HttpRequest) -> Iterator[Todo]:
    """Transfers a person has to carry or to look at: one query."""
    states = SaeTransfer.objects.filter(state__in=[state for state, *_ in _TODOS])
    counts = dict(states.values_list("state").annotate(count=Count("pk")).order_by())
    for state, one, many, button, tone in _TODOS:
        count = counts.get(state.value, 0)
        yield Todo(count, one if count == 1 else many, reverse("actes:archives"), button, tone)


_TODOS: Final = (
    (
        SaeState.READY,
        "versement est prêt pour le service d’archives",
        "versements sont prêts pour le service d’archives",
        "Déposer",
        "progress",
    ),
)
