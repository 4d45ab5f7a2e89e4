"""What failed in a round of the clock, for the desk: the whole platform writes here."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_tenants.utils import get_public_schema_name, schema_context

from socle.core.names import one_line
from socle.delivery.models import Stumble


class Desk:
    """`core.sweeps.Desk`, in the public schema whatever schema the round is in."""

    def known(self, what: str) -> set[str]:
        """The items that failed the last time."""
        with schema_context(get_public_schema_name()):
            return set(Stumble.objects.filter(what=what).values_list("item", flat=True))

    def set_aside(self, what: str, item: str, cause: str) -> None:
        """Show that this item failed; one that fails again and again keeps its first day."""
        with schema_context(get_public_schema_name()), transaction.atomic():
            row, _ = Stumble.objects.get_or_create(
                what=what, item=item, defaults={"since": timezone.now()}
            )
            Stumble.objects.filter(pk=row.pk).update(
                cause=one_line(cause, longest=500), times=F("times") + 1, last_at=timezone.now()
            )

    def forget(self, what: str, items: Iterable[str]) -> None:
        """These went since, or are to be done no more."""
        with schema_context(get_public_schema_name()):
            Stumble.objects.filter(what=what, item__in=list(items)).delete()
