"""Questions about what the syndicat publishes."""

from collections.abc import Iterator
from typing import Any

from socle.core.text import fold
from socle.directory import queries as directory
from tenants.models import Tenant
from tenants.opendata.models import Edition


def spaces() -> Iterator[Tenant]:
    """The spaces of the bodies that work, by name."""
    found = Tenant.objects.exclude(organisation=None).select_related("organisation")
    found = found.exclude(organisation__in=directory.stopped())
    return found.order_by("organisation__sort_key", "pk").iterator()


def edition() -> Edition | None:
    """The edition anybody may take away now."""
    return Edition.objects.first()


def bodies(text: str = "") -> list[dict[str, Any]]:
    """The bodies of the present edition whose name holds `text`, whatever its accents."""
    found = edition()
    wanted = fold(text)
    return [one for one in found.bodies if wanted in fold(one["name"])] if found else []
