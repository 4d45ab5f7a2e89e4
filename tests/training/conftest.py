"""A trainer and two communes."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory.models import Organisation
from tests.training.builders import someone


@pytest.fixture
def trainer(portal: Any, syndicat: Organisation) -> Person:
    return someone(Role.TRAINER, at=syndicat, first_name="Karim", last_name="Formateur")


@pytest.fixture
def melle(portal: Any) -> Organisation:
    return Organisation.objects.get(siren="200081511")


@pytest.fixture
def celles(portal: Any) -> Organisation:
    return Organisation.objects.get(insee="79061")


@pytest.fixture
def monday(noon: datetime) -> datetime:
    """Monday 30 November 2026, 9:00 in Paris."""
    return noon.replace(day=30, hour=8)


@pytest.fixture
def afternoon(monday: datetime) -> datetime:
    return monday + timedelta(hours=5)
