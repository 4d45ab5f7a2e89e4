"""A real clamd, with a database of one signature, for the tests that need an antivirus."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from socle.documents import clamd
from socle.documents.clamd import Place

CLAMD = shutil.which("clamd") or shutil.which("clamd", path="/usr/sbin:/sbin")
needs_clamd = pytest.mark.skipif(
    CLAMD is None, reason="clamd manque (clamav-daemon) : le vrai antivirus ne tourne pas"
)
# The harmless text every antivirus knows (EICAR), in two parts: this file is not to be caught.
VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Socle.Essai.UNOFFICIAL"
STREAM_LIMIT = 8 * 1024 * 1024
FILE_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Clamd:
    """Where a running clamd listens."""

    unix: Place
    tcp: Place


@contextmanager
def running() -> Iterator[Clamd]:
    """clamd on a Unix socket and on a port, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="clamd-") as made:
        folder = Path(made)
        database = folder / "db"
        database.mkdir()
        (database / "essai.ndb").write_text(f"Socle.Essai:0:*:{VIRUS.hex()}\n")
        port = _free_port()
        (folder / "clamd.conf").write_text(_configuration(folder, port))
        for path in (folder, database):
            path.chmod(0o755)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [CLAMD or "clamd", "--config-file", str(folder / "clamd.conf")],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            place = Clamd(Place(path=f"{folder}/clamd.sock"), Place(host="127.0.0.1", port=port))
            _wait(process, place.unix, folder / "log")
            yield place
        finally:
            process.terminate()
            process.wait(timeout=20)


def _configuration(folder: Path, port: int) -> str:
    user = "" if os.geteuid() else "User root\n"
    return (
        f"Foreground yes\nDatabaseDirectory {folder}/db\nTemporaryDirectory {folder}\n{user}"
        f"LocalSocket {folder}/clamd.sock\nTCPSocket {port}\nTCPAddr 127.0.0.1\n"
        f"StreamMaxLength {STREAM_LIMIT}\nMaxFileSize {FILE_LIMIT}\nAlertExceedsMax yes\n"
        "MaxThreads 2\nSelfCheck 0\n"
    )


def _wait(process: subprocess.Popen[bytes], place: Place, log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, f"clamd stopped at once: {log.read_text()}"
        try:
            if clamd.version(place):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("clamd does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
