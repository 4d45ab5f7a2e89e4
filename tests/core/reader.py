"""A reader that does what the document says: run by `core.apart`, never imported by a test."""

import os
import time
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
        case _:
            here = os.listdir("/proc/self/fd")
            return {
                "seen": _seen,
                "environment": sorted(os.environ),
                "open": len(here),
                "asked": asked,
            }


def dig(depth: int) -> dict[str, Any]:
    """As deep as a hostile document is nested."""
    return dig(depth - 1) if depth else {}
