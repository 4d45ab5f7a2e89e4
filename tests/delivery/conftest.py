"""The corridor between a commune and a real exercise operator on a real socket."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.delivery import actions, handlers
from socle.delivery.models import Outbound, TransmissionOperator
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from socle.exercise.server import ExerciseServer
from tests.exercise.builders import Pes
from tests.exercise.client import Client
from tests.people import person

TOKEN = "exercise"


class Room:
    """Stands for the room above: remembers what it was told."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.refused: list[str] = []
        self.received: list[str] = []
        self.organisation_id = 0
        self.refusal: Exception | None = None
        self.stops: Exception | None = None

    def as_room(self) -> handlers.Room:
        return handlers.Room(
            sent=lambda outbound, at: self.sent.append(outbound.subject_id),
            refused=lambda outbound, why, at: self.refused.append(why),
            receive=self.receive,
            check=self.check,
        )

    def check(self, outbound: Outbound, at: Any) -> None:
        if self.stops:
            raise self.stops

    def receive(self, name: str, raw: bytes, at: Any, origin: Any) -> int:
        if self.refusal:
            raise self.refusal
        self.received.append(name)
        return self.organisation_id


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ExerciseServer]:
    accounts = {TOKEN: "socle"}
    with ExerciseServer(state=tmp_path / "exercise", accounts=accounts, delay=0) as running:
        yield running


@pytest.fixture
def counters(server: ExerciseServer) -> Client:
    """What the operator itself counted."""
    return Client(server.url, TOKEN)


@pytest.fixture
def room(server: ExerciseServer, town: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Room:
    settings.EXERCISE_URL, settings.EXERCISE_TOKEN = server.url, TOKEN
    probe = Room()
    probe.organisation_id = town.organisation_id
    monkeypatch.setattr(handlers, "_rooms", {"helios": probe.as_room()})
    TransmissionRight.objects.create(
        organisation=town.organisation,
        protocol=Protocol.HELIOS,
        operator="exercice",
        reference="Formulaire d’adhésion",
        starts_on=timezone.now().date() - timedelta(days=30),
    )
    return probe


@pytest.fixture
def outbound(room: Room, town: Any) -> Outbound:
    """One PES of the commune, due now."""
    who = person(Role.TRANSMITTER, at=town.organisation)
    flow = Pes()
    stored = documents.store(content=flow.xml(), name="flux.xml", by=str(who), at=timezone.now())
    return actions.enqueue(
        organisation=town.organisation,
        protocol="helios",
        operator=TransmissionOperator.objects.get(),
        name="PESALR2_20008151100019_261124_001.xml",
        payload=stored,
        subject_id=1,
        by=who,
        at=timezone.now(),
    )
