"""What must be written in a transaction is: a test has one of its own, which hides that none is."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

REPO: Final = Path(__file__).resolve().parents[2]
NEED_ONE: Final = frozenset({"record", "record_all", "select_for_update", "after_commit"})
ROOMS: Final = ("platform/socle", "tenants", "registration_authority", "training", "billing")


def bare(source: str) -> Iterator[str]:
    """What needs a transaction and stands in a view that opens none."""
    yield from _bare(ast.parse(source), "")


def _bare(node: ast.AST, where: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            if not any("atomic" in ast.unparse(one) for one in child.decorator_list):
                yield from _bare(child, f"{where}.{child.name}")
            continue
        if isinstance(child, ast.With) and "atomic" in ast.unparse(child.items[0]):
            continue
        if isinstance(child, ast.Call):
            called = ast.unparse(child.func).rpartition(".")[2]
            if called in NEED_ONE:
                yield f"{where}: {called}"
        yield from _bare(child, where)


def views() -> Iterator[Path]:
    for room in ROOMS:
        for path in sorted((REPO / room).rglob("*.py")):
            if "view" in path.stem or "views" in path.parent.name:
                yield path


def test_no_view_writes_outside_a_transaction() -> None:
    found = list(views())
    assert len(found) > 20
    assert [
        f"{path.relative_to(REPO)}{line}" for path in found for line in bare(path.read_text())
    ] == []


def test_a_view_that_does_is_found() -> None:
    body = "class Raw:\n    def get(self):\n        record(event='x')\n"
    assert list(bare(body)) == [".Raw.get: record"]
    assert list(bare(body.replace("    def", "    @transaction.atomic\n    def"))) == []
