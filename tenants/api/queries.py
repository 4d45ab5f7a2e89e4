"""Questions about the software of a commune."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from socle.core.clock import legal_date
from socle.directory.models import Grant
from socle.notices.todos import Todo
from tenants.api.models import SoftwareAccess


def todos(request: HttpRequest) -> Iterator[Todo]:
    """Software that does not come in any more, because its person works here no longer."""
    today = legal_date(timezone.now())
    held = Grant.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=today),
        person=OuterRef("person"),
        organisation=OuterRef("organisation"),
        starts_on__lte=today,
    )
    here = request.tenant.organisation  # type: ignore[attr-defined]
    orphans = SoftwareAccess.objects.filter(organisation=here, closed_at=None)
    count = orphans.exclude(Exists(held)).count()
    one = (
        "logiciel n’entre plus : la personne n’est plus ici"
        if count == 1
        else "logiciels n’entrent plus : leur personne n’est plus ici"
    )
    yield Todo(count, one, reverse("software:list"), "Ouvrir un accès à mon nom", "warning")
