"""Several acts at once: one file one draft, numbers that never meet, results one by one."""

import io
import re
import threading
import unicodedata
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions, batches, numbers, permissions, policies, tasks, zips
from socle.actes.actions import Upload
from socle.actes.batches import Common
from socle.actes.ground import Ground
from socle.actes.models import Act, ActState, Batch, NumberPattern
from socle.core import queue
from socle.delivery.models import Outbound
from socle.directory import policies as rights
from socle.documents.stamp import Corner
from socle.journal.models import Entry
from tests.actes.conftest import AT, FACTS, somebody
from tests.actes.test_returns import acknowledge
from tests.actes.test_screens import browser, pdf, text  # noqa: F401
from tests.documents import pdfs
from tests.field import sample
from tests.people import Browser, in_town

COMMON = Common(nature=1, matter="5.2", decided_on=date(2026, 11, 20))
KEY = uuid.UUID(int=7)


def paper(serial: int) -> bytes:
    return pdfs.plain(text=f"Délibération {serial}")


@pytest.fixture
def batch_of(ready: Person) -> Callable[..., Batch]:
    """A batch of these files."""

    def make(*uploads: Upload, common: Common = COMMON, key: uuid.UUID = KEY) -> Batch:
        batch = batches.begin(key=key, by=ready, at=AT)
        batches.take_in(batch_id=batch.pk, uploads=uploads, common=common, by=ready, at=AT)
        return batch

    return make


@pytest.fixture
def three(batch_of: Callable[..., Batch]) -> Batch:
    """Three acts, of which the second file is no PDF."""
    return batch_of(
        Upload("2026-017 Délibération tarifs de la cantine.pdf", paper(1)),
        Upload("2026-018 règlement.pdf", b"Bonjour, du texte"),
        Upload("2026-019 règlement du cimetière.pdf", paper(3)),
    )


def numbers_of(batch: Batch) -> list[str]:
    return [item.act.number if item.act else "" for item in batch.items.select_related("act")]


def test_A40_a_batch_of_acts_is_sent_and_each_has_its_own_result(
    three: Batch, ready: Person
) -> None:
    batches.send(batch_id=three.pk, by=ready, at=AT)
    assert batches.work(batch_id=three.pk, at=AT) == 2
    assert Act.objects.filter(state=ActState.QUEUED).count() == 2
    assert not Act.objects.filter(state=ActState.DRAFT).exists()
    assert Outbound.objects.count() == 2


def test_one_file_one_draft_and_a_bad_one_stops_nobody(three: Batch) -> None:
    assert numbers_of(three) == ["2026_017", "", "2026_019"]
    refused = three.items.get(act=None)
    assert "n’est pas accepté" in refused.refusal
    assert Entry.objects.get(event="actes.batch_file_refused").detail["file"] == refused.name


def test_the_name_of_a_file_fills_number_nature_and_objet(three: Batch) -> None:
    act = three.items.get(rank=1).act
    assert (act.number, act.nature, act.objet) == (
        "2026_017",
        1,
        "Délibération tarifs de la cantine",
    )
    assert act.decided_on == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("name", "number", "nature", "objet"),
    [
        ("2026-017 Tarifs.pdf", "2026_017", None, "Tarifs"),
        ("Délib n° 2026_17 - tarifs cantine.pdf", "2026_17", 1, "Tarifs cantine"),
        ("arrete_2026_004_voirie.PDF", "2026_004", 2, "Voirie"),
        ("Convention SIVU.pdf", "", 4, "Convention SIVU"),
        ("scan0001.pdf", "", None, ""),
        ("20261124153000.pdf", "", None, ""),
    ],
)
def test_what_a_name_says(name: str, number: str, nature: int | None, objet: str) -> None:
    assert policies.guess(name) == policies.Guess(number, nature, objet)


def test_the_same_form_sent_twice_is_one_batch(
    batch_of: Callable[..., Batch], three: Batch
) -> None:
    again = batch_of(Upload("2026-017 Délibération tarifs de la cantine.pdf", paper(1)))
    assert again == three
    assert three.items.count() == 3
    assert Act.objects.count() == 2


def test_a_batch_is_taken_up_again_where_it_stopped(
    batch_of: Callable[..., Batch], three: Batch
) -> None:
    batch_of(Upload("2026-017.pdf", paper(1)), Upload("2026-020 suite.pdf", paper(4)))
    assert numbers_of(three) == ["2026_017", "", "2026_019", "2026_020"]


def a_zip(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_a_zip_gives_one_draft_for_each_of_its_files(batch_of: Callable[..., Batch]) -> None:
    content = a_zip(
        **{
            "séance/2026-021 a.pdf": paper(1),
            "séance/2026-022 b.pdf": paper(2),
            "__MACOSX/séance/._2026-021 a.pdf": b"x",
            "séance/Thumbs.db": b"x",
        }
    )
    batch = batch_of(Upload("séance.zip", content))
    assert numbers_of(batch) == ["2026_021", "2026_022"]


@pytest.mark.parametrize(
    "written",
    [
        unicodedata.normalize("NFD", "2026-024 ARRÊTÉ à signer.pdf").encode(),
        "2026-024 ARRÊTÉ à signer.pdf".encode(),
        "2026-024 ARRÊTÉ à signer.pdf".encode("cp850"),
    ],
    ids=["macOS", "UTF-8", "Windows"],
)
def test_the_name_in_a_zip_is_read_as_its_writer_meant_it(
    batch_of: Callable[..., Batch], written: bytes
) -> None:
    """No flag says the encoding: the format's own is written by nobody."""
    stand_in = "z" * len(written)
    content = a_zip(**{stand_in: paper(1)}).replace(stand_in.encode(), written)
    assert [name for name, _ in zips.files_in(io.BytesIO(content), name="z.zip")] == [
        "2026-024 ARRÊTÉ à signer.pdf"
    ]
    batch = batch_of(Upload("séance.zip", content))
    act = batch.items.get().act
    assert act is not None
    assert (act.number, act.nature) == ("2026_024", 2)


@pytest.mark.parametrize(
    "litter",
    [
        "desktop.ini",
        "séance/~$017.docx",
        "a/__MACOSX/._b.pdf",
        "a/.DS_Store",
        "a\\Thumbs.db",
        "vide/",
    ],
)
def test_what_a_desktop_leaves_in_a_zip_is_passed_over(litter: str) -> None:
    content = a_zip(**{litter: b"x", "b.pdf": b"y"})
    assert [name for name, _ in zips.files_in(io.BytesIO(content), name="z.zip")] == ["b.pdf"]


@pytest.mark.parametrize(
    ("archive", "name"),
    [
        ("zip_macos.zip", "2026-017 ARRÊTÉ à signer.pdf"),
        ("zip_windows_cp850.zip", "2026-018 ARRÊTÉ À SIGNER.pdf"),
        ("zip_desktop_ini.zip", ""),
    ],
)
def test_zips_of_the_field_give_one_file(archive: str, name: str) -> None:
    content = io.BytesIO(sample(f"field/{archive}"))
    found = [name for name, _ in zips.files_in(content, name=archive)]
    assert len(found) == 1
    assert name in {"", *found}


def test_a_broken_zip_is_noted_and_the_other_files_go_on(batch_of: Callable[..., Batch]) -> None:
    broken = a_zip(a=paper(1))[:-30]
    batch = batch_of(Upload("séance.zip", broken), Upload("2026-023 c.pdf", paper(2)))
    assert "n’est pas un ZIP lisible" in batch.items.get(rank=1).refusal
    assert numbers_of(batch) == ["", "2026_023"]


def test_a_zip_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "EXPANDED", 1000)
    with pytest.raises(policies.BadZip, match="trop de données"):
        list(zips.files_in(io.BytesIO(a_zip(a=b"0" * 2000)), name="bombe.zip"))


def test_a_path_in_a_zip_leads_nowhere() -> None:
    found = zips.files_in(io.BytesIO(a_zip(**{"../../etc/a.pdf": b"x"})), name="z.zip")
    assert [name for name, _ in found] == ["a.pdf"]


def test_more_files_than_a_batch_takes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "BATCH_LIMIT", 1)
    with pytest.raises(policies.TooManyFiles, match="un lot en compte 1"):
        list(zips.files_in(io.BytesIO(a_zip(a=b"x", b=b"y")), name="z.zip"))


# Sending.


def test_an_act_that_cannot_leave_is_told_and_the_others_go(three: Batch, ready: Person) -> None:
    first = three.items.get(rank=1).act
    actions.save_draft(act_id=first.pk, facts=replace(FACTS, objet=""), by=ready, at=AT)
    batches.send(batch_id=three.pk, by=ready, at=AT)
    assert batches.work(batch_id=three.pk, at=AT) == 1
    assert "Indiquez l'objet" in three.items.get(rank=1).refusal
    three.refresh_from_db()
    assert three.finished_at == AT
    assert Entry.objects.get(event="actes.batch_act_refused").outcome == "refused"


def test_an_incident_on_one_act_does_not_stop_the_others(
    three: Batch, ready: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = actions.transmit

    def stumble(*, act_id: int, **others: Any) -> Act:
        if act_id == three.items.get(rank=1).act_id:
            raise OSError("no room left")
        return real(act_id=act_id, **others)

    monkeypatch.setattr(actions, "transmit", stumble)
    batches.send(batch_id=three.pk, by=ready, at=AT)
    assert batches.work(batch_id=three.pk, at=AT) == 1
    assert "Un incident a empêché" in three.items.get(rank=1).refusal


def test_what_stayed_goes_when_it_is_asked_again(three: Batch, ready: Person) -> None:
    first = three.items.get(rank=1).act
    actions.save_draft(act_id=first.pk, facts=replace(FACTS, objet=""), by=ready, at=AT)
    for objet in ("", "Tarifs"):
        facts = {first.pk: replace(FACTS, objet=objet)}
        batches.complete(batch_id=three.pk, facts=facts, by=ready, at=AT)
        batches.send(batch_id=three.pk, by=ready, at=AT)
        batches.work(batch_id=three.pk, at=AT)
    assert Act.objects.filter(state=ActState.QUEUED).count() == 2
    assert not three.items.exclude(act=None).exclude(refusal="").exists()


def test_a_message_delivered_twice_sends_each_act_once(
    three: Batch, ready: Person, town: Any
) -> None:
    batches.send(batch_id=three.pk, by=ready, at=AT)
    sent = [tasks.send_batch(schema=town.schema_name, batch_id=three.pk) for _ in range(2)]
    assert sent == [2, 0]
    assert Outbound.objects.count() == 2


def test_asking_twice_queues_once(
    three: Batch, ready: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[str] = []
    monkeypatch.setattr(queue, "after_commit", lambda task, **_: queued.append(task))
    for _ in range(2):
        batches.send(batch_id=three.pk, by=ready, at=AT)
    assert queued == ["actes.send_batch"]


def test_a_batch_that_lost_its_worker_starts_again(
    three: Batch, ready: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches.send(batch_id=three.pk, by=ready, at=AT)
    queued: list[str] = []
    monkeypatch.setattr(queue, "after_commit", lambda task, **_: queued.append(task))
    batches.sweep(at=AT + batches.FORGOTTEN_AFTER)
    batches.sweep(at=AT + 2 * batches.FORGOTTEN_AFTER)
    assert queued == ["actes.send_batch"]


def test_nothing_changes_while_the_acts_leave(three: Batch, ready: Person) -> None:
    batches.send(batch_id=three.pk, by=ready, at=AT)
    with pytest.raises(policies.BatchLeaving):
        batches.complete(batch_id=three.pk, facts={}, by=ready, at=AT)


def test_a_preparer_does_not_send(three: Batch, town: Any) -> None:
    preparer = somebody(Role.PREPARER, town)
    with pytest.raises(permissions.NotAllowed):
        batches.send(batch_id=three.pk, by=preparer, at=AT)


def test_without_convention_nothing_is_even_tried(three: Batch, ready: Person, right: Any) -> None:
    right.delete()
    with pytest.raises(rights.NoRight):
        batches.send(batch_id=three.pk, by=ready, at=AT)


# Numbers.


def test_each_service_has_its_own_numbers(ready: Person, batch_of: Callable[..., Batch]) -> None:
    numbers.set_patterns(
        patterns=[("Conseil municipal", "AAAA_###"), ("CCAS", "CCAS_AAAA_##")],
        corner=Corner.TOP_RIGHT,
        by=ready,
        at=AT,
    )
    ccas = NumberPattern.objects.get(service="CCAS")
    batch = batch_of(
        Upload("a.pdf", paper(1)), Upload("b.pdf", paper(2)), common=replace(COMMON, pattern=ccas)
    )
    assert numbers_of(batch) == ["CCAS_2026_01", "CCAS_2026_02"]
    assert [number for _, number in numbers.proposals(at=AT)] == ["2026_001", "CCAS_2026_03"]


def test_numbers_nobody_bears_are_listed(ready: Person) -> None:
    pattern = NumberPattern.objects.create(service="Conseil", pattern="AAAA_###")
    for number in ("2026_001", "2026_004"):
        actions.save_draft(facts=replace(FACTS, number=number), by=ready, at=AT)
    assert numbers.gaps(pattern, at=AT) == ["2026_002", "2026_003"]


@pytest.mark.parametrize(
    "pattern", ["", "AAAA", "aaaa_###", "AAAA-###", "_AAAA_###", "AAAA_#", "TRES_LONG_AAAA_#####"]
)
def test_a_pattern_that_gives_no_good_number_is_refused(pattern: str) -> None:
    with pytest.raises(policies.InvalidPattern):
        policies.numbering(pattern, year=2026)


def test_two_batches_at_once_wait_for_each_other_to_number(town: Any) -> None:
    entered, go, order = threading.Event(), threading.Event(), []

    def take(name: str, begun: threading.Event, wait: threading.Event) -> None:
        connection.set_tenant(town)
        try:
            with transaction.atomic():
                numbers.lock()
                begun.set()
                wait.wait(10)
                order.append(name)
        finally:
            connection.close()

    first = threading.Thread(target=take, args=("first", entered, go))
    first.start()
    assert entered.wait(10)
    inside = threading.Event()
    second = threading.Thread(target=take, args=("second", inside, go))
    second.start()
    assert not inside.wait(0.3)
    go.set()
    first.join(10)
    second.join(10)
    assert order == ["first", "second"]


# The stamp.


def test_the_stamp_stands_where_the_commune_wants_it(
    ready: Person, sent_act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    from socle.actes import proofs

    seen: list[Corner] = []
    real = proofs.stamp
    monkeypatch.setattr(
        proofs, "stamp", lambda *a, corner, **k: seen.append(corner) or real(*a, corner=corner, **k)
    )
    numbers.set_patterns(patterns=[], corner=Corner.BOTTOM_LEFT, by=ready, at=AT)
    acknowledge(sent_act)
    assert seen == [Corner.BOTTOM_LEFT]


# The screens.


def test_she_deposits_completes_and_sends_several_acts(
    browser: Browser,  # noqa: F811
    ready: Person,
) -> None:
    page = browser.get("/actes/lots/")
    key = re.search(r'name="key" value="([^"]+)"', page.content.decode())
    assert key
    files = [pdf("2026-017 tarifs.pdf", paper(1)), pdf("2026-018 école.pdf", paper(2))]
    today = timezone.localdate().isoformat()
    said = {"key": key[1], "files": files, "nature": "1", "decided_on": today, "matter": "5.2"}
    answer = browser.post("/actes/lots/", said)
    batch = Batch.objects.get()
    assert answer.url == f"/actes/lots/{batch.pk}/"
    shown = text(browser.get(answer.url))
    assert "2 actes prêts sur 2" in shown
    rows = {}
    for item in batch.items.all():
        prefix = f"acte-{item.act_id}"
        rows |= {
            f"{prefix}-number": item.act.number,
            f"{prefix}-nature": "1",
            f"{prefix}-decided_on": today,
            f"{prefix}-objet": "Tarifs" if item.rank == 1 else "",
            f"{prefix}-matter": "5.2",
        }
    browser.post(answer.url, {**rows, "save": "1"})
    shown = text(browser.get(answer.url))
    assert "1 acte prêt sur 2" in shown
    assert "Indiquez l'objet de l'acte." in shown
    browser.post(answer.url, {**rows, "send": "1"})
    assert "partent l’un après l’autre" in text(browser.get(answer.url))
    batches.work(batch_id=batch.pk, at=timezone.now())
    shown = text(browser.get(answer.url))
    assert "1 sur 2" in shown
    assert "Tous ne sont pas partis" in shown


def test_the_page_of_a_batch_asks_the_same_whatever_its_length(
    batch_of: Callable[..., Batch], ready: Person, django_assert_num_queries: Any
) -> None:
    batch = batch_of(*(Upload(f"{n}.pdf", paper(n)) for n in range(3)))
    ground = Ground(by=ready, at=AT)
    ground.check_may()
    batches.rows(batch, ground=ground)
    with django_assert_num_queries(4):
        batches.rows(batch, ground=ground)
    batch_of(*(Upload(f"{n}.pdf", paper(n)) for n in range(3, 8)))
    with django_assert_num_queries(4):
        assert len(batches.rows(batch, ground=ground)) == 8


def test_two_drafts_of_one_number_are_told(batch_of: Callable[..., Batch], ready: Person) -> None:
    batch = batch_of(Upload("2026-017 a.pdf", paper(1)), Upload("2026-017 b.pdf", paper(2)))
    found = batches.rows(batch, ground=Ground(by=ready, at=AT))
    assert all("déjà celui d’un autre acte" in row.problems[0] for row in found)


def test_the_habits_of_the_commune_are_set_on_one_page(browser: Browser) -> None:  # noqa: F811
    said = {"stamp_corner": "bottom-left", "service_0": "CCAS", "pattern_0": "ccas_aaaa_##"}
    browser.post("/actes/reglages/", said)
    shown = text(browser.get("/actes/reglages/"))
    assert f"CCAS_{timezone.localdate().year}_01" in shown
    assert numbers.corner() is Corner.BOTTOM_LEFT
    assert "CCAS CCAS_" in text(browser.get("/actes/deposer/"))
    wrong = browser.post("/actes/reglages/", {**said, "pattern_0": "AAAA"})
    assert "Un modèle compte des capitales" in text(wrong)


def test_a_reader_has_no_batch_and_a_preparer_no_habits(town: Any, right: Any) -> None:
    reader, preparer = somebody(Role.READER, town), somebody(Role.PREPARER, town)
    assert in_town(town, reader).get("/actes/lots/").status_code == 403
    assert in_town(town, preparer).get("/actes/reglages/").status_code == 403
