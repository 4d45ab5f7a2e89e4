"""Bytes that come from anybody, read by code of ours in a process of its own.

A reader is a module with a function `answer(content, *beside, **asked)`, pure: no Django, no
database, no setting. Its process (`apart_process`) starts empty: no secret in its environment, no
descriptor of ours. It opens nothing foreign itself: it is forked for each document, so that one
document says nothing of the next. The fork is bounded in memory and time, can open no file and no
socket (`confinement`), is given the document and what stands `beside` it as open files, and answers
with one JSON object. `LOADED`, in the module, are packages it imports later: nothing is, then.
"""

import atexit
import json
import math
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, BinaryIO, Final

from socle.core.refusals import Refusal

TIME_LIMIT: Final = 45
"""Seconds for one document; 150 MiB take two or three, a hostile one any number."""
_START_LIMIT: Final = 30.0
ANSWER_LIMIT: Final = 32 * 1024**2
LATE: Final = "too late"
TOO_LONG: Final = "too long"
_at_once = threading.BoundedSemaphore(2)  # of one process: the others of the pod have theirs


class CannotRead(Refusal):
    """The process that reads gave up: too much memory, too much time, or a fault of ours."""

    code = "apart.cannot_read"


@dataclass(slots=True)
class Reader:
    """One module that reads, and its process, started when it is needed and gone when it is not.

    A document may make it grow by `memory` bytes, and `per_byte` for each of its own.
    """

    module: str
    memory: int
    per_byte: int = 0
    _process: "_Process | None" = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, content: BinaryIO, *beside: BinaryIO, **asked: Any) -> dict[str, Any]:
        """What the reader says of `content`, a seekable stream left at its start.

        `{"error": …}` when it fails: `LATE` of a document that took too long, or whose turn did
        not come. Raises the Refusal the reader raised.
        """
        if not _at_once.acquire(timeout=TIME_LIMIT):
            return {"error": LATE}
        try:
            with _copy_of(content) as (copy, size):
                limits = {
                    "memory": self.memory + self.per_byte * size,
                    "seconds": math.ceil(TIME_LIMIT),
                }
                return self._ask({"limits": limits, "asked": asked}, (copy, *beside))
        finally:
            _at_once.release()

    def read(
        self, content: BinaryIO, *beside: BinaryIO, called: str, **asked: Any
    ) -> dict[str, Any]:
        """As `ask`; a failure raises CannotRead, a sentence about the file so `called`."""
        said = self.ask(content, *beside, **asked)
        if "error" in said:
            raise CannotRead(
                f"« {called} » n’a pas pu être lu : le lire demande trop de temps ou de mémoire, "
                f"ou son contenu est abîmé ({said['error'][:80]}). Téléchargez-le pour voir ce "
                "qu’il contient."
            )
        return said

    def _ask(self, request: dict[str, Any], files: tuple[BinaryIO, ...]) -> dict[str, Any]:
        out, into = os.pipe()
        with os.fdopen(out, "rb", buffering=0) as answers:
            try:
                child = self._fork(request, (into, *(one.fileno() for one in files)))
            except (OSError, EOFError) as fault:
                return {"error": f"no process: {fault}"}
            finally:
                os.close(into)
            try:
                raw = _all_of(answers, until=monotonic() + TIME_LIMIT)
            except _GivenUp as why:
                return {"error": str(why)}
            finally:
                _end(child)
        return _understood(raw)

    def _fork(self, request: dict[str, Any], descriptors: tuple[int, ...]) -> int | None:
        """Have one document read; a descriptor of the process that does, None when it is done."""
        with self._turn:
            known = self._process
            if known is not None and known.owner == os.getpid():
                with suppress(OSError, EOFError):  # it stood idle and left: nothing was read
                    return known.fork(request, descriptors)
                known.leave()
            self._process = _Process.started(self.module)
            return self._process.fork(request, descriptors)


@dataclass(frozen=True, slots=True)
class _Process:
    control: socket.socket
    running: subprocess.Popen[bytes]
    owner: int
    """The process of ours that started it: a fork of that one starts its own."""

    @classmethod
    def started(cls, module: str) -> "_Process":
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        with theirs:
            running = subprocess.Popen(  # noqa: S603 -- our own file, never a shell
                [sys.executable, "-I", "-m", "socle.core.apart_process", module],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        ours.settimeout(_START_LIMIT)
        process = cls(ours, running, os.getpid())
        atexit.register(process.leave)
        return process

    def leave(self) -> None:
        """End it; it is nobody's but ours."""
        atexit.unregister(self.leave)
        self.control.close()
        if self.owner == os.getpid():
            self.running.kill()
            self.running.wait()

    def fork(self, request: dict[str, Any], descriptors: tuple[int, ...]) -> int | None:
        socket.send_fds(self.control, [json.dumps(request).encode()], descriptors)
        said, received, _, _ = socket.recv_fds(self.control, 16, 1)
        if not said:
            raise EOFError
        return received[0] if received else None


class _GivenUp(Exception):
    """The answer is not waited for any more."""


def _all_of(answers: BinaryIO, *, until: float) -> bytes:
    raw = bytearray()
    while True:
        ready, _, _ = select.select([answers], [], [], max(0.0, until - monotonic()))
        if not ready:
            raise _GivenUp(LATE)
        block = answers.read(1024 * 1024)
        if not block:
            return bytes(raw)
        raw += block
        if len(raw) > ANSWER_LIMIT:
            raise _GivenUp(TOO_LONG)


def _end(child: int | None) -> None:
    if child is None:
        return
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(child, signal.SIGKILL)
    os.close(child)


def _understood(raw: bytes) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(raw)
    except (ValueError, RecursionError):
        return {"error": "the process died"}
    if not isinstance(said, dict):
        return {"error": "no object"}
    if "refusal" in said:
        code, sentence = said["refusal"]
        raise Refusal(str(sentence), code=str(code))
    return said


@contextmanager
def _copy_of(content: BinaryIO) -> Iterator[tuple[BinaryIO, int]]:
    """A file of its own: moving in it moves nothing of the caller's."""
    with tempfile.TemporaryFile() as copy:
        content.seek(0)
        shutil.copyfileobj(content, copy, 1024 * 1024)
        content.seek(0)
        size = copy.tell()
        copy.seek(0)
        yield copy, size
