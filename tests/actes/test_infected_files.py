"""Infected files (B12): refused by their name wherever a commune or the counter brings one."""

import io
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from registration_authority import files as counter
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions, archives, batches, replies
from socle.actes.batches import Common
from socle.actes.models import Act, ActFile, Answer, BatchItem
from socle.documents.antivirus import AntivirusAway, Infected
from socle.documents.clamd import Place
from socle.documents.models import StoredFile
from socle.helios import actions as helios
from socle.helios.models import PesFlow
from socle.journal.models import Entry
from tenants.onboarding import files as onboarding
from tests.actes.conftest import AT, FACTS, PDF, PNG, somebody, upload
from tests.actes.test_letters import write
from tests.actes.test_returns import LATER, acknowledge
from tests.actes.test_screens import FIELDS, text
from tests.documents import clamd_server
from tests.documents.clamd_server import NAME, VIRUS, Clamd, needs_clamd
from tests.people import in_town

pytestmark = needs_clamd
INFECTED = PDF + VIRUS + b"\n%%EOF\n"
AWAY = Place(path="/nowhere/clamd.sock")


@pytest.fixture(scope="module")
def real() -> Iterator[Clamd]:
    with clamd_server.running() as place:
        yield place


@pytest.fixture(autouse=True)
def antivirus(real: Clamd, settings: Any) -> Any:
    settings.ANTIVIRUS = real.unix
    return settings


def test_B12_an_infected_annexe_is_refused_and_nothing_is_kept(
    deposit: Callable[..., Act],
) -> None:
    plan = upload(PNG + VIRUS, "plan.png")

    with pytest.raises(Infected, match=rf"{NAME}.*« plan\.png »"):
        deposit(annexes=(upload(PNG, "photo.png"), plan))

    assert not Act.objects.exists()
    assert not StoredFile.objects.filter(name__endswith=".png").exists()


def test_clean_files_leave(deposit: Callable[..., Act]) -> None:
    assert deposit(annexes=(upload(PNG, "plan.png"),)).files.count() == 2


def test_B12_the_form_names_the_file_and_the_journal_keeps_it(ready: Person, town: Any) -> None:
    page = in_town(town, ready).post(
        "/actes/deposer/",
        {**FIELDS, "main": SimpleUploadedFile("d.pdf", INFECTED, "application/pdf")},
        follow=True,
    )

    assert "programme malveillant" in text(page)
    assert "« d.pdf »" in text(page)
    assert not ActFile.objects.exists()
    noted = Entry.objects.filter(event="refused.deposit").values_list("detail__code", flat=True)
    assert "documents.infected" in noted


def test_while_the_antivirus_is_away_she_is_asked_to_come_back(
    ready: Person, town: Any, antivirus: Any
) -> None:
    """What she typed is kept as a draft: only the file is to be given again."""
    antivirus.ANTIVIRUS = AWAY
    page = in_town(town, ready).post(
        "/actes/deposer/",
        {**FIELDS, "main": SimpleUploadedFile("d.pdf", PDF, "application/pdf")},
        follow=True,
    )

    assert "réessayez dans quelques minutes" in text(page)
    assert Act.objects.get().objet == FIELDS["objet"]
    assert not ActFile.objects.exists()


def test_an_infected_answer_to_a_letter_is_refused(sent_act: Act, ready: Person) -> None:
    acknowledge(sent_act)
    sent_act.refresh_from_db()
    letter = write(sent_act)

    with pytest.raises(Infected, match=r"« réponse\.pdf »"):
        replies.prepare(
            letter_id=letter.pk,
            kind="3-4",
            uploads=[upload(INFECTED, "réponse.pdf")],
            by=ready,
            at=LATER,
        )
    assert not Answer.objects.exists()


def test_an_infected_file_of_a_zip_is_refused_and_the_others_taken(ready: Person) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2026_001 un.pdf", PDF)
        archive.writestr("2026_002 deux.pdf", INFECTED)

    taken(ready, upload(out.getvalue(), "lot.zip"))

    good, bad = BatchItem.objects.order_by("rank")
    assert good.act is not None
    assert bad.act is None
    assert NAME in bad.refusal


def test_a_batch_given_again_after_the_antivirus_came_back_is_whole(
    ready: Person, antivirus: Any, real: Clamd
) -> None:
    antivirus.ANTIVIRUS = AWAY
    key = uuid.uuid4()
    with pytest.raises(AntivirusAway):
        taken(ready, upload(), key=key)
    assert not BatchItem.objects.exists()

    antivirus.ANTIVIRUS = real.unix
    taken(ready, upload(), key=key)

    assert BatchItem.objects.get().act is not None


def taken(by: Person, *uploads: Any, key: uuid.UUID | None = None) -> None:
    batch = batches.begin(key=key or uuid.uuid4(), by=by, at=AT)
    common = Common(nature=1, matter="5.2", decided_on=FACTS.decided_on)
    batches.take_in(batch_id=batch.pk, uploads=uploads, common=common, by=by, at=AT)


def test_an_infected_flow_is_refused(town: Any) -> None:
    agent = somebody(Role.TRANSMITTER, town)
    flow = SimpleUploadedFile("PES.xml", b"<?xml version='1.0'?><!--" + VIRUS + b"-->")

    with pytest.raises(Infected, match=r"« PES\.xml »"):
        helios.deposit(file=flow, by=agent, at=AT)
    assert not PesFlow.objects.exists()


def test_an_infected_answer_of_the_archive_is_refused(ready: Person) -> None:
    with pytest.raises(Infected, match=r"« atr\.xml »"):
        archives.answer(content=b"<xml/>" + VIRUS, name="atr.xml", by=ready, at=AT)


@pytest.mark.parametrize("kind", ["mandate", "identity"])
def test_an_infected_piece_of_a_certificate_file_is_refused(ready: Person, kind: str) -> None:
    with pytest.raises(Infected, match=r"« pièce\.pdf »"):
        counter.keep_piece_of(kind, INFECTED, name="pièce.pdf", by=ready, at=AT)


def test_an_infected_convention_is_refused(town: Any) -> None:
    with pytest.raises(Infected, match=r"« convention\.pdf »"):
        onboarding.keep_signed(io.BytesIO(INFECTED), name="convention.pdf", by="x", at=AT)


def test_what_cannot_be_looked_at_is_said_to_be_so(ready: Person, antivirus: Any) -> None:
    antivirus.ANTIVIRUS = AWAY
    with pytest.raises(AntivirusAway):
        actions.save_draft(facts=FACTS, main=upload(), by=ready, at=AT)
    assert not Act.objects.exists()
