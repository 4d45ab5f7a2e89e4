"""The commands people run beside the screens, on the same real stack."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.stack import Stack

# In one worker, so that the stack starts once.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("e2e")]

CELLES = "79061"
LEZAY = "79148"


@pytest.fixture(scope="module")
def toured(stack: Stack) -> subprocess.CompletedProcess[str]:
    """A tour of Celles-sur-Belle."""
    return stack.manage("tour", "--commune", CELLES)


def test_the_tour_walks_a_commune_without_a_browser(
    toured: subprocess.CompletedProcess[str],
) -> None:
    assert toured.returncode == 0, toured.stderr
    assert "commune raccordée" in toured.stdout
    assert "un octet changé est dénoncé" in toured.stdout


def test_a_commune_is_not_walked_twice(
    stack: Stack, toured: subprocess.CompletedProcess[str]
) -> None:
    again = stack.manage("tour", "--commune", CELLES)
    assert again.returncode != 0
    assert "a déjà un dossier de raccordement ouvert" in again.stderr


def test_a_season_fills_the_demonstration_once(stack: Stack) -> None:
    first = stack.manage("season", "--communes", LEZAY)
    assert first.returncode == 0, first.stderr
    told = first.stdout.split("\n")
    assert "  Lezay : raccordée, 10 actes transmis" in told
    assert sum("en chemin" in line for line in told) == 5
    again = stack.manage("season", "--communes", LEZAY)
    assert again.returncode == 0, again.stderr
    assert "raccordée" not in again.stdout
    assert "en chemin" not in again.stdout


def test_the_screens_of_a_person_are_photographed(
    stack: Stack, chromium: Path, tmp_path: Path
) -> None:
    done = stack.manage("screens", "--into", str(tmp_path), "--only", "Thomas")
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "/formations/planifier/" in index
    wide, narrow = list(tmp_path.glob("*-1280.png")), list(tmp_path.glob("*-360.png"))
    assert len(wide) == len(narrow) > 5
