"""The commands people run beside the screens, on the same real stack."""

from pathlib import Path

from tests.e2e.stack import Stack

CELLES = "79061"


def test_the_tour_walks_a_commune_without_a_browser(stack: Stack) -> None:
    done = stack.manage("tour", "--commune", CELLES)
    assert done.returncode == 0, done.stderr
    assert "commune raccordée" in done.stdout
    assert "un octet changé est dénoncé" in done.stdout


def test_a_commune_is_not_walked_twice(stack: Stack) -> None:
    stack.manage("tour", "--commune", "79148")
    again = stack.manage("tour", "--commune", "79148")
    assert again.returncode != 0
    assert "a déjà un dossier de raccordement ouvert" in again.stderr


def test_the_screens_of_a_person_are_photographed(
    stack: Stack, chromium: Path, tmp_path: Path
) -> None:
    done = stack.manage("screens", "--into", str(tmp_path), "--only", "Thomas")
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "/formations/planifier/" in index
    wide, narrow = list(tmp_path.glob("*-1280.png")), list(tmp_path.glob("*-360.png"))
    assert len(wide) == len(narrow) > 5
