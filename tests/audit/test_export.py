"""The auditor takes a parcel away and verifies it without us."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.documents import actions as documents
from socle.journal.actions import record
from socle.journal.models import Entry
from tests.people import in_town, on_portal, person


@pytest.fixture
def parcel(town: Any, syndicat: Any) -> bytes:
    now = timezone.now()
    for number in range(5):
        record(event="actes.deposited", subject=("act", str(number)), by="tests", at=now)
    documents.store(content=b"%PDF-1.4 un acte", name="délibération n° 1.pdf", by="tests", at=now)
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    answer = auditor.post(f"/journal/exports/{town.schema_name}/", {"reason": "Contrôle annuel"})
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def _verify(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", "verify.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONIOENCODING": "utf-8"},
    )


def test_the_parcel_says_ok_on_a_bare_python(parcel: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "parcel"
    zipfile.ZipFile(io.BytesIO(parcel)).extractall(folder)
    said = _verify(folder)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.startswith("OK")
    assert list((folder / "pieces").iterdir())


def test_one_byte_changed_is_named(parcel: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "parcel"
    zipfile.ZipFile(io.BytesIO(parcel)).extractall(folder)
    journal = folder / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"tests"', b'"testz"')
    journal.write_bytes(b"".join(lines))
    said = _verify(folder)
    assert said.returncode == 1
    assert "NON" in said.stdout
    assert "3" in said.stdout


def test_the_export_itself_stands_in_the_journal(parcel: bytes) -> None:
    entry = Entry.objects.get(event="journal.exported")
    assert entry.detail == {"reason": "Contrôle annuel"}


def test_an_export_wants_a_reason(town: Any, syndicat: Any) -> None:
    auditor = on_portal(person(Role.AUDITOR, at=syndicat))
    page = auditor.post(f"/journal/exports/{town.schema_name}/", {"reason": ""})
    assert page.status_code == 200
    assert not Entry.objects.filter(event="journal.exported").exists()


def test_only_an_auditor_exports(town: Any, syndicat: Any) -> None:
    officer = on_portal(person(Role.OFFICER, at=syndicat))
    assert officer.get("/journal/exports/").status_code == 403


def test_exports_are_not_on_the_host_of_a_commune(town: Any) -> None:
    agent = in_town(town, person(Role.TRANSMITTER, at=town.organisation))
    assert agent.get("/journal/exports/").status_code == 403
    assert agent.get("/journal/").status_code == 200


def test_the_journal_reads_in_sentences(town: Any, noon: Any) -> None:
    record(event="tenants.provisioned", subject=("organisation", "1"), by="Odile", at=noon)
    agent = in_town(town, person(Role.READER, at=town.organisation))
    page = agent.get("/journal/").content.decode()
    assert "Espace de la commune ouvert" in page
    assert "Odile" in page


def test_the_journal_pages_with_few_queries(
    town: Any, noon: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        record(event="tenants.provisioned", subject=("x", str(number)), by="tests", at=noon)
    agent = in_town(town, person(Role.READER, at=town.organisation))
    with django_assert_max_num_queries(12):
        first = agent.get("/journal/")
    assert "Écritures plus anciennes" in first.content.decode()
    assert "avant=" in first.content.decode()
