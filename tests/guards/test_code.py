"""Layers, banned forms and addresses that must not appear."""

import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
OURS = ("platform", "tenants", "registration_authority", "training", "billing")


def _sources() -> list[Path]:
    found = [path for room in OURS for path in (REPO / room).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def _lines(pattern: str) -> list[str]:
    wanted = re.compile(pattern)
    return [
        f"{path.relative_to(REPO)}:{number}: {line.strip()}"
        for path in _sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if wanted.search(line)
    ]


def test_imports_only_point_down() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


def test_no_tenant_is_entered_as_a_context_manager() -> None:
    # django-tenants keeps the schemas to come back to in one list for all threads.
    assert _lines(r"^\s*with (self\.)?tenant\s*:") == []


def test_schema_contexts_are_never_decorators() -> None:
    # As a decorator one instance is shared by all threads.
    assert _lines(r"^\s*@(schema|tenant)_context") == []


def test_a_thread_is_carried_to_the_server_of_whoever_starts_it() -> None:
    # A new thread begins on this process's own server: `cells.carry` or `cells.inside` leads it.
    modules = {line.split(":")[0] for line in _lines(r"ThreadPoolExecutor\(|\bThread\(")}
    led = {line.split(":")[0] for line in _lines(r"cells\.(carry|inside)\(")}
    assert modules - led == {"platform/socle/exercise/server.py"}  # knows no database


def test_time_is_not_read_inside_rules() -> None:
    clock = re.compile(r"timezone\.now\(|datetime\.now\(|date\.today\(")
    rules = [path for path in _sources() if path.name in {"policies.py", "rules.py"}]
    assert rules
    assert [path for path in rules if clock.search(path.read_text(encoding="utf-8"))] == []


def test_no_migration_of_a_commune_runs_python() -> None:
    # They are recorded once and replayed as SQL in every schema.
    rooms = ("journal", "documents", "actes", "helios")
    found = [
        path
        for room in rooms
        for path in (REPO / "platform/socle" / room / "migrations").glob("0*.py")
        if "RunPython" in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_committed_files_name_no_registry_and_no_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    beside = str(REPO.parent)
    here = [f"{beside}/"] if beside.count("/") > 1 else []  # "/tmp" alone tells no machine
    addresses = ["index-url", "extra-index", '"resolved": *"http']
    private = re.compile("|".join([*map(re.escape, here), *addresses]))
    binary = {".xz", ".woff2", ".png", ".pdf"}
    found = [
        name
        for name in filter(None, listed)
        if Path(name).suffix not in binary
        and (REPO / name).is_file()
        and name != "tests/guards/test_code.py"
        and private.search((REPO / name).read_text(encoding="utf-8"))
    ]
    assert found == []
