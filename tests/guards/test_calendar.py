"""No test depends on the day it runs: a fixed instant never stands beside the real clock.

Two mixes, in one function: a literal date and a reading of the clock; an action given a fixed `at=`
and a screen posted to, which reads the clock by itself. A test lives on one of the two instead:
fixed instants everywhere, dates derived from `timezone.now()`, or a clock that travels.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Final

import pytest

REPO: Final = Path(__file__).resolve().parents[2]
TESTS: Final = REPO / "tests"

ALLOWED: Final[dict[str, str]] = {}
"""`tests/…/test_x.py::function`: why the day it runs changes nothing to it."""

A_DAY: Final = re.compile(r"20[2-4]\d-\d\d-\d\d([T ]\d\d:.*)?")
READINGS: Final = {"now", "today", "localdate", "localtime", "utcnow"}
CLOCKS: Final = {"timezone", "datetime", "date"}
INSTANTS: Final = {"at", "now"}
FIXED: Final = {"noon", "monday", "afternoon"}
"""Fixtures that are fixed instants."""


def _called(node: ast.AST) -> tuple[str, str]:
    """What a call names: its last word and the one before."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return "", name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
            return owner, name
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=owner), attr=name)):
            return owner, name
        case ast.Call(func=ast.Attribute(attr=name)):
            return "", name
    return "", ""


def _is_literal(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return A_DAY.fullmatch(text) is not None
        case ast.Call(args=[ast.Constant(value=int(year)), *_]):
            return _called(node)[1] in {"date", "datetime"} and 2020 <= year < 2050
    return False


def _reads_clock(node: ast.AST) -> bool:
    owner, name = _called(node)
    return owner in CLOCKS and name in READINGS


def _posts(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "post"


def _travels(node: ast.AST) -> bool:
    return any(_called(inner)[1] in {"travel", "of_the_system"} for inner in ast.walk(node))


@dataclass
class Module:
    """One file of tests, and the names that hold a fixed date in it."""

    name: str
    tree: ast.Module
    fixed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str, name: str) -> "Module":
        tree = ast.parse(text)
        return cls(name, tree, {target for target, value in _assigned(tree) if _is_literal(value)})

    def know(self, others: dict[str, "Module"]) -> None:
        """Learn the fixed dates imported from other modules of tests."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (other := others.get(node.module or "")):
                self.fixed |= {a.asname or a.name for a in node.names if a.name in other.fixed}

    def mixes(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and not _travels(node) and self._mixes(node):
                yield node.name

    def _mixes(self, function: ast.FunctionDef) -> bool:
        nodes = list(ast.walk(function))
        arguments = {node.arg for node in nodes if isinstance(node, ast.arg)}
        fixed = self.fixed | (FIXED & arguments)
        if any(map(_reads_clock, nodes)):
            return any(_is_fixed(node, fixed) for node in nodes)
        return any(map(_posts, nodes)) and any(
            isinstance(node, ast.keyword) and node.arg in INSTANTS and _is_fixed(node.value, fixed)
            for node in nodes
        )


def _assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _is_fixed(node: ast.AST, fixed: set[str]) -> bool:
    return _is_literal(node) or (isinstance(node, ast.Name) and node.id in fixed)


def _rooms_that_travel() -> list[Path]:
    """Folders whose own conftest takes every test to a day."""
    return [path.parent for path in TESTS.rglob("conftest.py") if _travels_whole(path.read_text())]


def _travels_whole(text: str) -> bool:
    return any(
        isinstance(node, ast.FunctionDef)
        and "autouse=True" in "".join(map(ast.unparse, node.decorator_list))
        and _travels(node)
        for node in ast.parse(text).body
    )


@cache
def _found() -> set[str]:
    modules = {}
    for path in TESTS.rglob("*.py"):
        place = path.relative_to(REPO)
        modules[".".join(place.with_suffix("").parts)] = Module.of(path.read_text(), str(place))
    for module in modules.values():
        module.know(modules)
    elsewhere = tuple(f"{room.relative_to(REPO)}/" for room in _rooms_that_travel())
    return {
        f"{module.name}::{name}"
        for module in modules.values()
        if not module.name.startswith(elsewhere)
        for name in module.mixes()
    }


def test_no_test_mixes_a_fixed_date_with_the_real_clock() -> None:
    assert sorted(_found() - ALLOWED.keys()) == []


def test_an_exemption_serves() -> None:
    assert sorted(ALLOWED.keys() - _found()) == []


@pytest.mark.parametrize(
    "text",
    [
        "def test_it(noon):\n    act(at=noon)\n    assert late(timezone.now())",
        "def test_it():\n    act(on='2026-11-24')\n    assert late(dt.datetime.now(UTC))",
        "AT = datetime(2026, 11, 24)\ndef test_it():\n    act(at=AT)\n    browser.post('/')",
        "def test_it():\n    assert date(2026, 11, 24) < date.today()",
    ],
)
def test_a_mix_is_seen(text: str) -> None:
    assert list(Module.of(text, "tests/x.py").mixes()) == ["test_it"]


@pytest.mark.parametrize(
    "text",
    [
        "def test_it(noon):\n    act(at=noon)\n    assert late(noon)",
        "def test_it():\n    act(at=timezone.now())\n    browser.post('/')",
        "AT = date(2026, 11, 24)\ndef test_it():\n    with time_machine.travel(AT):\n        "
        "act(at=AT)\n        browser.post('/')",
    ],
)
def test_one_clock_alone_is_no_mix(text: str) -> None:
    assert list(Module.of(dedent(text), "tests/x.py").mixes()) == []
