"""Certificates that are not ours and end soon, authorities that end before what they signed."""

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from registration_authority.watch import queries
from socle.notices.todos import Todo


def to_look_at(request: HttpRequest) -> Iterable[Todo]:
    """What the watch found."""
    now = timezone.now()
    address = reverse("registration_authority:watch")
    troubled = queries.troubled(now).count()
    one = troubled < 2
    yield Todo(
        troubled,
        ("certificat suivi" if one else "certificats suivis") + " à remplacer",
        f"{address}?vue=alertes",
        "Voir",
        "warning",
    )
    ending = len(queries.authorities_that_end_first(now))
    yield Todo(
        ending,
        "autorité de certification finit bientôt"
        if ending < 2
        else "autorités de certification finissent bientôt",
        f"{address}?vue=autorites",
        "Préparer la suite",
        "danger",
    )
