"""The wheel that goes into the image holds the whole product and runs by itself."""

import configparser
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.helm.rendering import REPO

ROOMS = {
    "socle": REPO / "platform" / "socle",
    **{name: REPO / name for name in ("tenants", "registration_authority", "training", "billing")},
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built without network."""
    folder = tmp_path_factory.mktemp("wheel")
    code = (
        "from hatchling.builders.wheel import WheelBuilder;"
        f"print(next(WheelBuilder({str(REPO)!r}).build(directory={str(folder)!r})))"
    )
    built = _run("-c", code, cwd=REPO).splitlines()[-1]
    return zipfile.ZipFile(built)


@pytest.fixture(scope="module")
def installed(wheel: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as pip would lay it out, away from the sources."""
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)
    return folder


def _run(*words: str, cwd: Path, **variables: str) -> str:
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def _on_disk() -> set[str]:
    return {
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in ROOMS.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _in_wheel(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_it_holds_every_file_of_our_rooms_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert _in_wheel(wheel) == _on_disk()


@pytest.mark.parametrize(
    "needed",
    [
        "socle/journal/migrations/0001_initial.py",
        "socle/accounts/templates/accounts/login.html",
        "socle/web/static/web/socle.css",
        "socle/directory/facts/cog.json.xz",
        "socle/journal/lisez_moi.txt",
        "tenants/templates/tenants/home.html",
    ],
)
def test_it_holds_what_no_import_would_miss(wheel: zipfile.ZipFile, needed: str) -> None:
    assert needed in wheel.namelist()


def test_every_room_with_models_has_its_first_migration(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    rooms = {name.rsplit("/", 1)[0] for name in names if name.endswith("/models.py")}
    assert rooms
    first = "migrations/0001_initial.py"  # its own, or that of the room it is a part of
    places = {room: (f"{room}/{first}", f"{room.rpartition('/')[0]}/{first}") for room in rooms}
    assert [room for room, known in places.items() if not names.intersection(known)] == []


def test_it_gives_the_command_manage(wheel: zipfile.ZipFile) -> None:
    (path,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    points = configparser.ConfigParser()
    points.read_string(wheel.read(path).decode())
    assert points["console_scripts"]["manage"] == "socle.cli:main"


def test_it_runs_away_from_the_sources(installed: Path) -> None:
    # The repository itself is on this interpreter's path: ours comes first, and is the one read.
    code = (
        "import sys, socle, tenants; from socle.cli import main;"
        "sys.argv = ['manage', 'findstatic', '--first', '--verbosity=0', 'web/socle.css'];"
        "main(); print(socle.__file__); print(tenants.__file__)"
    )
    output = _run("-c", code, cwd=installed, PYTHONPATH=str(installed))
    assert [Path(line).is_relative_to(installed) for line in output.split()] == [True] * 3
