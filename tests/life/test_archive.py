"""The package holds the whole commune, says how to read it, and opens without us."""

import json
import os
import subprocess
import sys
import tracemalloc
import uuid
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_tenants.utils import tenant_context

from socle.documents import actions as documents
from socle.journal.models import Entry
from tenants.life import actions, archives, policies, queries, rows, tasks
from tenants.life.models import Archive, ArchiveState
from tenants.life.package.container import MANIFEST, Package
from tenants.life.package.envelope import PREAMBLE
from tests.life.conftest import CONTENT, Ground, archive


def test_the_package_holds_everything_and_opens_without_socle(
    ground: Ground, tmp_path: Path
) -> None:
    made = archive(ground, tmp_path)
    preamble = made.path.read_bytes()[:PREAMBLE].decode()
    program = preamble.split("-" * 90 + "\n")[1]
    (tmp_path / "ouvrir.py").write_text(program, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "ouvrir.py", "espace.socle", "clair.zip"],
        cwd=tmp_path,
        input=made.passphrase + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr

    clear = zipfile.ZipFile(tmp_path / "clair.zip")
    manifest = json.loads(clear.read(MANIFEST))
    assert set(clear.namelist()) - {MANIFEST} == manifest["members"].keys()
    read_me = clear.read("LISEZ-MOI.txt").decode()
    assert "Celles-sur-Belle" in read_me
    assert "manage restore_tenant" in read_me

    listed = {one["table"] for one in manifest["tables"] if one["scope"] == "commune"}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = %s", [ground.schema]
        )
        assert listed == {name for (name,) in cursor.fetchall()}
    shared = {one["model"] for one in manifest["tables"] if one["scope"] == "partagees"}
    assert shared == {model._meta.label for model in rows.own_models()}
    planted = [
        one
        for one in manifest["tables"]
        if one["scope"] == "partagees" and not one["model"].startswith("s2low.")
    ]
    assert [one["model"] for one in planted if not one["rows"]] == []

    files = [name for name in clear.namelist() if name.startswith("fichiers/")]
    assert CONTENT in [clear.read(name) for name in files]
    proofs = tmp_path / "preuves"
    (tmp_path / "journal.zip").write_bytes(clear.read("preuves/journal.zip"))
    zipfile.ZipFile(tmp_path / "journal.zip").extractall(proofs)
    verified = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py"],
        cwd=proofs,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONIOENCODING": "utf-8"},
    )
    assert verified.returncode == 0, verified.stdout


def test_no_secret_leaves_with_it(ground: Ground, tmp_path: Path) -> None:
    made = archive(ground, tmp_path)
    with made.path.open("rb") as source:
        package = Package.opened(source, made.passphrase)
        people = list(package.lines("tables/references/accounts_person.jsonl"))
        assert {one["email"] for one in people} >= {ground.agent.email}
        assert {one["password"] for one in people} == {""}
        assert "tables/partagees/s2low_s2lowaccount.jsonl" not in package.members
        assert "document_keys.DataKey" in package.manifest["left_out"]
        others = list(package.lines("tables/partagees/directory_organisation.jsonl"))
        assert [one["siren"] for one in others] == [ground.organisation.siren]
    kept = Archive.objects.get(pk=made.archive.pk)
    assert bytes(kept.sealed_secret) == b""
    assert made.passphrase.encode() not in made.path.read_bytes()


def test_both_journals_tell_it_and_each_download_too(ground: Ground, tmp_path: Path) -> None:
    made = archive(ground, tmp_path)
    actions.note_download(archive_id=made.archive.pk, by=ground.officer, at=timezone.now())
    told = list(Entry.objects.filter(event__startswith="life.").values_list("event", "actor_label"))
    assert [event for event, _ in told] == [
        "life.suspended",
        "life.archive_asked",
        "life.archived",
        "life.archive_downloaded",
        "life.archive_downloaded",
    ]
    assert told[-1][1] == str(ground.officer)
    with tenant_context(ground.tenant):
        events = Entry.objects.order_by("position").values_list("event", flat=True)
        assert list(events)[-3:] == ["life.suspended", "life.archive_asked", "journal.exported"]
        assert Entry.objects.count() == made.archive.journal_position


def test_a_second_archive_waits_for_the_first(ground: Ground) -> None:
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": timezone.now()}
    actions.ask_archive(reason="Copie annuelle", **who)
    with pytest.raises(policies.ForbiddenChange, match="déjà en préparation"):
        actions.ask_archive(reason="Encore", **who)


def test_a_reason_is_required(ground: Ground) -> None:
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": timezone.now()}
    for action in (actions.suspend, actions.resume, actions.ask_archive):
        with pytest.raises(policies.NeedsReason):
            action(reason="  ", **who)


class Killed(BaseException):
    """The worker dies here."""


def test_a_worker_that_dies_shows_no_half_package(
    ground: Ground, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": now}
    asked = actions.ask_archive(reason="Copie annuelle", **who).archive

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(documents, "open_file", die)
        with pytest.raises(Killed):
            archives.make(archive_id=asked.pk, at=now)

    folder = vault / archives.FOLDER
    assert [one for one in folder.glob("*") if not one.name.startswith(".")] == []
    held = Archive.objects.get(pk=asked.pk)
    assert held.state == ArchiveState.BUILDING
    assert 0 < held.done < held.total
    assert not archives.make(archive_id=asked.pk, at=now), "another worker owns it"
    later = held.lease_until + timedelta(seconds=1)
    assert queries.lost_archives(at=later) == [asked.pk]
    assert archives.make(archive_id=asked.pk, at=later)
    assert Archive.objects.get(pk=asked.pk).state == ArchiveState.READY
    assert len(list(folder.glob("*"))) == 1


def test_a_missing_file_is_said_and_nothing_is_delivered(ground: Ground, vault: Path) -> None:
    now = timezone.now()
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": now}
    asked = actions.ask_archive(reason="Copie annuelle", **who).archive
    next(one for one in (vault / ground.schema).rglob("*") if one.is_file()).unlink()
    assert not archives.make(archive_id=asked.pk, at=now)
    failed = Archive.objects.get(pk=asked.pk)
    assert failed.state == ArchiveState.FAILED
    assert "ne s’ouvre pas" in failed.message
    with pytest.raises(policies.ForbiddenChange):
        actions.note_download(archive_id=asked.pk, by=ground.officer, at=now)


def test_an_old_package_is_erased(ground: Ground, tmp_path: Path, vault: Path) -> None:
    made = archive(ground, tmp_path)
    stray = vault / archives.FOLDER / "99-draft"
    stray.write_bytes(b"x")
    later = timezone.now() + policies.KEPT_FOR + timedelta(days=1)
    assert archives.erase_old(at=later) == 2
    assert Archive.objects.get(pk=made.archive.pk).state == ArchiveState.EXPIRED
    assert list((vault / archives.FOLDER).glob("*")) == []
    assert archives.erase_old(at=later) == 0


def test_memory_stays_flat(ground: Ground, tmp_path: Path) -> None:
    size = 40 * 1024 * 1024
    big = tmp_path / "gros.bin"
    big.write_bytes(uuid.uuid4().bytes * (size // 16))
    with tenant_context(ground.tenant), big.open("rb") as content:
        documents.store(content=content, name="gros.bin", by="tests", at=timezone.now())
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": timezone.now()}
    asked = actions.ask_archive(reason="Copie annuelle", **who).archive
    tracemalloc.start()
    assert archives.make(archive_id=asked.pk, at=timezone.now())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Archive.objects.get(pk=asked.pk).size > size
    assert peak < size // 2, peak


def test_the_sweep_takes_up_what_was_lost(ground: Ground) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": long_ago}
    asked = actions.ask_archive(reason="Copie annuelle", **who).archive
    assert queries.lost_archives(at=timezone.now()) == [asked.pk]
    assert tasks.sweep() == 0
    assert tasks.make_archive(schema="public", archive_id=asked.pk)
    assert not tasks.make_archive(schema="public", archive_id=asked.pk)


KILL = """
import os, signal
import django; django.setup()
from django.utils import timezone
from socle.documents import actions as documents
from tenants.life import archives
opened, times = documents.open_file, []
def die(stored):
    times.append(stored)
    if len(times) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return opened(stored)
documents.open_file = die
archives.make(archive_id={pk}, at=timezone.now())
"""


def test_a_process_really_killed_leaves_no_package_and_the_next_makes_it(
    ground: Ground, vault: Path
) -> None:
    now = timezone.now()
    who = {"organisation": ground.organisation, "by": ground.administrator, "at": now}
    asked = actions.ask_archive(reason="Copie annuelle", **who).archive
    url = os.environ["SOCLE_DATABASE_URL"].rsplit("/", 1)[0]
    url += f"/{connection.settings_dict['NAME']}"
    run = subprocess.run(
        [sys.executable, "-c", KILL.format(pk=asked.pk)],
        env=os.environ | {"SOCLE_DATABASE_URL": url, "SOCLE_FILES_DIR": str(vault)},
        check=False,
    )
    assert run.returncode == -9
    folder = vault / archives.FOLDER
    assert [one for one in folder.glob("*") if not one.name.startswith(".")] == []
    held = Archive.objects.get(pk=asked.pk)
    assert held.state == ArchiveState.BUILDING
    assert archives.make(archive_id=asked.pk, at=held.lease_until + timedelta(seconds=1))
    later = now + policies.ABANDONED + timedelta(hours=1)
    assert archives.erase_old(at=later) == 1, "the draft of the dead"
    assert len(list(folder.glob("*"))) == 1
