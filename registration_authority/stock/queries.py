"""Questions about the stock."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from registration_authority.models import HandOver
from registration_authority.stock.models import Location, Sleeve, Token, TokenState


@dataclass(frozen=True, slots=True)
class Shelf:
    """A place, how many tokens are ready there, how many wait for their holder."""

    location: Location
    ready: int
    reserved: int

    @property
    def is_low(self) -> bool:
        """Whether more should be ordered."""
        return self.ready < self.location.low_stock


def shelves() -> list[Shelf]:
    """Every place with what is on it, in one query."""
    found = Location.objects.annotate(
        ready=Count("tokens", filter=Q(tokens__state=TokenState.FORMATTED)),
        reserved=Count("tokens", filter=Q(tokens__state=TokenState.ACTIVE)),
    ).order_by("name")
    return [Shelf(one, one.ready, one.reserved) for one in found]


def tokens() -> QuerySet[Token]:
    """Every token with its place and the person of its file."""
    return Token.objects.select_related(
        "batch", "location", "file__holder", "file__organisation"
    ).order_by("serial")


def by_state() -> list[tuple[str, int]]:
    """How many tokens are in each state, in the words of the counter."""
    counted = dict(Token.objects.values_list("state").annotate(Count("pk")).order_by("state"))
    return [(state.label, counted.get(state.value, 0)) for state in TokenState]


def receipts_to_send(authority_id: int) -> QuerySet[HandOver]:
    """Signed receipts of an authority that are in no sleeve yet, the oldest first."""
    return (
        HandOver.objects.filter(
            signed_at__isnull=False,
            signed_scan__isnull=False,
            sleeve_line=None,
            certificate__file__offer__authority_id=authority_id,
        )
        .select_related("holder", "certificate__file__organisation")
        .order_by("signed_at")
    )


def sleeves() -> QuerySet[Sleeve]:
    """Every sleeve with how many receipts it holds, those still here first."""
    return (
        Sleeve.objects.select_related("authority", "opened_by", "sent_by")
        .annotate(size=Count("lines"))
        .order_by(F("sent_at").desc(nulls_first=True), "-opened_at")
    )
