"""The inside of a package: a ZIP whose last member lists every other with its SHA-256. Pure.

Written as a stream, nothing is held but the list; read at any place through the envelope.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Final, Self

from socle.documents.vault import IteratorStream, Tampered
from tenants.life.package.envelope import DamagedPackage, open_envelope

MANIFEST: Final = "manifeste.json"
FORMAT: Final = "socle-espace/1"
BLOCK: Final = 1024 * 1024
_TIME: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the package; `packed` content is not compressed again."""

    name: str
    blocks: Iterable[bytes]
    packed: bool = False


Listed = dict[str, dict[str, Any]]


def pack(members: Iterable[Member], *, manifest: Callable[[Listed], bytes]) -> Iterator[bytes]:
    """The ZIP of `members`, block by block, then of the manifest.

    `manifest` is given the size and SHA-256 of every member when all went by, and returns the text
    of the manifest (see `manifest_text`). ValueError for two members of one name.
    """
    sink = _Sink()
    listed: Listed = {}
    with zipfile.ZipFile(sink, "w") as archive:
        for member in members:
            if member.name in listed:
                raise ValueError(f"two members called {member.name}")
            digest, size = hashlib.sha256(), 0
            info = _info(member.name, packed=member.packed)
            with archive.open(info, "w", force_zip64=True) as out:
                for block in member.blocks:
                    digest.update(block)
                    size += len(block)
                    out.write(block)
                    yield sink.take()
            listed[member.name] = {"sha256": digest.hexdigest(), "size": size}
        archive.writestr(_info(MANIFEST), manifest(listed))
    yield sink.take()


def manifest_text(facts: dict[str, Any], listed: Listed) -> bytes:
    """The manifest that says `facts` and lists the members."""
    text = {"format": FORMAT, **facts, "members": listed}
    return json.dumps(text, ensure_ascii=False, indent=1).encode()


def _info(name: str, *, packed: bool = False) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    return info


class _Sink(io.RawIOBase):
    """Where the ZIP is written: a list that is emptied after each block."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self._parts.append(bytes(block))
        return len(block)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def as_stream(blocks: Iterable[bytes]) -> io.BufferedReader:
    """A forward-only stream of blocks."""
    return io.BufferedReader(IteratorStream(blocks), buffer_size=BLOCK)


class Package:
    """An open package. Every method that reads may raise DamagedPackage."""

    def __init__(self, clear: BinaryIO) -> None:
        try:
            self._zip = zipfile.ZipFile(clear)
            raw = self._zip.read(MANIFEST)
            self.manifest: dict[str, Any] = json.loads(raw)
            self.members: dict[str, dict[str, Any]] = self.manifest["members"]
        except (*_BROKEN, KeyError, TypeError) as fault:
            raise DamagedPackage("Le paquet n’a pas de manifeste lisible.") from fault
        if self.manifest.get("format") != FORMAT:
            raise DamagedPackage("Le paquet est d’un format que cette version ne connaît pas.")
        self.manifest_sha256 = hashlib.sha256(raw).hexdigest()

    @classmethod
    def opened(cls, source: BinaryIO, passphrase: str) -> Self:
        """Open the package `source` with its passphrase. Raises WrongPassphrase too."""
        return cls(open_envelope(source, passphrase))  # type: ignore[arg-type]

    def check(self) -> None:
        """Read every member once and compare it with the manifest; none may lack or be added."""
        present = [name for name in self._zip.namelist() if name != MANIFEST]
        odd = set(present) ^ self.members.keys()
        if odd or len(present) != len(set(present)):
            name = min(odd, default="une pièce en double")
            raise DamagedPackage(f"Le paquet et son manifeste ne s’accordent pas : {name}.")
        for name, wanted in self.members.items():
            digest, size = hashlib.sha256(), 0
            with self.open(name) as member:
                while block := self._read(member, name):
                    digest.update(block)
                    size += len(block)
            if (digest.hexdigest(), size) != (wanted["sha256"], wanted["size"]):
                raise DamagedPackage(f"« {name} » a été modifié : le paquet est refusé.")

    def open(self, name: str) -> IO[bytes]:
        """The content of one member."""
        try:
            return self._zip.open(name)
        except (*_BROKEN, KeyError) as fault:
            raise DamagedPackage(f"« {name} » ne s’ouvre pas.") from fault

    def lines(self, name: str) -> Iterator[dict[str, str | None]]:
        """The rows of a table, as they were written: a text or nothing for each column."""
        with self.open(name) as member:
            for line in member:
                yield json.loads(line)

    @staticmethod
    def _read(member: IO[bytes], name: str) -> bytes:
        try:
            return member.read(BLOCK)
        except _BROKEN as fault:
            raise DamagedPackage(f"« {name} » a été modifié : le paquet est refusé.") from fault


_BROKEN: Final = (Tampered, OSError, EOFError, ValueError, zipfile.BadZipFile, RuntimeError)
