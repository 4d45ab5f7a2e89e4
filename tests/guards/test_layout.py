"""`platform/` is a source root: `import platform` is the standard library's, everywhere."""

import importlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
OURS = ("socle", "tenants", "registration_authority", "training", "billing")
STDLIB_PLATFORM = Path(sysconfig.get_path("stdlib")) / "platform.py"
SAY_PLATFORM = "import platform, uuid; print(platform.__file__)"


def _run(*command: str, cwd: Path = REPO, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return run.stdout.strip()


def test_platform_folder_is_not_a_package() -> None:
    assert not (REPO / "platform/__init__.py").exists()


def test_platform_folder_holds_nothing_that_could_shadow_the_stdlib() -> None:
    entries = (REPO / "platform").iterdir()
    importable = {entry.stem for entry in entries if entry.name != "__pycache__"}
    assert importable == {"manage", "socle"}
    assert not importable & sys.stdlib_module_names


def test_tests_is_a_package_so_its_folders_cannot_become_top_level_names() -> None:
    assert (REPO / "tests/__init__.py").exists()
    assert not [found for found in (REPO / "tests").rglob("platform") if found.is_dir()]


@pytest.mark.parametrize("cwd", [REPO, REPO / "platform"], ids=["repo-root", "platform"])
def test_stdlib_platform_wins_even_with_cwd_first_on_the_path(cwd: Path) -> None:
    assert Path(_run("-c", SAY_PLATFORM, cwd=cwd)) == STDLIB_PLATFORM


def test_pytest_itself_sees_the_standard_platform() -> None:
    assert Path(importlib.import_module("platform").__file__ or "") == STDLIB_PLATFORM


def test_manage_sees_the_standard_platform() -> None:
    found = _run("platform/manage.py", "shell", "--no-imports", "-c", SAY_PLATFORM)
    assert Path(found.splitlines()[-1]) == STDLIB_PLATFORM


@pytest.mark.parametrize(
    "command",
    [
        ("-m", "gunicorn", "--check-config", "socle.config.wsgi:application"),
        ("-m", "celery", "-A", "socle.config.celery", "report"),
    ],
    ids=["gunicorn", "celery"],
)
def test_servers_load_with_the_standard_platform(command: tuple[str, ...], tmp_path: Path) -> None:
    # -X importtime names each module as it is first imported; ours would be platform/socle/….
    spy = tmp_path / "sitecustomize.py"
    spy.write_text(
        "import atexit, sys\n"
        "def say():\n"
        "    import platform\n"
        "    print('platform is', platform.__file__, 'in', sys.argv[0])\n"
        "atexit.register(say)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(REPO), str(REPO / "platform")])
    output = _run(*command, PYTHONPATH=path)
    assert f"platform is {STDLIB_PLATFORM}" in output


def test_celery_does_not_leave_the_working_directory_on_the_path(tmp_path: Path) -> None:
    code = "import sys, socle.config.celery; print(sys.path[0])"
    path = os.pathsep.join([str(REPO), str(REPO / "platform")])
    assert _run("-P", "-c", code, cwd=tmp_path, PYTHONPATH=path) != str(tmp_path)


@pytest.mark.parametrize("name", OURS)
def test_our_top_level_names_are_ours(name: str) -> None:
    found = importlib.import_module(name).__file__
    assert found is not None
    assert Path(found).is_relative_to(REPO)


def test_the_wheel_holds_our_packages_and_no_platform_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from hatchling.builders.wheel import WheelBuilder;"
        f"print(next(WheelBuilder({str(REPO)!r}).build(directory={str(tmp_path)!r})))"
    )
    wheel = Path(_run("-c", code).splitlines()[-1])
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(OURS)
    assert "socle/directory/facts/cog.json.xz" in names
    found = _run("-c", f"import sys; sys.path.insert(0, {str(wheel)!r}); {SAY_PLATFORM}")
    assert Path(found) == STDLIB_PLATFORM
