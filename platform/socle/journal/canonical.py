"""One entry, one line; one seal, one line: the only bytes that are ever hashed. Pure.

Canonical form: JSON, keys sorted, no space, UTF-8 without escapes, instants in UTC with six
decimals (`2026-03-02T08:30:00.000000Z`), hashes in lower-case hexadecimal, no newline at the end.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from socle.journal.merkle import HASH_SIZE, Frontier, leaf_hash

DETAIL_LIMIT: Final = 8192
EVENT_CODE: Final = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"
OUTCOMES: Final = ("done", "refused")
NO_SEAL: Final = bytes(HASH_SIZE)


def encode(value: Mapping[str, Any]) -> bytes:
    """Return the canonical bytes of a JSON object. UnicodeEncodeError on lone surrogates."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8")


def stamp(at: datetime) -> str:
    """Return an aware instant in UTC with microseconds. ValueError if it is naive."""
    if at.tzinfo is None:
        raise ValueError("a journal instant needs its time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class EntryLine:
    """What one entry says; `position` counts from 1 without gap."""

    position: int
    at: datetime
    event: str
    subject_type: str
    subject_id: str
    actor_id: int | None
    actor_label: str
    outcome: str
    detail: Mapping[str, Any]

    def check(self) -> None:
        """Refuse what the journal could not give back exactly.

        ValueError: a code that is not dotted lower case, an outcome out of the list, a detail over
        `DETAIL_LIMIT` bytes, a NUL character. TypeError: a float, or anything that is not JSON.
        """
        if not re.fullmatch(EVENT_CODE, self.event):
            raise ValueError(f"not an event code: {self.event!r}")
        if self.outcome not in OUTCOMES:
            raise ValueError(f"not an outcome: {self.outcome!r}")
        for value in (self.subject_type, self.subject_id, self.actor_label, self.detail):
            _check_exact(value)
        if len(encode(self.detail)) > DETAIL_LIMIT:
            raise ValueError(f"the detail of {self.event} is over {DETAIL_LIMIT} bytes")

    def encode(self) -> bytes:
        """Return the canonical line."""
        return encode({**vars(self), "at": stamp(self.at)})

    def leaf(self) -> bytes:
        """Return the entry's leaf hash in the journal's tree."""
        return leaf_hash(self.encode())


@dataclass(frozen=True)
class SealLine:
    """What one seal says of the first `tree_size` entries of `journal`.

    `peaks` (see `Frontier`) let the next seal, and a verifier, start where this one stopped.
    """

    number: int
    journal: str
    tree_size: int
    root: bytes
    peaks: bytes
    previous_hash: bytes
    sealed_at: datetime

    @classmethod
    def over(
        cls, frontier: Frontier, *, number: int, journal: str, previous_hash: bytes, at: datetime
    ) -> SealLine:
        """Return the seal of the entries that `frontier` carries."""
        return cls(
            number=number,
            journal=journal,
            tree_size=frontier.size,
            root=frontier.root(),
            peaks=frontier.to_bytes(),
            previous_hash=previous_hash,
            sealed_at=at,
        )

    def frontier(self) -> Frontier:
        """Return the frontier to go on from. ValueError when it does not carry the seal's root."""
        frontier = Frontier.from_bytes(self.tree_size, self.peaks)
        if frontier.root() != self.root:
            raise ValueError(f"the peaks of seal {self.number} do not carry its root")
        return frontier

    def statement(self) -> dict[str, Any]:
        """Return what is hashed, ready for `encode`."""
        return {
            "number": self.number,
            "journal": self.journal,
            "tree_size": self.tree_size,
            "root": self.root.hex(),
            "peaks": self.peaks.hex(),
            "previous_hash": self.previous_hash.hex(),
            "sealed_at": stamp(self.sealed_at),
        }

    def digest(self) -> bytes:
        """Return the seal's hash, SHA-256 of the canonical statement; the next seal repeats it."""
        return hashlib.sha256(encode(self.statement())).digest()


def _check_exact(value: object) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{key!r} cannot be a key in a journal detail")
            _check_exact(key)
            _check_exact(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_exact(inner)
    elif isinstance(value, str):
        if "\x00" in value:
            raise ValueError("PostgreSQL cannot store the NUL character")
    elif value is not None and not isinstance(value, bool | int):
        raise TypeError(f"{type(value).__name__} cannot be written in a journal line")
