"""The parts of the tour that need no running stack."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from socle.core.clock import PARIS
from socle.directory.models import Organisation
from tenants import tour
from tenants.onboarding.actions import cases
from tests.people import person


@pytest.mark.parametrize("clock", ["10:00", "21:45", "23:57", "23:59"])
def test_a_session_begins_at_once_and_ends_within_its_day(clock: str) -> None:
    now = datetime.fromisoformat(f"2026-11-24T{clock}:30").replace(tzinfo=PARIS)
    start, end = tour.half_day(now)
    assert now < start <= now + timedelta(minutes=2)
    assert start.astimezone(PARIS).date() == end.astimezone(PARIS).date()
    assert end - start >= timedelta(minutes=1)


def test_melle_comes_first_then_the_communes_without_a_case(
    portal: Any, syndicat: Organisation
) -> None:
    first = tour.next_commune()
    assert first is not None
    assert first.siren == "200081511"
    cases.open_case(organisation=first, by=person(), at=datetime(2026, 11, 24, 9, tzinfo=UTC))
    second = tour.next_commune()
    assert second is not None
    assert second.name == "Aigondigné"


def test_an_answer_that_does_not_come_breaks_the_tour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour, "PATIENCE", 0.1)
    with pytest.raises(tour.Broken, match="sans l’accusé de réception"):
        tour.wait(lambda: None, "l’accusé de réception")
