"""Melle, ready to send her flows."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.identifiers import siret_of
from socle.directory.models import Grant, Protocol, TransmissionRight
from socle.helios import actions
from socle.helios.models import PesFlow
from tests.helios.protocol import builders as pes
from tests.people import Browser, in_town, person

SIRET = siret_of("200081511")
LONG_AGO = date(2020, 1, 1)


def melle(*blocks: str, **facts: Any) -> bytes:
    """A PES of Melle."""
    return pes.aller(*blocks, **({"IdColl": SIRET} | facts))


def upload(content: bytes, name: str = "flux.xml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/xml")


@pytest.fixture
def right(town: Any) -> TransmissionRight:
    """The convention of Melle, through the exercise operator."""
    return TransmissionRight.objects.create(
        organisation=town.organisation,
        protocol=Protocol.HELIOS,
        operator="exercice",
        reference="Formulaire d’adhésion",
        starts_on=LONG_AGO,
    )


def member(town: Any, role: Role) -> Person:
    """A person who has had this role in the commune for long."""
    made = person(role, at=town.organisation)
    Grant.objects.filter(person=made).update(starts_on=LONG_AGO)
    return made


@pytest.fixture
def agent(town: Any, right: TransmissionRight) -> Person:
    """The secretary, who prepares and transmits."""
    return member(town, Role.TRANSMITTER)


@pytest.fixture
def browser(town: Any, agent: Person) -> Browser:
    return in_town(town, agent)


@pytest.fixture
def deposit(agent: Person, noon: datetime) -> Callable[..., PesFlow]:
    """Deposit a PES as the secretary."""

    def make(content: bytes | None = None, name: str = "flux.xml") -> PesFlow:
        file = upload(melle() if content is None else content, name)
        return actions.deposit(file=file, by=agent, at=noon)

    return make


@pytest.fixture
def flow(deposit: Callable[..., PesFlow]) -> PesFlow:
    return deposit()


@pytest.fixture
def sent(flow: PesFlow, agent: Person, noon: datetime) -> PesFlow:
    """A flow the operator holds."""
    return send(flow, agent, noon)


def send(flow: PesFlow, agent: Person, at: datetime) -> PesFlow:
    """Transmit a flow, as if the operator had taken it at once."""
    from socle.helios import queries, returns

    actions.transmit(flow_id=flow.pk, by=agent, at=at)
    outbound = queries.outbound_of(flow)
    assert outbound is not None
    returns.sent(outbound, at)
    flow.refresh_from_db()
    return flow
