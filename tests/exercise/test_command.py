"""The two ways to start the offices."""

import os
import subprocess
import sys
from pathlib import Path

from tests import day
from tests.exercise.client import TOKEN, Client
from tests.exercise.test_restart import SOURCES

COMMAND = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "exercise", *sys.argv[1:]])
"""
IMPORTS = "import sys, socle.exercise.cli; print(*sys.modules)"


def test_the_django_command_serves_beside_the_files_of_the_platform(tmp_path: Path) -> None:
    told = os.environ | {"SOCLE_EXERCISE_TOKEN": TOKEN, "SOCLE_FILES_DIR": str(tmp_path / "files")}
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "--port", "0"],
        env=told,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        client = Client(process.stdout.readline().split()[-1], TOKEN)
        assert client.deposit("a", b"content").status == 200
        assert (tmp_path / "exercise" / "exercise.sqlite3").exists()
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_django_command_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "--state", str(tmp_path)],
        env=os.environ | {"SOCLE_EXERCISE_TOKEN": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "CommandError: Aucun jeton" in done.stderr


def test_the_offices_run_without_django_nor_the_senders_code() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env=os.environ | day.environment(SOURCES),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "socle.exercise.server" in loaded
    assert loaded & {"django", "socle.actes", "socle.helios"} == set()
