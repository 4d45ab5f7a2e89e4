"""The one gzip'd tar that carries an envelope: written to be repeatable, read with suspicion."""

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import BinaryIO, Final

from socle.core.refusals import Refusal

SIZE_LIMIT: Final = 150 * 1024 * 1024
EXPANSION_LIMIT: Final = 2 * SIZE_LIMIT
ENTRY_LIMIT: Final = 2000
_BROKEN: Final = (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, OverflowError)
_MODE: Final = 0o644


class UnreadableArchive(Refusal):
    """Not a gzip'd tar, or a damaged one."""

    code = "actes.unreadable_archive"


class HostileArchive(Refusal):
    """An archive with links, folders, odd names, or an absurd expansion."""

    code = "actes.hostile_archive"


class ArchiveTooLarge(Refusal):
    """The finished archive is larger than the platform accepts."""

    code = "actes.archive_too_large"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: its name, its exact size in bytes, and how to open it for reading."""

    name: str
    size: int
    open: Callable[[], BinaryIO]

    @classmethod
    def of(cls, name: str, data: bytes) -> "Entry":
        """An entry whose content is already in memory."""
        return cls(name, len(data), lambda: BytesIO(data))


def write_archive(
    entries: Iterable[Entry], out: BinaryIO, *, at: datetime, limit: int = SIZE_LIMIT
) -> int:
    """Write a flat tar.gz of `entries`, in order, to `out`; the number of bytes written.

    The bytes depend on the entries and on `at` (kept to the second) only, so a retry is identical.
    Content is streamed: no file is held in memory. Raises ArchiveTooLarge when more than `limit`
    bytes come out, and ValueError when a content has not the announced size or a name is not flat.
    """
    seconds = int(at.timestamp())
    counted = _Counter(out, limit)
    with (
        gzip.GzipFile(
            filename="", mode="wb", compresslevel=6, fileobj=counted, mtime=seconds
        ) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for entry in entries:
            _add(tar, entry, seconds)
    return counted.written


def read_archive(
    source: BinaryIO | bytes,
    *,
    expansion_limit: int = EXPANSION_LIMIT,
    entry_limit: int = ENTRY_LIMIT,
) -> dict[str, bytes]:
    """Name → content of every file of a flat tar.gz, in the archive's order.

    Raises HostileArchive for a link, a folder, a device, a path, a repeated name, more than
    `entry_limit` files or more than `expansion_limit` bytes once expanded; UnreadableArchive else.
    """
    raw = BytesIO(source) if isinstance(source, bytes) else source
    try:
        with gzip.GzipFile(fileobj=raw, mode="rb") as compressed:
            return _read(_Bounded(compressed, expansion_limit), entry_limit)
    except _BROKEN as fault:
        raise UnreadableArchive("L'archive n'est pas un fichier tar.gz lisible.") from fault


def is_flat_name(name: str) -> bool:
    """Whether `name` is a plain file name: printable, without folder, not hidden."""
    return (
        0 < len(name) <= 255
        and name.isprintable()
        and not name.startswith(".")
        and not set(name) & set('/\\:\0"')
    )


def _add(tar: tarfile.TarFile, entry: Entry, seconds: int) -> None:
    if not is_flat_name(entry.name) or not entry.name.isascii():
        raise ValueError(f"not a flat ASCII name: {entry.name!r}")
    info = tarfile.TarInfo(entry.name)
    info.size, info.mtime, info.mode = entry.size, seconds, _MODE
    with entry.open() as content:
        try:
            tar.addfile(info, content)
        except OSError as fault:
            raise ValueError(f"{entry.name} is not {entry.size} bytes long") from fault
        if content.read(1):
            raise ValueError(f"{entry.name} is longer than {entry.size} bytes")


def _read(stream: "_Bounded", entry_limit: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[call-overload]
        for member in _checked(tar):
            name = member.name.removeprefix("./")
            if name in files or len(files) >= entry_limit:
                raise HostileArchive("L'archive contient trop de fichiers, ou deux fois le même.")
            content = tar.extractfile(member)
            files[name] = content.read() if content else b""
    return files


def _checked(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        plain = member.isfile() and not member.issparse()
        if not plain or not is_flat_name(member.name.removeprefix("./")):
            raise HostileArchive(
                f"L'archive contient une entrée interdite (« {member.name} ») : "
                "seuls des fichiers simples, sans dossier, y sont permis."
            )
        yield member


class _Counter:
    """A sink that counts what goes through and stops beyond its limit."""

    def __init__(self, sink: BinaryIO, limit: int) -> None:
        self._sink = sink
        self._limit = limit
        self.written = 0

    def write(self, data: bytes) -> int:
        self.written += len(data)
        if self.written > self._limit:
            raise ArchiveTooLarge(
                f"L'archive dépasse {self._limit / 1024 / 1024:.0f} Mio : "
                "allégez les fichiers, ou envoyez les annexes les plus lourdes par la poste."
            )
        return self._sink.write(data)

    def flush(self) -> None:
        self._sink.flush()


class _Bounded:
    """A source that refuses to give more than its limit, however well it was compressed."""

    def __init__(self, source: gzip.GzipFile, limit: int) -> None:
        self._source = source
        self._left = limit

    def read(self, size: int) -> bytes:
        data = self._source.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise HostileArchive("L'archive, une fois décompressée, est anormalement volumineuse.")
        return data
