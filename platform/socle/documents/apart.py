"""Files that come from anybody, read by a program of ours in a process of its own.

The reader gets the file on its standard input, an empty environment and no secret; it sets its own
limit on memory, is ended after `TIME_LIMIT`, and writes one JSON object.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, BinaryIO, Final

TIME_LIMIT: Final = 45
"""Seconds for one document; 150 MiB take two or three, a hostile one any number."""
LATE: Final = "too late"
_at_once = threading.BoundedSemaphore(2)  # of one process: the others of the pod have theirs


def run(reader: Path, content: BinaryIO, *beside: BinaryIO) -> dict[str, Any]:
    """What `reader` says of `content`, a seekable stream left at its start; or `{"error": …}`.

    `beside` are open files the reader finds at the descriptors its arguments name. `LATE` is the
    error of a document that took too long, or whose turn did not come.
    """
    with tempfile.TemporaryFile() as copy:
        content.seek(0)
        shutil.copyfileobj(content, copy, 1024 * 1024)
        content.seek(0)
        copy.seek(0)
        return _run(reader, copy, [one.fileno() for one in beside])


def _run(reader: Path, copy: BinaryIO, beside: list[int]) -> dict[str, Any]:
    if not _at_once.acquire(timeout=TIME_LIMIT):
        return {"error": LATE}
    try:
        done = subprocess.run(  # noqa: S603 -- our own file, never a shell
            [sys.executable, "-I", str(reader), *map(str, beside)],
            stdin=copy,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=beside,
            env={"LANG": "C.UTF-8"},
            cwd="/",
            timeout=TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": LATE}
    finally:
        _at_once.release()
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"error": f"exit {done.returncode}"}
    return answer
