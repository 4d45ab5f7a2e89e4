"""The page that says where each case is proven stays true."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "actes-cases.md"


def _lines() -> list[str]:
    return [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:2] == "* "]


def test_every_test_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+\.py)::(test_\w+)`", "\n".join(_lines())))
    written = {
        (path.name, name)
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert sorted(named - written) == []


def test_each_case_has_one_line_that_proves_it_or_says_why_not() -> None:
    found = [
        re.match(r"\* \*\*([A-K]\d{2}b?)\*\* (`test_|— |not yet: )", line) for line in _lines()
    ]
    assert all(found)
    names = [one[1] for one in found if one]
    assert len(names) == len(set(names)) == 245
