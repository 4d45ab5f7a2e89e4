"""One file at the counter, for a commune that has its space."""

from typing import Any

import pytest

from tests.registration_authority.counter import Counter, open_counter


@pytest.fixture
def counter(portal: Any, neighbour: Any, syndicat: Any) -> Counter:
    """A draft file for a transmitter of Celles-sur-Belle, seen from the portal."""
    return open_counter(neighbour.organisation, syndicat)
