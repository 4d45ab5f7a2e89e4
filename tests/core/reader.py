# ruff: noqa: S108, S606, BLE001 -- attacks
"""A reader that does what the document says: run by `core.apart`, never imported by a test."""

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from socle.core.refusals import Refusal

_seen = 0


def answer(content: BinaryIO, *beside: BinaryIO, **asked: Any) -> dict[str, Any]:
    """Whatever a reader can do to who asks it."""
    global _seen
    _seen += 1
    match content.read():
        case b"refuse":
            raise Refusal("Ce document n’est pas lisible.", code="tests.refused")
        case b"fill memory":
            return {"size": len(b"x" * 1024**3)}
        case b"dig":
            return dig(10**6)
        case b"never end":
            while True:
                time.sleep(1)
        case b"die":
            os._exit(3)
        case b"say too much":
            return {"words": "x" * 64 * 1024**2}
        case b"say anything":
            return ["not", "an", "object"]  # type: ignore[return-value]
        case b"write beside":
            beside[0].write(b"beside")
            return {}
        case b"attack":
            return {name: tried(attack) for name, attack in ATTACKS.items()}
        case _:
            return {
                "seen": _seen,
                "environment": sorted(os.environ),
                "open": [number for number in range(64) if is_open(number)],
                "asked": asked,
            }


ATTACKS: dict[str, Callable[[], Any]] = {
    "a file": lambda: open("/etc/passwd").close(),
    "the parent": lambda: open(f"/proc/{os.getppid()}/environ").close(),
    "ourselves": lambda: open("/proc/self/environ").close(),
    "a new file": lambda: os.open("/tmp/x", os.O_CREAT | os.O_WRONLY),
    "the network": lambda: socket.socket(),
    "a local server": lambda: socket.socket(socket.AF_UNIX),
    "another program": lambda: os.execv("/bin/true", ["true"]),
    "another process": os.fork,
    "a thread": lambda: threading.Thread(target=print).start(),
    "a signal": lambda: os.kill(os.getppid(), 0),
    "a file gone": lambda: os.unlink("/tmp/nothing"),
    "a file renamed": lambda: os.rename("/tmp/nothing", "/tmp/x"),
}


def tried(attack: Callable[[], Any]) -> str:
    """What came of it."""
    try:
        attack()
    except PermissionError:
        return "refused"
    except RuntimeError as fault:
        return "refused" if "start new thread" in str(fault) else str(fault)
    except Exception as fault:
        return repr(fault)
    return "done"


def is_open(number: int) -> bool:
    """Whether something is open under this descriptor."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def dig(depth: int) -> dict[str, Any]:
    """As deep as a hostile document is nested."""
    return dig(depth - 1) if depth else {}
