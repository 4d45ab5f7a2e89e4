"""Destroyed by two people, after a wait, step by step, with a certificate."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from django_tenants.utils import tenant_context

from billing.models import Invoice
from registration_authority.models import Certificate
from socle.accounts.models import Authenticator, Person
from socle.core import queue
from socle.core.queue import SpaceGone
from socle.delivery.models import Inbound, Outbound
from socle.delivery.queries import tenant_of_siren
from socle.directory.models import Contact, Grant, Membership, Organisation, SpaceStop
from socle.documents import actions as documents
from socle.documents.keys.models import DataKey
from socle.documents.models import StoredFile
from socle.journal import integrity
from socle.journal.actions import record
from socle.journal.models import Entry, Seal
from tenants import fences, tasks
from tenants.life import actions, archives, destroying, policies, queries, rows
from tenants.life.models import Archive, Destruction, DestructionState, Space, SpaceState
from tenants.models import Domain, Tenant
from tests.life.conftest import Ground, long_ago
from tests.life.test_suspend import look
from tests.people import on_portal


def _ask(ground: Ground, **more: Any) -> Destruction:
    facts = {
        "organisation": ground.organisation,
        "reason": "Retrait du syndicat",
        "visa": "AD79, visa n° 2026-12 du 3 novembre 2026",
        "wait_days": 30,
        "by": ground.administrator,
        "at": long_ago(),
        **more,
    }
    return actions.ask_destruction(**facts)


def _confirmed(ground: Ground) -> Destruction:
    asked = _ask(ground)
    return actions.confirm_destruction(
        destruction_id=asked.pk, by=ground.officer, at=timezone.now()
    )


def _text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    pages = [page.get_textpage() for page in document]
    return "\n".join(page.get_text_range() for page in pages)


def _is_gone(schema: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s)", [schema])
        return cursor.fetchone() == (None,)


def test_nothing_of_the_commune_is_left_but_what_the_law_keeps(left: Ground, vault: Path) -> None:
    destruction = _confirmed(left)
    others = set(Tenant.objects.exclude(pk=left.tenant.pk).values_list("schema_name", flat=True))
    counted = Membership.objects.count()

    assert destroying.go_on(destruction_id=destruction.pk, at=timezone.now())

    assert _is_gone(left.schema)
    assert not DataKey.objects.filter(scope=left.schema).exists()
    assert not [one for one in (vault / left.schema).rglob("*") if one.is_file()]
    assert set(Tenant.objects.values_list("schema_name", flat=True)) == others
    assert not Domain.objects.filter(domain__startswith="celles").exists()
    for model in (Outbound, Inbound, Contact, Grant):
        assert not model.objects.filter(organisation=left.organisation).exists(), model
    kept = Invoice.objects.filter(organisation=left.organisation).count()
    assert kept == 1
    assert Certificate.objects.count() == 1
    membership = Membership.objects.get(organisation=left.organisation)
    assert membership.left_on is not None
    assert Membership.objects.count() == counted
    agent = Person.objects.get(pk=left.agent.pk)
    assert (agent.is_active, agent.has_usable_password(), agent.phone) == (False, False, "")
    assert not Authenticator.objects.filter(user=agent).exists()
    assert not SpaceStop.objects.exists()
    assert Space.objects.get().state == SpaceState.DESTROYED
    assert tasks.seal_journals() >= 0


def test_the_certificate_says_what_went_what_stays_and_who(left: Ground) -> None:
    destruction = _confirmed(left)
    destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    done = Destruction.objects.select_related("archive").get(pk=destruction.pk)
    assert done.state == DestructionState.DONE

    stored = StoredFile.objects.get(pk=done.certificate)
    text = _text(documents.read(stored)).replace("\r\n", "\n")
    flat = " ".join(text.split())
    for wanted in (
        "Certificat de destruction",
        "Celles-sur-Belle",
        str(left.administrator),
        str(left.officer),
        "AD79, visa",
        "Factures",
        "dix ans",
        "Certificats délivrés",
        "Journal du syndicat",
        "Actes",
    ):
        assert wanted in flat, wanted
    assert done.archive is not None
    assert done.archive.manifest_sha256 in flat.replace(" ", "")

    entry = Entry.objects.get(event="life.destroyed")
    assert entry.detail["certificate"] == stored.sha256
    assert entry.detail["archive"] == done.archive.manifest_sha256
    assert entry.detail["files"] >= 2
    assert Seal.objects.latest("number").tree_size >= entry.position
    assert integrity.check("public").faults == []
    answer = on_portal(left.officer).get(f"/espaces/destructions/{done.pk}/certificat/")
    assert b"".join(answer.streaming_content).startswith(b"%PDF")


@pytest.mark.parametrize("step", destroying.STEPS)
def test_a_run_killed_at_any_step_is_finished_by_the_next(
    left: Ground, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    destruction = _confirmed(left)
    work = destroying.STEPS[step]

    class Killed(BaseException):
        pass

    def die(one: Destruction, at: Any) -> Any:
        work(one, at)  # done, and killed before it was written down
        raise Killed

    with monkeypatch.context() as patch:
        patch.setitem(destroying.STEPS, step, die)
        with pytest.raises(Killed):
            destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    half = Destruction.objects.get(pk=destruction.pk)
    assert half.state == DestructionState.RUNNING
    assert tenant_of_siren(left.organisation.siren) is None, "returns stay on the desk"
    done = list(half.steps.order_by("pk").values_list("name", flat=True))
    assert done == list(destroying.STEPS)[: list(destroying.STEPS).index(step)]
    assert queries.due_destructions(at=timezone.now()) == [destruction.pk]

    for _ in range(2):
        destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    assert _is_gone(left.schema)
    assert Destruction.objects.get(pk=destruction.pk).state == DestructionState.DONE
    assert Entry.objects.filter(event="life.destroyed").count() == 1


def test_it_waits_for_the_archive_the_second_person_and_the_days(
    ground: Ground, tmp_path: Path
) -> None:
    now = timezone.now()
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": now}
    with pytest.raises(policies.ForbiddenChange, match="Ouvert"):
        _ask(ground)
    actions.suspend(reason="Retrait", **who)
    with pytest.raises(policies.ArchiveMissing, match="Aucune archive"):
        _ask(ground)
    asked = actions.ask_archive(reason="Retrait", **who)
    archives.make(archive_id=asked.archive.pk, at=now)
    with pytest.raises(policies.ArchiveMissing, match="téléchargée"):
        _ask(ground)
    actions.note_download(archive_id=asked.archive.pk, by=ground.administrator, at=now)
    with pytest.raises(policies.NeedsReason, match="visa"):
        _ask(ground, visa=" ")
    with pytest.raises(policies.ForbiddenChange, match="délai"):
        _ask(ground, wait_days=0)
    destruction = _ask(ground, at=now)

    with pytest.raises(policies.ForbiddenChange, match="destruction"):
        actions.resume(reason="Erreur", **who)
    with pytest.raises(policies.OwnRequest):
        actions.confirm_destruction(destruction_id=destruction.pk, by=ground.administrator, at=now)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        Destruction.objects.update(confirmed_by=ground.administrator)
    actions.confirm_destruction(destruction_id=destruction.pk, by=ground.officer, at=now)
    assert queries.due_destructions(at=now) == []
    assert not destroying.go_on(destruction_id=destruction.pk, at=now)
    later = now + timedelta(days=30, seconds=1)
    assert queries.due_destructions(at=later) == [destruction.pk]

    stopped = actions.cancel_destruction(
        destruction_id=destruction.pk, reason="Elle reste", by=ground.officer, at=now
    )
    assert stopped.state == DestructionState.CANCELLED
    assert not destroying.go_on(destruction_id=destruction.pk, at=later)
    actions.resume(reason="Elle reste", **who)
    assert not _is_gone(ground.schema)


def test_what_happened_since_the_archive_stops_it(left: Ground) -> None:
    destruction = _confirmed(left)
    with tenant_context(left.tenant), transaction.atomic():
        record(event="actes.acknowledged", subject=("act", 1), by="Socle", at=timezone.now())
    assert not destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    stopped = Destruction.objects.get(pk=destruction.pk)
    assert stopped.state == DestructionState.CONFIRMED
    assert "depuis l’archive" in stopped.message
    assert not _is_gone(left.schema)


def test_a_written_waiver_stands_for_the_archive(ground: Ground) -> None:
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": timezone.now()}
    actions.suspend(reason="Essai terminé", **who)
    destruction = _ask(ground, waiver="Courrier du maire du 2 octobre 2026")
    actions.confirm_destruction(destruction_id=destruction.pk, by=ground.officer, at=timezone.now())
    assert destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    stored = StoredFile.objects.get(pk=Destruction.objects.get().certificate)
    assert "Courrier du maire" in _text(documents.read(stored))


def test_the_database_destroys_nothing_that_is_not_condemned(left: Ground) -> None:
    def attempt(siren: str) -> None:
        with pytest.raises(DatabaseError, match="not to be destroyed"), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT public.socle_destroy(%s)", [siren])

    siren = left.organisation.siren
    attempt(siren)
    destruction = _confirmed(left)
    attempt(siren)
    Space.objects.update(state=SpaceState.CONDEMNED)
    attempt(siren)  # its destruction does not run
    Destruction.objects.update(
        state=DestructionState.RUNNING, not_before=timezone.now() + timedelta(1)
    )
    attempt(siren)  # its wait is not over
    for odd in ("public", "x; DROP SCHEMA public", ""):
        attempt(odd)
    assert not _is_gone(left.schema)
    assert destruction.pk
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_function_privilege("
            "'socle_commune', 'public.socle_destroy(text)', 'EXECUTE')"
        )
        assert cursor.fetchone() == (False,)


def test_a_task_whose_space_goes_away_says_so(left: Ground) -> None:
    destruction = _confirmed(left)
    destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    with pytest.raises(SpaceGone, match="n’existe plus"):
        look(schema=left.schema)


def test_a_space_destroyed_under_a_working_task_says_so(
    left: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    destruction = _confirmed(left)

    def destroy() -> None:
        destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
        connection.close()

    @queue.in_tenant
    def work() -> None:
        assert Entry.objects.exists()
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(destroy).result()
        monkeypatch.undo()
        Entry.objects.exists()

    monkeypatch.setattr(queue, "_gates", [])  # it came in while the space was open
    with pytest.raises(SpaceGone, match="n’existe plus"):
        work(schema=left.schema)


def test_an_archive_of_a_space_that_is_gone_fails_clearly(ground: Ground) -> None:
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": timezone.now()}
    actions.suspend(reason="Retrait", **who)
    late = actions.ask_archive(reason="Copie", **who).archive
    destruction = _ask(ground, waiver="Courrier du maire")
    actions.confirm_destruction(destruction_id=destruction.pk, by=ground.officer, at=timezone.now())
    destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    with pytest.raises(SpaceGone, match="was destroyed"):
        archives.make(archive_id=late.pk, at=timezone.now())
    assert Archive.objects.get(pk=late.pk).message == "L’espace n’existe plus."


def test_every_shared_table_of_a_commune_is_kept_for_a_reason_or_goes() -> None:
    """A new table goes by itself; one that names an organisation in secret must be known."""
    own = {model._meta.label for model in rows.own_models()}
    assert policies.KEPT.keys() <= own
    silent = {
        model._meta.label
        for model in fences.public_models()
        if any(one.related_model is Organisation for one in model._meta.concrete_fields)
        and model._meta.label not in own
        and model._meta.label not in rows.LEFT_OUT
    }
    assert silent == {
        "directory.FormerCommune",  # public knowledge
        "life.Space",  # the register of lives
        "onboarding.CaseBatch",  # the syndicat's own campaigns
        "onboarding.CaseBatchRow",
        "registration_authority.ElectionLine",
        "registration_authority.OpeningLine",
    }


def test_the_sweep_does_it_when_it_is_due(left: Ground) -> None:
    from tenants.life import tasks as life

    destruction = _confirmed(left)
    assert life.sweep() == 1
    assert Destruction.objects.get(pk=destruction.pk).state == DestructionState.DONE
    assert life.sweep() == 0


KILL = """
import os, signal
import django; django.setup()
from django.utils import timezone
from tenants.life import destroying
work = destroying.STEPS["files"]
def die(one, at):
    work(one, at)
    os.kill(os.getpid(), signal.SIGKILL)
destroying.STEPS["files"] = die
destroying.go_on(destruction_id={pk}, at=timezone.now())
"""


def test_a_process_really_killed_leaves_work_that_goes_on(left: Ground, vault: Path) -> None:
    destruction = _confirmed(left)
    name = connection.settings_dict["NAME"]
    url = os.environ["SOCLE_DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}"
    run = subprocess.run(
        [sys.executable, "-c", KILL.format(pk=destruction.pk)],
        env=os.environ | {"SOCLE_DATABASE_URL": url, "SOCLE_FILES_DIR": str(vault)},
        check=False,
    )
    assert run.returncode == -9
    half = Destruction.objects.get(pk=destruction.pk)
    assert list(half.steps.order_by("pk").values_list("name", flat=True)) == ["inventory", "key"]
    assert destroying.go_on(destruction_id=destruction.pk, at=timezone.now())
    assert _is_gone(left.schema)
