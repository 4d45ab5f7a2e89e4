"""TCP ports of the loopback interface: which are free, and who holds the others."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from socle.stack.processes import command_of

LOOPBACK = "127.0.0.1"
_LISTENING = "0A"  # state column of /proc/net/tcp


@dataclass(frozen=True)
class Holder:
    """A process that listens on a port."""

    pid: int
    command: str


def free_port() -> int:
    """A port of 127.0.0.1 that nobody holds at the moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether we may listen on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def remembered_port(file: Path) -> int:
    """The port written in `file` when it is still free, else another one, written there."""
    known = file.read_text(encoding="ascii") if file.exists() else ""
    if known.isdigit() and is_free(int(known)):
        return int(known)
    port = free_port()
    file.write_text(str(port), encoding="ascii")
    return port


def holder_of(port: int) -> Holder | None:
    """The process that listens on `port`, when the system lets us see it (Linux only)."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if sockets & set(_open_files(process)):
            return Holder(int(process.name), command_of(int(process.name)))
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text(encoding="ascii").splitlines()[1:]:
            columns = line.split()
            if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                yield columns[9]


def _open_files(process: Path) -> Iterator[str]:
    try:
        names = list((process / "fd").iterdir())
    except OSError:  # it belongs to somebody else, or has just ended
        return
    for name in names:
        try:
            yield os.readlink(name)
        except OSError:
            continue
