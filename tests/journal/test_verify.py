"""What the verifier answers when something was touched, and that it always answers."""

import ast
import json
import random
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from socle.journal import verify
from socle.journal.canonical import NO_SEAL, EntryLine, encode
from socle.journal.merkle import Frontier, leaf_hash
from tests.journal.samples import (
    Memory,
    entry,
    journal,
    piece,
    recorded,
    sealed,
    unzipped,
    zipped,
)

FORGED = entry(6, detail={"number": "DE-999"})
LINE_6 = "journal.jsonl, ligne 6 (écriture 6, du 2026-03-02T08:36:00.000000Z, « actes.deposited »)"


def faults(source: Memory, *, manifest_too: bool = True) -> list[str]:
    """Verify after rewriting the manifest as a forger would, so that only the journal can tell."""
    if manifest_too:
        value = json.loads(source.files["manifeste.json"])
        del value["sha256"]
        value["files"] = {
            name: sha256(content).hexdigest()
            for name, content in source.files.items()
            if name != "manifeste.json"
        }
        value["sha256"] = sha256(encode(value)).hexdigest()
        source.files["manifeste.json"] = encode(value) + b"\n"
    return verify.check_source(source).faults


def test_an_untouched_export_is_accepted() -> None:
    findings = verify.check_source(Memory())
    assert verify.report(findings).splitlines() == [
        "OK — 12 écritures, 3 scellements, 7 fichiers vérifiés",
        "Journal « melle », dernier scellement 2026-03-02T08:30:00.000000Z",
        f"Empreinte à noter hors de l'export : {sealed(journal(), (5, 8, 12))[-1].seal_hash.hex()}",
        "Pièces jointes dont l'empreinte est écrite dans le journal : 1 sur 1",
    ]


def test_an_empty_journal_is_accepted() -> None:
    findings = verify.check_source(Memory(zipped([], [], [])))
    assert verify.report(findings) == "OK — 0 écriture, 0 scellement, 6 fichiers vérifiés"


@pytest.mark.parametrize("size", range(1, 18))
def test_a_journal_of_any_size_is_accepted(size: int) -> None:
    entries = journal(size)
    seals = sealed(entries, sorted({(size + 1) // 2, size}))
    assert verify.check_source(Memory(zipped(entries, seals))).faults == []


SMALL = zipped(journal(4), sealed(journal(4), (2, 4)))
SEEDED = random.Random(20260302)  # noqa: S311  # a reproducible choice of bits, not a secret


@pytest.mark.parametrize("name", sorted(set(Memory(SMALL).files) - {"verify.py", "LISEZ-MOI.txt"}))
def test_any_byte_changed_is_refused_and_placed(name: str) -> None:
    source = Memory(SMALL)
    sound = source.files[name]
    for place in range(len(sound)):
        byte = sound[place] ^ (1 << SEEDED.randrange(8))
        source.files[name] = sound[:place] + bytes([byte]) + sound[place + 1 :]
        found = verify.check_source(source).faults
        assert any(fault.startswith(name) for fault in found), (place, byte, found)


@pytest.mark.parametrize("name", ["verify.py", "LISEZ-MOI.txt"])
def test_a_byte_changed_in_the_accompanying_files_is_refused(name: str) -> None:
    source = Memory(SMALL)
    sound = source.files[name]
    for place in SEEDED.sample(range(len(sound)), 100):
        source.files[name] = sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :]
        assert [fault.split(" : ")[0] for fault in verify.check_source(source).faults] == [name]


def test_a_byte_changed_in_a_line_of_the_journal_names_that_line() -> None:
    source = Memory(SMALL)
    sound = source.files["journal.jsonl"]
    for place in range(0, len(sound), 3):
        source.files["journal.jsonl"] = (
            sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :]
        )
        line = f"journal.jsonl, ligne {sound[:place].count(bytes([10])) + 1} "
        found = faults(source)
        assert any(fault.startswith(line) for fault in found), (place, found)


def test_a_byte_changed_in_the_prints_accuses_the_prints_not_the_journal() -> None:
    source = Memory(SMALL)
    sound = source.files["empreintes.txt"]
    for place in range(0, len(sound), 2):
        source.files["empreintes.txt"] = (
            sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :]
        )
        found = faults(source)
        assert found[0].startswith("empreintes.txt, ligne "), (place, found)
        assert not any("journal.jsonl" in fault for fault in found), (place, found)


def test_a_bit_changed_in_the_zip_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    parcel, sound = tmp_path / "export.zip", Memory(SMALL).files
    for place in sorted(SEEDED.sample(range(len(SMALL)), 120)) + list(
        range(len(SMALL) - 700, len(SMALL), 5)
    ):
        data = (
            SMALL[:place] + bytes([SMALL[place] ^ (1 << SEEDED.randrange(8))]) + SMALL[place + 1 :]
        )
        parcel.write_bytes(data)
        assert verify.check(str(parcel)).faults or Memory(data).files == sound, place


def test_a_changed_line_is_named_with_its_date_and_event() -> None:
    source = Memory()
    source.change("journal.jsonl", 6, FORGED.encode())
    assert faults(source) == [
        f"{LINE_6} : modifiée : son empreinte n'est pas celle qui a été scellée."
    ]


def test_every_changed_line_is_named() -> None:
    source = Memory()
    for number in (2, 6, 11):
        source.change("journal.jsonl", number, entry(number, actor_label="Nul").encode())
    assert [fault.split(" (")[0] for fault in faults(source)] == [
        "journal.jsonl, ligne 2",
        "journal.jsonl, ligne 6",
        "journal.jsonl, ligne 11",
    ]


def test_a_line_changed_with_its_hash_is_named_with_its_seal_and_only_that_seal() -> None:
    source = Memory()
    forge(source, FORGED)
    assert faults(source) == [
        f"{LINE_6} : modifiée en même temps que son empreinte : elle ne mène plus à la racine "
        "inscrite dans empreintes.txt.",
        "scellements.jsonl, scellement 2 (écritures 6 à 8) : la racine recalculée n'est pas celle "
        "qui a été scellée.",
    ]


def test_lines_changed_with_their_hashes_and_roots_are_caught_by_the_seal() -> None:
    source = Memory()
    source.change("journal.jsonl", 6, FORGED.encode())
    tree = Frontier()
    for number, (_, sound) in enumerate(journal(), 1):
        leaf = FORGED.leaf() if number == 6 else sound
        tree = tree.append(leaf)
        source.change(
            "empreintes.txt", number, f"{number} {leaf.hex()} {tree.root().hex()}".encode()
        )
    assert faults(source)[0].startswith("scellements.jsonl, scellement 2 (écritures 6 à 8) :")


def test_a_forger_who_rewrites_everything_is_caught_by_a_seal_noted_elsewhere() -> None:
    noted = sealed(journal(), (5, 8, 12))[1].seal_hash.hex()
    forged = recorded([FORGED if line.position == 6 else line for line, _ in journal()])
    rewritten = Memory(zipped(forged))
    assert verify.check_source(rewritten).faults == []
    assert verify.check_source(Memory(), noted.upper()).faults == []
    assert "le journal a été récrit" in verify.check_source(rewritten, noted).faults[0]


def test_a_line_taken_out_is_noticed_where_it_was() -> None:
    source = Memory()
    source.change("journal.jsonl", 6, None)
    source.change("empreintes.txt", 6, None)
    assert faults(source)[0].startswith("journal.jsonl, ligne 6 (écriture 6, du 2026-03-02T08:37")
    assert "porte la position 7 au lieu de 6" in faults(source)[0]


def test_an_end_taken_off_is_noticed() -> None:
    source = Memory()
    source.change("journal.jsonl", 12, None)
    assert faults(source)[0] == (
        "journal.jsonl : s'arrête avant l'écriture 12, dont empreintes.txt porte l'empreinte : "
        "la fin du journal a été retirée."
    )


def test_an_end_taken_off_with_its_prints_is_noticed_by_the_seal() -> None:
    source = Memory()
    source.change("journal.jsonl", 12, None)
    source.change("empreintes.txt", 12, None)
    assert faults(source) == [
        "scellements.jsonl, scellement 3 : porte sur 12 écritures, le journal n'en contient que "
        "11 : la fin du journal a été retirée."
    ]


def test_entries_no_seal_covers_are_refused() -> None:
    source = Memory(zipped(journal(), sealed(journal(), (5, 8))))
    assert faults(source) == ["journal.jsonl : rien ne scelle les écritures 9 à 12."]


def test_a_sealed_gap_is_still_a_gap() -> None:
    entries = recorded([entry(1), entry(3)])
    assert (
        "porte la position 3 au lieu de 2"
        in faults(Memory(zipped(entries, sealed(entries, [2]))))[0]
    )


def test_a_seal_taken_out_breaks_the_chain() -> None:
    source = Memory()
    source.change("scellements.jsonl", 2, None)
    assert "la chaîne est rompue" in faults(source)[0]


def test_a_seal_changed_with_its_own_hash_breaks_the_chain() -> None:
    source = Memory()
    rehash(source, 2, sealed_at="2020-01-01T00:00:00.000000Z")
    assert faults(source)[0].startswith("scellements.jsonl, ligne 3 (scellement 3) : ne suit pas")


@pytest.mark.parametrize(
    "change", [{"tree_size": 3}, {"root": "0" * 64}, {"number": 9}, {"peaks": ""}, {"peaks": 7}]
)
def test_the_last_seal_cannot_contradict_itself(change: dict[str, object]) -> None:
    source = Memory()
    rehash(source, 3, **change)
    assert "(scellement 3) : son numéro, sa taille ou sa racine" in faults(source)[0]


def test_a_seal_over_another_tree_accuses_its_range() -> None:
    source = Memory()
    other = Frontier().extend(leaf_hash(bytes([number])) for number in range(12))
    rehash(source, 3, root=other.root().hex(), peaks=other.to_bytes().hex())
    assert faults(source)[0].startswith("scellements.jsonl, scellement 3 (écritures 9 à 12) :")


def test_the_seals_of_another_commune_are_refused() -> None:
    source = Memory()
    for number in (1, 2, 3):
        rehash(source, number, journal="celles")
    assert any("chaîne" in fault or "nomme" in fault for fault in faults(source))


def test_a_whole_other_journal_under_this_name_is_refused() -> None:
    source = Memory()
    before = NO_SEAL.hex()
    for number in (1, 2, 3):
        before = rehash(source, number, journal="celles", previous_hash=before)
    manifest = json.loads(source.files["manifeste.json"])
    source.files["manifeste.json"] = encode({**manifest, "last_seal": before}) + b"\n"
    assert faults(source) == ["manifeste.json : ne nomme pas le journal qui a été scellé."]


def test_a_missing_file_is_named() -> None:
    source = Memory()
    del source.files["pieces/actes/DE-001.pdf"]
    assert faults(source, manifest_too=False) == [
        "pieces/actes/DE-001.pdf : fichier absent, alors que le manifeste l'annonce."
    ]


def test_an_added_file_is_named() -> None:
    source = Memory()
    source.files["pieces/faux.pdf"] = b""
    assert faults(source, manifest_too=False) == [
        "pieces/faux.pdf : ce fichier n'est pas dans le manifeste : il a été ajouté."
    ]


def test_what_a_file_manager_leaves_behind_is_not_a_forgery() -> None:
    source = Memory()
    source.files["pieces/.DS_Store"] = b""
    assert faults(source, manifest_too=False) == []


def test_a_file_put_twice_in_the_zip_is_named(tmp_path: Path) -> None:
    parcel = tmp_path / "export.zip"
    parcel.write_bytes(zipped())
    with zipfile.ZipFile(parcel, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("lecture.csv", Memory().files["lecture.csv"])
    assert verify.check(str(parcel)).faults == ["lecture.csv : présent deux fois dans l'export."]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"files":[]}', b'{"files":{}}', b"[" * 99999]
)
def test_a_manifest_that_says_nothing_is_refused(content: bytes) -> None:
    source = Memory()
    source.files["manifeste.json"] = content
    assert faults(source, manifest_too=False)[0].startswith("manifeste.json : ")


def test_an_export_without_its_manifest_is_refused() -> None:
    source = Memory()
    del source.files["manifeste.json"]
    assert "absent" in faults(source, manifest_too=False)[0]


def test_the_manifest_cannot_lead_the_verifier_out_of_the_export(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    folder = unzipped(tmp_path / "export")
    manifest = json.loads((folder / "manifeste.json").read_text())
    manifest["files"]["../secret"] = sha256(b"x").hexdigest()
    (folder / "manifeste.json").write_bytes(encode(manifest) + b"\n")
    assert "../secret : fichier absent, alors que le manifeste l'annonce." in (
        verify.check(str(folder)).faults
    )


def test_the_zip_and_the_folder_get_the_same_answer(tmp_path: Path) -> None:
    parcel = tmp_path / "export.zip"
    parcel.write_bytes(zipped())
    folder = unzipped(tmp_path / "export")
    answers = {verify.report(verify.check(str(path))) for path in (parcel, folder)}
    assert len(answers) == 1


def test_the_answer_is_also_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = unzipped(tmp_path)
    assert verify.main([str(folder)]) == 0
    assert verify.main([str(folder), "--scellement", "00"]) == 1
    assert verify.main([str(folder / "absent.zip")]) == 1
    assert capsys.readouterr().out.count("NON — 1 anomalie\n") == 2


def test_a_long_list_of_faults_is_cut() -> None:
    source = Memory(zipped(pieces=[piece(f"{number}.pdf") for number in range(60)]))
    for number in range(60):
        del source.files[f"pieces/{number}.pdf"]
    assert verify.report(verify.check_source(source)).endswith("… et 10 de plus.")


def test_a_piece_no_entry_speaks_of_is_counted_apart() -> None:
    findings = verify.check_source(Memory(zipped(pieces=[piece(), piece("b.pdf", b"other")])))
    assert verify.report(findings).endswith("dans le journal : 1 sur 2")


def test_the_verifier_needs_python_3_8_and_its_library_only() -> None:
    source = Path(verify.__file__).read_text("utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= {
        "__future__", "argparse", "collections", "hashlib", "io", "itertools", "json", "os", "re",
        "struct", "sys", "typing", "zipfile", "zlib",
    }  # fmt: skip


def forge(source: Memory, line: EntryLine) -> None:
    """Change a line and its hash, but not the root after it."""
    number = line.position
    source.change("journal.jsonl", number, line.encode())
    _, _, root = source.line("empreintes.txt", number).split(b" ")
    mark = f"{number} {line.leaf().hex()} ".encode() + root
    source.change("empreintes.txt", number, mark)


def rehash(source: Memory, number: int, /, **changes: object) -> str:
    statement = {**json.loads(source.line("scellements.jsonl", number)), **changes}
    del statement["seal_hash"]
    statement["seal_hash"] = sha256(encode(statement)).hexdigest()
    source.change("scellements.jsonl", number, encode(statement))
    return str(statement["seal_hash"])
