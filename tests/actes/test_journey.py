"""The whole way of an act: over a real socket, to a préfecture that runs in another process."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from socle.accounts.models import Person
from socle.actes import actions, queries, replies
from socle.actes.actions import Facts
from socle.actes.models import Act, ActState, LetterState, Transaction
from socle.delivery import actions as delivery
from socle.delivery.models import (
    Inbound,
    InboundState,
    Outbound,
    OutboundState,
    TransmissionOperator,
)
from socle.directory.models import TransmissionRight
from socle.documents import actions as documents
from tests import day
from tests.actes.conftest import upload
from tests.documents import pdfs

REPO = Path(__file__).resolve().parents[2]
TOKEN = "a-token-of-the-tests"
PATIENCE = 20.0


@pytest.fixture
def prefecture(tmp_path: Path, settings: Any) -> Iterator[str]:
    """The address of `python -m socle.exercise`, which answers at once."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SOCLE_")}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "socle.exercise",
            "--port",
            "0",
            "--delay",
            "0",
            "--state",
            tmp_path,
        ],
        env=kept
        | day.environment(str(REPO), str(REPO / "platform"))
        | {"SOCLE_EXERCISE_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        settings.EXERCISE_URL = process.stdout.readline().split()[-1]
        settings.EXERCISE_TOKEN = TOKEN
        yield settings.EXERCISE_URL
    finally:
        process.terminate()
        process.communicate()


@pytest.fixture
def travel(prefecture: str, town: Any) -> Callable[[], None]:
    """Do what the worker and the poller do, from the public schema, until an answer has come."""

    def go(answers: int = 1) -> None:
        operator = TransmissionOperator.objects.get()
        end, new = time.monotonic() + PATIENCE, 0
        connection.set_schema_to_public()
        try:
            delivery.send_due()
            while new < answers and time.monotonic() < end:
                new += delivery.collect(operator)
                time.sleep(0.05)
        finally:
            connection.set_tenant(town)
        assert new == answers, list(Outbound.objects.values("name", "state", "last_error"))

    return go


def deposit(by: Person, **changes: Any) -> Act:
    facts: dict[str, Any] = {
        "number": "2026_017",
        "nature": 1,
        "matter": "7.10",
        "decided_on": timezone.localdate() - timedelta(days=3),
        "objet": "Tarifs de la cantine : 3 € l’été",
    }
    return actions.deposit(
        facts=Facts(**facts | changes),
        main=upload(),
        annexes=(upload(name="grille.pdf"),),
        by=by,
        at=timezone.now(),
    )


def test_the_first_act_of_a_commune_goes_all_the_way(
    right: TransmissionRight, secretary: Person, travel: Callable[[], None]
) -> None:
    act = deposit(secretary)
    assert act.state == ActState.WAITING
    travel()
    act.refresh_from_db()
    assert act.state == ActState.QUEUED
    travel()
    act.refresh_from_db()
    assert act.state == ActState.ACKNOWLEDGED
    assert act.received_on == timezone.localdate()
    assert act.identifier in pdfs.words(documents.read(act.bordereau))
    assert all(file.stamped for file in queries.files_of(act))
    assert queries.has_acknowledged()


def test_an_acknowledged_act_is_cancelled(ready: Person, travel: Callable[[], None]) -> None:
    act = deposit(ready)
    travel()
    actions.cancel(act_id=act.pk, by=ready, at=timezone.now())
    travel()
    act.refresh_from_db()
    assert act.state == ActState.CANCELLED
    assert act.cancelled_on == timezone.localdate()


def test_an_anomaly_is_corrected_and_sent_again(ready: Person, travel: Callable[[], None]) -> None:
    act = deposit(ready, objet="Essai [anomalie]")
    travel()
    act.refresh_from_db()
    assert act.state == ActState.ANOMALY
    draft = actions.correct(act_id=act.pk, by=ready, at=timezone.now())
    facts = Facts(draft.number, 1, "7.10", draft.decided_on, "Essai corrigé")
    actions.save_draft(act_id=draft.pk, facts=facts, by=ready, at=timezone.now())
    actions.transmit(act_id=draft.pk, by=ready, at=timezone.now())
    travel()
    draft.refresh_from_db()
    assert draft.state == ActState.ACKNOWLEDGED


def test_an_envelope_anomaly_comes_back_to_its_act(
    ready: Person, travel: Callable[[], None]
) -> None:
    act = deposit(ready, objet="Essai [anomalie enveloppe]")
    travel()
    act.refresh_from_db()
    assert act.state == ActState.ANOMALY


def test_the_number_of_a_cancelled_act_is_for_the_prefecture_to_judge(
    ready: Person, travel: Callable[[], None]
) -> None:
    act = deposit(ready)
    travel()
    actions.cancel(act_id=act.pk, by=ready, at=timezone.now())
    travel()
    again = deposit(ready, objet="Le même numéro")
    travel()
    again.refresh_from_db()
    act.refresh_from_db()
    assert (again.state, act.state) == (ActState.ANOMALY, ActState.CANCELLED)


def test_pieces_asked_for_are_sent_and_acknowledged(
    ready: Person, travel: Callable[[], None]
) -> None:
    act = deposit(ready, objet="Essai [pièces]")
    travel(2)
    letter = act.letters.get()
    assert letter.receipt is not None
    assert [paper.stored is not None for paper in letter.files.all()] == [True]
    now = timezone.now()
    pieces = [upload(name="plan.pdf"), upload(name="rapport.pdf")]
    replies.prepare(letter_id=letter.pk, kind="3-4", uploads=pieces, by=ready, at=now)
    replies.send(letter_id=letter.pk, by=ready, at=now)
    travel()
    letter.refresh_from_db()
    assert letter.state == LetterState.ANSWERED
    assert set(Outbound.objects.values_list("state", flat=True)) == {OutboundState.SENT}


def test_observations_and_a_defere_come_after_the_acknowledgement(
    ready: Person, travel: Callable[[], None]
) -> None:
    act = deposit(ready, objet="Essai [observations] [déféré] [courrier simple]")
    travel(4)
    assert sorted(act.letters.values_list("kind", flat=True)) == ["2-1", "4-1", "5-1"]
    assert act.letters.get(kind="5-1").files.count() == 2
    letter = act.letters.get(kind="4-1")
    now = timezone.now()
    replies.prepare(letter_id=letter.pk, kind="4-3", uploads=[upload()], by=ready, at=now)
    replies.send(letter_id=letter.pk, by=ready, at=now)
    travel()
    letter.refresh_from_db()
    assert letter.state == LetterState.ANSWERED


def test_a_connection_cut_after_the_bytes_arrived_sends_them_once(
    ready: Person, prefecture: str, travel: Callable[[], None]
) -> None:
    act = deposit(ready)
    _break_down(prefecture, "drop-after-store")
    delivery.send_due()
    _break_down(prefecture, "ok")
    Outbound.objects.update(due_at=timezone.now())
    travel()
    act.refresh_from_db()
    assert act.state == ActState.ACKNOWLEDGED
    assert Transaction.objects.filter(kind="1-1").count() == 1


def test_every_return_is_kept_and_handled(ready: Person, travel: Callable[[], None]) -> None:
    deposit(ready)
    travel()
    assert [one.state for one in Inbound.objects.all()] == [InboundState.MATCHED]


def test_a_return_for_nobody_stays_on_the_desk(
    ready: Person, town: Any, travel: Callable[[], None]
) -> None:
    deposit(ready)
    Transaction.objects.update(identifier="079-200081511-20261120-AUTRE-DE")
    travel()
    kept = Inbound.objects.get()
    assert kept.state == InboundState.UNMATCHED
    assert "Aucun acte transmis d’ici" in kept.message


def _break_down(url: str, mode: str) -> None:
    place = urlsplit(url)
    asked = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    asked.request("POST", "/pannes", f'{{"mode": "{mode}"}}', headers)
    assert asked.getresponse().status == 200
    asked.close()
