"""Processes of this machine, as far as the system shows them (Linux; nothing elsewhere)."""

import os
import signal
from collections.abc import Collection
from pathlib import Path

from socle.stack.waiting import wait_until


def working_in(directory: Path, commands: Collection[str]) -> set[int]:
    """Processes named in `commands` whose working directory is `directory`."""
    wanted = str(directory.resolve())
    return {
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if _working_directory(process) == wanted and command_of(int(process.name)) in commands
    }


def _working_directory(process: Path) -> str:
    try:
        return os.readlink(process / "cwd")
    except OSError:  # it belongs to somebody else, or has just ended
        return ""


def command_of(pid: int) -> str:
    """Short name of the program, as `ps` shows it; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def started_at(pid: int) -> str:
    """When the process started, in the kernel's ticks: with the number, it names one process.

    Empty when there is no such process, or only its exit code waiting to be read (a zombie).
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    columns = status.rpartition(")")[2].split()
    return "" if columns[0] == "Z" else columns[19]


def is_running(pid: int, start: str) -> bool:
    """Whether this very process, known by its number and its start, still runs."""
    return start != "" and started_at(pid) == start


def end_group(pid: int, start: str, *, seconds: float = 10) -> None:
    """End a process group that is not our child: TERM, then KILL after `seconds`."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not is_running(pid, start):
            return
        os.killpg(pid, number)
        wait_until(lambda: not is_running(pid, start), seconds=seconds)
