from datetime import datetime
from typing import Any

import pytest

from socle.directory.models import Organisation
from tests.onboarding.journey import Journey


@pytest.fixture
def melle(portal: Any) -> Organisation:
    return Organisation.objects.get(siren="200081511")


@pytest.fixture
def lezay(portal: Any) -> Organisation:
    """A member without space."""
    return Organisation.objects.get(insee="79148")


@pytest.fixture
def journey(melle: Organisation, syndicat: Any, noon: datetime) -> Journey:
    """Melle, whose case was just opened."""
    return Journey(melle, syndicat, noon)
