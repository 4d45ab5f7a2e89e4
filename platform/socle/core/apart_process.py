"""The process of one reader: forked for each document, it opens none itself. See `apart`.

Run as `python -I -m socle.core.apart_process MODULE`, with one end of a socket as its standard
input. It leaves when the other end is closed, or after `IDLE` seconds without a document.
"""

import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from socle.core.confinement import confine
from socle.core.refusals import Refusal

IDLE: Final = 60.0
_LONGEST_REQUEST: Final = 64 * 1024
_MOST_FILES: Final = 8
_SENTENCE: Final = 2000
_LOADED: Final = ("encodings", "email")


def main() -> None:
    """Fork a process for each request, until there is nobody to serve."""
    control = socket.socket(fileno=0)
    reader = importlib.import_module(sys.argv[1])
    for one in (*_LOADED, *getattr(reader, "LOADED", ())):
        _load_all_of(one)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel takes the dead away
    control.settimeout(IDLE)
    while True:
        try:
            request, files, _, _ = socket.recv_fds(control, _LONGEST_REQUEST, _MOST_FILES)
        except TimeoutError:
            return
        if not request:
            return
        child = os.fork()
        if child == 0:
            _serve(reader.answer, json.loads(request), files)
        for one in files:
            os.close(one)
        _tell(control, child)


def _tell(control: socket.socket, child: int) -> None:
    """Hand over what ends the child; nothing when it is done, or where a kernel has no such thing.

    Its own limit on the processor's time is left then.
    """
    try:
        handle = os.pidfd_open(child)
    except (OSError, AttributeError):
        control.send(b"none")
        return
    socket.send_fds(control, [b"here"], [handle])
    os.close(handle)


def _load_all_of(package: str) -> None:
    """Now: what a document wants of it is found when no file can be opened any more."""
    for one in pkgutil.iter_modules(importlib.import_module(package).__path__):
        with suppress(Exception):  # those of another system
            importlib.import_module(f"{package}.{one.name}")


def _serve(answer: Callable[..., Any], request: dict[str, Any], files: list[int]) -> None:
    """Read one document and never come back."""
    try:
        into, *given = files
        _close_all_but(files)
        _bound(request["limits"])
        said = _said_by(answer, given, request["asked"])
        with os.fdopen(into, "wb") as out:
            out.write(json.dumps(said).encode())
    finally:
        os._exit(0)


def _said_by(answer: Callable[..., Any], given: list[int], asked: dict[str, Any]) -> dict[str, Any]:
    try:
        content, *beside = (
            os.fdopen(one, "r+b" if rank else "rb") for rank, one in enumerate(given)
        )
        said: dict[str, Any] = answer(content, *beside, **asked)
        for one in beside:
            one.flush()
    except Refusal as refusal:
        return {"refusal": [refusal.code, str(refusal)[:_SENTENCE]]}
    except BaseException as fault:  # noqa: BLE001 -- said to the parent, which does without
        return {"error": f"{type(fault).__name__}: {fault}"[:300]}
    return said


def _close_all_but(files: list[int]) -> None:
    kept = sorted(files)
    for low, high in zip([-1, *kept], [*kept, 4096], strict=True):
        os.closerange(low + 1, high)


def _bound(limits: dict[str, int]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for kind, most in (
        (resource.RLIMIT_AS, _own_size() + limits["memory"]),
        (resource.RLIMIT_CPU, limits["seconds"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # short of memory, the machine ends this process, not Socle
    confine()


def _own_size() -> int:
    """Bytes of address space the program takes before any document."""
    try:
        with open("/proc/self/statm") as said:
            return int(said.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


if __name__ == "__main__":
    main()
