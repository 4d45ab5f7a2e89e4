"""A billing officer, two communes with their SIRET, a price list."""

from datetime import date
from typing import Any

import pytest

from billing import defaults, queries
from billing.queries import HandOver
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.identifiers import siret_of
from socle.directory.models import Membership, Organisation
from tests.people import person

NEW_YEAR = date(2026, 1, 1)


@pytest.fixture
def officer(portal: Any, syndicat: Organisation) -> Person:
    return person(Role.BILLING_OFFICER, at=syndicat, first_name="Antoine", last_name="Comptes")


def _with_siret(**wanted: str) -> Organisation:
    body = Organisation.objects.get(**wanted)
    body.siret, body.address = siret_of(body.siren), "Place de la Mairie"
    body.save()
    return body


@pytest.fixture
def melle(portal: Any) -> Organisation:
    return _with_siret(siren="200081511")


@pytest.fixture
def celles(portal: Any) -> Organisation:
    return _with_siret(insee="79061")


@pytest.fixture
def price_list(portal: Any) -> None:
    defaults.ensure(valid_from=NEW_YEAR)


@pytest.fixture
def no_members(portal: Any) -> None:
    """No adhesion to bill: the test looks at certificates."""
    Membership.objects.all().delete()


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[HandOver]:
    """The hand-overs the registration authority tells; a test adds its own."""
    told: list[HandOver] = []

    def between(since: date, until: date) -> list[HandOver]:
        return sorted(
            (one for one in told if since <= one.on <= until),
            key=lambda one: (one.on, one.certificate_id),
        )

    monkeypatch.setattr(queries, "hand_overs", between)
    return told
