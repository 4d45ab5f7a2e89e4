"""What the screens of the watch have in common."""

from collections.abc import Iterable
from datetime import datetime

from registration_authority.policies import urgency
from registration_authority.watch.models import Standing, WatchedCertificate
from socle.core.clock import legal_date
from socle.web.items import Tone


def end_badge(not_after: datetime, at: datetime) -> tuple[str, Tone]:
    """When something ends, in words, and the tone."""
    until = f"{legal_date(not_after):%d/%m/%Y}"
    if not_after <= at:
        return f"Expiré le {until}", "danger"
    return f"Expire le {until}", urgency(not_after, at=at)


def standing_badge(watched: WatchedCertificate) -> tuple[str, Tone]:
    """What its authority says."""
    tones: dict[str, Tone] = {Standing.GOOD: "success", Standing.REVOKED: "danger"}
    return str(watched.get_standing_display()), tones.get(watched.standing, "neutral")


def rows(
    found: Iterable[WatchedCertificate], at: datetime
) -> list[tuple[WatchedCertificate, tuple[str, Tone], tuple[str, Tone]]]:
    """Each certificate with its end and its standing."""
    return [(one, end_badge(one.not_after, at), standing_badge(one)) for one in found]
