"""The main menu: which door is the current one."""

from collections.abc import Iterator

import pytest
from django.urls import set_urlconf

from socle.accounts.capabilities import Capability
from socle.accounts.navigation import Scope, entries

BOTH = (Capability.RA_READ, Capability.RA_RULES)


@pytest.fixture(autouse=True)
def _portal() -> Iterator[None]:
    set_urlconf("socle.config.urls_public")
    yield
    set_urlconf(None)


def _current(path: str) -> list[str]:
    return [one.label for one in entries(Scope.PORTAL, BOTH, path) if one.current]


def test_a_door_inside_another_is_the_current_one_alone() -> None:
    assert _current("/certificats/regles/confirmation/") == ["Règles des certificats"]
    assert _current("/certificats/stock/") == ["Certificats"]
    assert _current("/annonces/") == []
