"""Questions about the letters of the préfecture, in the commune whose schema is the current one."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from socle.actes import policies
from socle.actes.models import Act, Letter
from socle.notices.todos import Todo
from socle.web.items import Link

UNREAD: Final = "a-lire"
WAITING: Final = "a-repondre"
DONE: Final = "repondus"

_AWAITING: Final = Q(state__in=policies.AWAITING_ANSWER)


def search(*, view: str = "", kind: str = "", text: str = "") -> QuerySet[Letter]:
    """Letters, newest first; `text` is looked for in the act's number and objet and in the text."""
    found = Letter.objects.select_related("act")
    if view == UNREAD:
        found = found.filter(read_at=None)
    elif view == WAITING:
        found = found.filter(_AWAITING)
    elif view == DONE:
        found = found.filter(state__in=("answer_leaving", "answer_sent", "answered"))
    if kind:
        found = found.filter(kind=kind)
    if text:
        found = found.filter(
            Q(act__number__icontains=policies.tidy_number(text))
            | Q(act__objet__icontains=text)
            | Q(text__icontains=text)
        )
    return found.order_by("-received_at", "-pk")


def of_act(act: Act) -> list[Letter]:
    """The letters about one act, newest first."""
    return list(act.letters.order_by("-received_at", "-pk"))


def doors(current: str) -> list[Link]:
    """The tabs above the lists: the acts, and the letters with the number of unread ones."""
    unread = Letter.objects.filter(read_at=None).count()
    links = (
        ("actes:list", "Actes", 0),
        ("actes:letters", "Courriers de la préfecture", unread),
        ("actes:stuck", "Ce qui n’avance pas", 0),
    )
    return [
        Link(label=label, url=reverse(name), current=name == current, count=count or None)
        for name, label, count in links
    ]


def todos(request: HttpRequest) -> Iterator[Todo]:
    """Letters to read, then letters to answer: one query."""
    counts = Letter.objects.aggregate(
        unread=Count("pk", filter=Q(read_at=None)),
        waiting=Count("pk", filter=Q(read_at__isnull=False) & _AWAITING),
    )
    for key, one, many, view, button, tone in _TODOS:
        count = counts[key]
        url = f"{reverse('actes:letters')}?{urlencode({'vue': view})}"
        yield Todo(count, one if count == 1 else many, url, button, tone)


_TODOS: Final = (
    (
        "unread",
        "courrier de la préfecture n’a été lu par personne",
        "courriers de la préfecture n’ont été lus par personne",
        UNREAD,
        "Lire",
        "danger",
    ),
    (
        "waiting",
        "courrier de la préfecture attend votre réponse",
        "courriers de la préfecture attendent votre réponse",
        WAITING,
        "Répondre",
        "warning",
    ),
)
