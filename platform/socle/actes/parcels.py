"""A return, opened by a process apart (`mails.answer`): its messages, and its files at hand."""

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from socle.actes.protocol.values import Message
from socle.core import apart, plain
from socle.core.names import safe_name

_READER: Final = apart.Reader("socle.actes.mails", memory=256 * 1024**2, per_byte=8)
"""A mail of base64 stands in memory six times over while it is taken apart."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is in a return: messages by file, sentences about XML that is none, a bare reminder."""

    files: Mapping[str, bytes]
    messages: tuple[tuple[str, Message], ...]
    unknown: tuple[str, ...]
    reminder: str


@contextmanager
def opened(name: str, raw: bytes) -> Iterator[Parcel]:
    """The return called `name`. Raises CannotRead, and what `mails.files_in` and reading raise."""
    with tempfile.TemporaryFile() as contents:
        said = _READER.read(io.BytesIO(raw), contents, called=safe_name(name), name=name)
        yield _parcel(said, contents, called=safe_name(name))


def _parcel(said: dict[str, Any], contents: BinaryIO, *, called: str) -> Parcel:
    """What the reader said, in values of ours. Raises CannotRead when it is none of them."""
    try:
        files = _Files(contents, said["files"])
        messages = plain.rebuilt(tuple[tuple[str, Message], ...], said["messages"])
        unknown = plain.rebuilt(tuple[str, ...], said["unknown"])
        if any(file not in files for file, _ in messages):
            raise ValueError("a message of no file")
        return Parcel(files, messages, unknown, plain.rebuilt(str, said["reminder"]))
    except (KeyError, TypeError, ValueError) as fault:
        raise apart.CannotRead(f"« {called} » n’a pas pu être lu.") from fault


class _Files(Mapping[str, bytes]):
    """Files that stay on the disk until one is asked for."""

    def __init__(self, contents: BinaryIO, listed: list[Any]) -> None:
        self._contents = contents
        self._places: dict[str, tuple[int, int]] = {}
        start = 0
        for name, size in listed:
            self._places[safe_name(str(name))] = (start, int(size))
            start += int(size)

    def __getitem__(self, name: str) -> bytes:
        start, size = self._places[name]
        self._contents.seek(start)
        return self._contents.read(size)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
