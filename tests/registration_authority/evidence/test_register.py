"""The register of the auditor, and its sealed parcel."""

import csv
import io
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from registration_authority import actions
from registration_authority.evidence import register
from registration_authority.models import Certificate, FileState, PieceKind
from registration_authority.revocation import actions as revocations
from registration_authority.revocation.models import RevocationRequest
from socle.accounts.capabilities import Role
from socle.journal.actions import record
from tests.people import on_portal, person
from tests.registration_authority.counter import NOON, PDF, Counter
from tests.registration_authority.test_screens import text


@pytest.fixture
def story(counter: Counter) -> Counter:
    """A piece refused then accepted, a certificate handed over, a request to revoke refused."""
    for kind in PieceKind:
        counter.deposit(kind)
    actions.submit(file_id=counter.file.pk, by=counter.holder, at=NOON)
    piece = counter.file.pieces.get(kind=PieceKind.FUNCTION)
    actions.refuse_piece(
        piece_id=piece.pk, reason="=L’arrêté est illisible", by=counter.officer, at=NOON
    )
    counter.deposit(PieceKind.FUNCTION, content=PDF + b"\n")
    counter.bring_to(FileState.HANDED_OVER)
    held = Certificate.objects.get()
    asked = revocations.ask_as_officer(
        certificate_id=held.pk,
        reason="affiliationChanged",
        urgent=False,
        by=counter.officer,
        at=NOON,
    )
    revocations.refuse(request_id=asked.pk, reason="Erreur", by=counter.officer, at=NOON)
    record(
        event="ra.accreditation_granted",
        subject=counter.officer,
        by="Socle",
        at=NOON,
        detail={},
        schema="public",
    )
    return counter


def tables() -> dict[str, list[dict[str, str]]]:
    return {name: list(rows()) for name, rows in register.TABLES.items()}


def test_the_register_tells_the_whole_story(story: Counter) -> None:
    found = tables()
    (line,) = found["dossiers.csv"]
    assert line["titulaire"] == str(story.holder)
    assert line["remis par"] == str(story.officer)
    assert line["procès-verbal (SHA-256)"]
    assert line["délai de remise (h)"] == "0,0"
    assert len(found["pieces.csv"]) == len(PieceKind) + 1
    assert {one["objet"] for one in found["refus.csv"]} == {
        "Justificatif de fonction",
        "Révocation",
    }
    assert found["revocations.csv"][0]["état"] == "Refusée"
    assert len(found["habilitations.csv"]) == 1


def test_the_register_costs_the_same_however_long(
    story: Counter, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(16):
        tables()


def export(story: Counter, syndicat: Any) -> bytes:
    auditor = person(Role.AUDITOR, at=syndicat)
    out = io.BytesIO()
    register.export(out=out, by=auditor, at=NOON, reason="Audit annuel")
    return out.getvalue()


def test_the_parcel_verifies_itself(story: Counter, syndicat: Any, tmp_path: Path) -> None:
    parcel = tmp_path / "registre.zip"
    parcel.write_bytes(export(story, syndicat))
    with zipfile.ZipFile(parcel) as archive:
        names = archive.namelist()
        refused = archive.read("pieces/registre/refus.csv").decode("utf-8-sig")
        archive.extract("verify.py", tmp_path)
    assert {f"pieces/registre/{name}" for name in register.TABLES} <= set(names)
    rows = list(csv.reader(io.StringIO(refused), delimiter=";"))
    assert any(cell.startswith("'=") for row in rows for cell in row)  # never a formula
    run = _verify(tmp_path, parcel)
    assert run.returncode == 0, run.stdout


def test_a_changed_table_is_found_out(story: Counter, syndicat: Any, tmp_path: Path) -> None:
    good, bad = tmp_path / "registre.zip", tmp_path / "change.zip"
    good.write_bytes(export(story, syndicat))
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        source.extract("verify.py", tmp_path)
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("dossiers.csv"):
                content = content.replace("Épinay".encode(), b"Autre")
            target.writestr(name, content)
    assert _verify(tmp_path, bad).returncode != 0


def _verify(folder: Path, parcel: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(folder / "verify.py"), str(parcel)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_auditor_takes_it_away_from_the_screen(story: Counter, syndicat: Any) -> None:
    browser = on_portal(person(Role.AUDITOR, at=syndicat))
    assert "Emporter le registre" in text(browser.get("/certificats/registre/"))
    answer = browser.post("/certificats/registre/export/", {"reason": "Audit annuel"})
    content = b"".join(answer.streaming_content)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert "Ce champ" in text(browser.post("/certificats/registre/export/", {}))


def test_an_officer_reads_the_page_and_takes_nothing(story: Counter) -> None:
    desk = on_portal(story.officer)
    assert "Emporter" not in text(desk.get("/certificats/registre/"))
    answer = desk.post("/certificats/registre/export/", {"reason": "Curiosité"})
    assert answer.status_code == 403
    assert RevocationRequest.objects.count() == 1
