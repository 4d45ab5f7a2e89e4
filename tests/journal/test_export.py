import csv
import hashlib
import io
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from socle.journal import export, verify
from tests.journal.samples import (
    COVER,
    Memory,
    entry,
    journal,
    piece,
    recorded,
    sealed,
    unzipped,
    zipped,
)


def test_the_same_journal_gives_the_same_bytes() -> None:
    assert zipped() == zipped()


def test_the_parcel_carries_the_verifier_and_the_explanation() -> None:
    files = Memory().files
    assert list(files) == [
        "LISEZ-MOI.txt",
        "verify.py",
        "journal.jsonl",
        "empreintes.txt",
        "lecture.csv",
        "scellements.jsonl",
        "pieces/actes/DE-001.pdf",
        "manifeste.json",
    ]
    assert files["verify.py"] == Path(verify.__file__).read_bytes()


def test_the_first_page_names_the_journal_who_asked_and_why() -> None:
    page = Memory().files["LISEZ-MOI.txt"].decode()
    assert "JOURNAL « melle » — EXPORT DU 02/03/2026 à 09:30 (heure de Paris)" in page
    assert "Demandé par : Ana Roy" in page
    assert "Motif : Contrôle annuel" in page


def test_the_manifest_lists_every_other_file() -> None:
    files = Memory().files
    manifest = json.loads(files["manifeste.json"])
    assert manifest["files"] == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name != "manifeste.json"
    }
    assert (manifest["entries"], manifest["seals"]) == (12, 3)


def test_the_reading_copy_tells_each_entry_in_a_sentence() -> None:
    entries = recorded([entry(1, outcome="refused")])
    out = io.BytesIO()
    export.build(
        out=out,
        cover=COVER,
        entries=entries,
        seals=sealed(entries, [1]),
        sentence=lambda line: f"Acte {line.detail['number']} déposé",
    )
    text = Memory(out.getvalue()).files["lecture.csv"].decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text), delimiter=";"))[1] == [
        "1",
        "02/03/2026 09:31:00",
        "Zoé Ferré",
        "Acte DE-001 déposé",
        "actes.Act 1",
        "refusé",
    ]


def test_the_reading_copy_holds_no_formula() -> None:
    entries = recorded([entry(1, actor_label="=HYPERLINK(1)")])
    text = Memory(zipped(entries, sealed(entries, [1]))).files["lecture.csv"].decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in text


def test_an_output_that_cannot_seek_is_enough() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.sent = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.sent += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe, entries = Pipe(), journal()
    export.build(out=pipe, cover=COVER, entries=entries, seals=sealed(entries, [12]))  # type: ignore[arg-type]
    assert not verify.check_source(Memory(bytes(pipe.sent))).faults


def test_a_stored_file_that_was_altered_is_delivered_and_named() -> None:
    entries, out = journal(), io.BytesIO()
    altered = piece()._replace(content=[b"something else"])
    summary = export.build(
        out=out, cover=COVER, entries=entries, seals=sealed(entries, [12]), pieces=[altered]
    )
    assert summary.altered == ["pieces/actes/DE-001.pdf"]
    assert verify.check_source(Memory(out.getvalue())).faults == [
        "pieces/actes/DE-001.pdf : fichier modifié : son SHA-256 n'est pas celui du manifeste."
    ]


@pytest.mark.parametrize(
    "name", ["../x.pdf", "/x.pdf", "a\\b.pdf", "C:x", "a/../b", "é.pdf", "a. /b", ""]
)
def test_a_name_that_would_not_unzip_everywhere_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="portable"):
        zipped(pieces=[piece(name)])


def test_two_files_of_one_name_are_refused_even_in_another_case() -> None:
    with pytest.raises(ValueError, match="two files"):
        zipped(pieces=[piece("a.pdf"), piece("A.pdf")])


def test_memory_stays_flat_however_large_the_pieces(tmp_path: Path) -> None:
    def megabytes(count: int) -> Iterator[bytes]:
        for _ in range(count):
            yield bytes(1 << 20)

    tracemalloc.start()
    entries = recorded([entry(1)])
    large = export.Piece("large.bin", "", megabytes(40))
    with open(tmp_path / "export.zip", "wb") as out:
        export.build(
            out=out, cover=COVER, entries=entries, seals=sealed(entries, [1]), pieces=[large]
        )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_the_delivered_verifier_runs_alone_in_the_unzipped_folder(tmp_path: Path) -> None:
    unzipped(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-I", "verify.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines()[0] == "OK — 12 écritures, 3 scellements, 7 fichiers vérifiés"
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_zip_is_one_that_other_tools_accept() -> None:
    with zipfile.ZipFile(io.BytesIO(zipped())) as archive:
        assert archive.testzip() is None
