"""Two communes that must not see each other, and a person of the first."""

from typing import Any

import pytest

from socle.accounts.capabilities import Role
from tests.isolation.canaries import CANARY, Gardener, Planted
from tests.people import Browser, in_town, person

COMMUNE = (Role.TRANSMITTER, Role.SIGNATORY)


@pytest.fixture
def planted(portal: Any, neighbour: Any) -> Planted:
    """Canaries everywhere the neighbour keeps something."""
    who = person(Role.TRANSMITTER, at=neighbour.organisation, first_name=CANARY, last_name=CANARY)
    return Gardener(neighbour, who).plant_all()


@pytest.fixture
def melle(portal: Any) -> Any:
    """The commune we are in, its schema not entered."""
    from tenants.models import Tenant

    return Tenant.objects.select_related("organisation").get(organisation__siren="200081511")


@pytest.fixture
def agent(melle: Any) -> Any:
    """A person who may do everything in Melle and nothing elsewhere."""
    return person(*COMMUNE, at=melle.organisation)


@pytest.fixture
def browser(melle: Any, agent: Any) -> Browser:
    """Her browser, in her commune."""
    return in_town(melle, agent)
