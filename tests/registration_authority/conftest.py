"""One file at the counter, for a commune that has its space."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from tests import day
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.openssl_peer import needs_openssl


@pytest.fixture
def counter(portal: Any, neighbour: Any, syndicat: Any) -> Counter:
    """A draft file for a transmitter of Celles-sur-Belle, seen from the portal."""
    return open_counter(neighbour.organisation, syndicat)


@pytest.fixture(autouse=True)
def _clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """A week after `NOON`, whatever the day; beside OpenSSL, its hour: the operating system's."""
    asks = needs_openssl.mark in request.node.iter_markers("skipif")
    if asks or request.path.parent.name == "watch":
        with day.of_the_system():
            yield
    else:
        with time_machine.travel(NOON + timedelta(days=7), tick=True):
            yield
