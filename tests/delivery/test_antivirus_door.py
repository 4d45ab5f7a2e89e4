"""Nothing leaves that the antivirus did not look at, and nothing is lost while it is away."""

import io
import tarfile
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.delivery import actions
from socle.delivery.models import Outbound, OutboundState
from socle.documents import actions as documents
from socle.documents.clamd import Place
from socle.journal.models import Entry
from tests.delivery.conftest import Room
from tests.documents import clamd_server
from tests.documents.clamd_server import NAME, VIRUS, Clamd, needs_clamd
from tests.exercise.client import Client
from tests.people import on_portal, person


@pytest.fixture(scope="module")
def real() -> Iterator[Clamd]:
    with clamd_server.running() as place:
        yield place


def carrying(outbound: Outbound, content: bytes) -> Outbound:
    """The same sending, of other bytes: kept before there was an antivirus."""
    stored = documents.store(content=content, name="x", by="tests", at=timezone.now())
    outbound.payload, outbound.sha256, outbound.size = stored.pk, stored.sha256, stored.size
    outbound.save()
    return outbound


def archive(*contents: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for rank, content in enumerate(contents):
            entry = tarfile.TarInfo(f"{rank}.pdf")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


@needs_clamd
def test_a_clean_file_leaves(
    outbound: Outbound, counters: Client, settings: Any, real: Clamd
) -> None:
    settings.ANTIVIRUS = real.unix

    assert actions.send_due() == 1
    assert counters.counters()["deposits"] == 1


@needs_clamd
def test_B12_an_infected_file_is_held_and_nothing_is_sent(
    outbound: Outbound, counters: Client, settings: Any, real: Clamd
) -> None:
    """Inside the archive of an act, whose files were taken in before the signatures knew."""
    settings.ANTIVIRUS = real.tcp
    carrying(outbound, archive(b"%PDF-1.4 propre", b"%PDF-1.4 " + VIRUS))

    assert actions.send_due() == 0

    outbound.refresh_from_db()
    assert outbound.state == OutboundState.HELD
    assert NAME in outbound.last_error
    assert counters.counters()["deposits"] == 0
    assert Entry.objects.get(event="delivery.refused").detail["why"] == outbound.last_error


@needs_clamd
def test_while_the_antivirus_is_away_nothing_leaves_and_it_leaves_afterwards(
    outbound: Outbound, counters: Client, settings: Any, real: Clamd, room: Room
) -> None:
    settings.ANTIVIRUS = Place(path="/nowhere/clamd.sock")

    assert actions.send_due() == 0

    outbound.refresh_from_db()
    assert outbound.state == OutboundState.DUE
    assert "antivirus" in outbound.last_error
    assert not outbound.maybe_received, "nothing was sent: nobody is to be asked"
    assert outbound.due_at > timezone.now()
    assert counters.counters()["deposits"] == 0

    settings.ANTIVIRUS = real.unix
    Outbound.objects.update(due_at=timezone.now())
    assert actions.send_due() == 1
    assert room.sent == [outbound.subject_id]


@needs_clamd
def test_the_lease_is_renewed_after_the_antivirus(
    outbound: Outbound, settings: Any, real: Clamd
) -> None:
    settings.ANTIVIRUS = real.unix
    taken = actions.claim(at=timezone.now())
    assert taken is not None
    Outbound.objects.update(lease_until=timezone.now())

    actions._check_clean(taken)

    outbound.refresh_from_db()
    assert outbound.lease_until is not None
    assert (outbound.lease_until - timezone.now()).total_seconds() > settings.DELIVERY_LEASE - 10


@needs_clamd
def test_a_file_another_worker_took_over_meanwhile_is_left_to_it(
    outbound: Outbound, settings: Any, real: Clamd, counters: Client
) -> None:
    settings.ANTIVIRUS = real.unix
    taken = actions.claim(at=timezone.now())
    assert taken is not None
    Outbound.objects.update(lease=uuid.uuid4())

    assert not actions.send(taken)
    assert counters.counters()["deposits"] == 0


# The portal says it.


@pytest.fixture
def page(room: Room, syndicat: Any) -> Any:
    browser = on_portal(person(Role.AUDITOR, at=syndicat))
    return lambda: browser.get("/envois/operateurs/").content.decode()


def test_the_portal_says_that_there_is_no_antivirus(page: Any, settings: Any) -> None:
    settings.ANTIVIRUS = None
    assert "l’installation n’a pas d’antivirus" in page()


def test_the_portal_says_that_the_antivirus_does_not_answer(page: Any, settings: Any) -> None:
    settings.ANTIVIRUS = Place(host="127.0.0.1", port=9)
    assert "Rien n’est accepté ni envoyé" in page()


@needs_clamd
def test_the_portal_says_which_antivirus_looks_at_the_files(
    page: Any, settings: Any, real: Clamd
) -> None:
    settings.ANTIVIRUS = real.unix
    assert "ClamAV 1" in page()


@needs_clamd
@pytest.mark.parametrize(("place", "said"), [("unix", "ok"), ("away", "sans réponse")])
def test_the_probe_says_it_and_stays_ready(
    town: Any, client: Any, settings: Any, real: Clamd, place: str, said: str
) -> None:
    settings.ANTIVIRUS = Place(path="/nowhere") if place == "away" else real.unix
    answer = client.get("/sante/pret")
    assert (answer.status_code, answer.json()["antivirus"]) == (200, said)
