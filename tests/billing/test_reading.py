"""Billing and the registration authority agree on what a hand-over is."""

from dataclasses import fields
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from billing import queries
from registration_authority import queries as authority
from socle.directory.models import Organisation


def test_the_authority_tells_what_billing_reads() -> None:
    told = {field.name for field in fields(authority.HandedOver)}
    assert {"organisation", "person", "price_code", "at", "certificate_id"} <= told


def test_the_days_are_those_of_paris_both_included(
    monkeypatch: pytest.MonkeyPatch, melle: Organisation
) -> None:
    asked: list[datetime] = []

    def handed_over(since: datetime, until: datetime) -> list[Any]:
        asked.extend((since, until))
        evening = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # the 25th in Paris
        facts = {"organisation": melle, "person": None, "price_code": "", "at": evening}
        return [SimpleNamespace(**facts, certificate_id=number) for number in (2, 1)]

    monkeypatch.setattr(authority, "handed_over", handed_over)
    found = queries.hand_overs(date(2026, 1, 1), date(2026, 11, 25))
    assert [one.certificate_id for one in found] == [1, 2]
    assert {one.on for one in found} == {date(2026, 11, 25)}
    assert [at.astimezone(UTC) for at in asked] == [
        datetime(2025, 12, 31, 23, tzinfo=UTC),
        datetime(2026, 11, 25, 23, tzinfo=UTC),
    ]


def test_the_real_authority_answers(portal: Any) -> None:
    assert queries.hand_overs(date(2026, 1, 1), date(2026, 12, 31)) == []
