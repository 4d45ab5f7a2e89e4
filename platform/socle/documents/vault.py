"""Authenticated encryption of files in chunks, and the keys that open them. Pure: no Django.

A file is cut in chunks of 1 MiB, each sealed with AES-256-GCM under a key derived for that file
alone (HKDF-SHA256 over the data key, a random salt, the scope and the object). The nonce of a
chunk is a random prefix, its rank and a mark on the last one, after the STREAM construction
(Hoang, Reyhanitabar, Rogaway, Vizár, 2015): a chunk altered, moved, dropped or taken from another
file, another object or another commune does not open. Memory stays flat whatever the size.

Sealed file: header (64 bytes) then chunks, each followed by its 16-byte tag.
Header: magic ``SOCLEVLT``, version (1 byte), key id (16), salt (32), prefix (7).
"""

import hashlib
import io
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK: Final = 1024 * 1024
KEY_LENGTH: Final = 32

_MAGIC: Final = b"SOCLEVLT"
_VERSION: Final = 1
_TAG: Final = 16
_SALT: Final = 32
_PREFIX: Final = 7
HEADER: Final = len(_MAGIC) + 1 + 16 + _SALT + _PREFIX


class VaultError(Exception):
    """The vault cannot open this. Never a person's fault: it is logged and looked at."""

    for_the_desk = (
        "Le fichier gardé ne s’ouvre plus tel qu’il a été déposé : prévenez l’exploitant de la "
        "plateforme."
    )


class Tampered(VaultError):
    """The bytes are not those that were sealed for this scope and this object."""


class UnknownKey(VaultError):
    """No key at hand bears the identifier the sealed bytes name."""


@dataclass(frozen=True, slots=True)
class DataSecret:
    """The data key of one scope, in the clear. Lives in memory only and does not print itself."""

    key_id: uuid.UUID
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        return cls(uuid.uuid4(), os.urandom(KEY_LENGTH))


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key that wraps data keys. Its identifier is derived from it: the two always agree."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_LENGTH:
            raise ValueError(f"a master key has {KEY_LENGTH} bytes, not {len(self.secret)}")

    @property
    def master_id(self) -> str:
        """16 hexadecimal digits that name the key and reveal nothing of it."""
        return hashlib.sha256(b"socle master key\0" + self.secret).hexdigest()[:16]


def wrap(data: DataSecret, *, master: MasterKey, scope: str) -> bytes:
    """The data key sealed by `master` for `scope`: 12-byte nonce, then ciphertext and tag."""
    nonce = os.urandom(12)
    return nonce + _wrapping(master).encrypt(nonce, data.secret, _wrapped_for(data.key_id, scope))


def unwrap(wrapped: bytes, *, key_id: uuid.UUID, master: MasterKey, scope: str) -> DataSecret:
    """The data key `wrap` sealed. Raises Tampered if master, scope or key id is not the same."""
    try:
        secret = _wrapping(master).decrypt(wrapped[:12], wrapped[12:], _wrapped_for(key_id, scope))
    except (InvalidTag, ValueError) as fault:
        raise Tampered(f"the data key of {scope} does not open") from fault
    return DataSecret(key_id, secret)


def _wrapping(master: MasterKey) -> AESGCM:
    """The cipher that wraps data keys; the master key itself encrypts nothing."""
    return AESGCM(_derived(master.secret, salt=None, info=b"socle:data-keys"))


def _wrapped_for(key_id: uuid.UUID, scope: str) -> bytes:
    return key_id.bytes + scope.encode()


def encrypt(source: BinaryIO, *, key: DataSecret, scope: str, object_id: str) -> Iterator[bytes]:
    """Seal the rest of `source`: the header, then one sealed chunk per MiB.

    `scope` is the schema the file belongs to, `object_id` what it is (the SHA-256 of the content):
    both must be given again to open it. An empty source gives one empty chunk.
    """
    salt, prefix = os.urandom(_SALT), os.urandom(_PREFIX)
    header = b"".join((_MAGIC, bytes([_VERSION]), key.key_id.bytes, salt, prefix))
    cipher = _file_cipher(key, salt, scope, object_id)
    yield header
    for rank, chunk, last in _chunks(source, CHUNK):
        yield cipher.encrypt(_nonce(prefix, rank, last=last), chunk, header)


def decrypt(
    source: BinaryIO,
    *,
    secret_of: Callable[[uuid.UUID], DataSecret],
    scope: str,
    object_id: str,
) -> Iterator[bytes]:
    """The clear content of what `encrypt` wrote, chunk by chunk, each verified before it is given.

    The header is read and the key asked at once (`secret_of` raises UnknownKey); chunks are read
    as they are consumed. Raises Tampered: a truncated file says so only when its end is reached.
    """
    header = _read(source, HEADER)
    if len(header) != HEADER or not header.startswith(_MAGIC) or header[8] != _VERSION:
        raise Tampered("this is not a file sealed by the vault")
    salt, prefix = header[-_SALT - _PREFIX : -_PREFIX], header[-_PREFIX:]
    key = secret_of(uuid.UUID(bytes=header[9:25]))
    cipher = _file_cipher(key, salt, scope, object_id)
    return _open_chunks(source, cipher, prefix, header)


def _open_chunks(source: BinaryIO, cipher: AESGCM, prefix: bytes, header: bytes) -> Iterator[bytes]:
    for rank, chunk, last in _chunks(source, CHUNK + _TAG):
        try:
            clear = cipher.decrypt(_nonce(prefix, rank, last=last), chunk, header)
        except (InvalidTag, ValueError) as fault:
            raise Tampered(f"chunk {rank} does not open") from fault
        yield clear


class SealedReader(io.RawIOBase):
    """Random access to the clear content of what `encrypt` wrote at the end of `source`.

    `start` is where the header begins. The key is asked at once, the chunk that is read is opened
    when it is read, one is kept in memory. Raises as `decrypt`, here and while reading; a truncated
    source does not open.
    """

    def __init__(
        self,
        source: BinaryIO,
        *,
        secret_of: Callable[[uuid.UUID], DataSecret],
        scope: str,
        object_id: str,
        start: int = 0,
    ) -> None:
        self._source, self._start = source, start
        sealed = source.seek(0, io.SEEK_END) - start - HEADER
        self._count = max(1, -(-sealed // (CHUNK + _TAG)))
        self.size = sealed - self._count * _TAG
        source.seek(start)
        header = _read(source, HEADER)
        if self.size < 0 or not header.startswith(_MAGIC) or header[8] != _VERSION:
            raise Tampered("this is not a file sealed by the vault")
        self._header, self._prefix = header, header[-_PREFIX:]
        key = secret_of(uuid.UUID(bytes=header[9:25]))
        self._cipher = _file_cipher(key, header[-_SALT - _PREFIX : -_PREFIX], scope, object_id)
        self._place, self._held = 0, (-1, b"")
        self._chunk(self._count - 1)  # the mark on the last one tells a truncated source

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._place >= self.size:
            return 0
        rank, skip = divmod(self._place, CHUNK)
        part = memoryview(self._chunk(rank))[skip : skip + len(buffer)]
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)

    def _chunk(self, rank: int) -> bytes:
        if self._held[0] != rank:
            self._source.seek(self._start + HEADER + rank * (CHUNK + _TAG))
            sealed = _read(self._source, CHUNK + _TAG)
            nonce = _nonce(self._prefix, rank, last=rank == self._count - 1)
            try:
                self._held = rank, self._cipher.decrypt(nonce, sealed, self._header)
            except (InvalidTag, ValueError) as fault:
                raise Tampered(f"chunk {rank} does not open") from fault
        return self._held[1]


def sealed_size(size: int) -> int:
    """How many bytes `size` bytes take once sealed."""
    return HEADER + size + max(1, -(-size // CHUNK)) * _TAG


def _file_cipher(key: DataSecret, salt: bytes, scope: str, object_id: str) -> AESGCM:
    info = b"\0".join((b"socle:vault", scope.encode(), object_id.encode()))
    return AESGCM(_derived(key.secret, salt=salt, info=info))


def _derived(secret: bytes, *, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), length=KEY_LENGTH, salt=salt, info=info).derive(secret)


def _nonce(prefix: bytes, rank: int, *, last: bool) -> bytes:
    return prefix + rank.to_bytes(4, "big") + bytes([last])


def _chunks(source: BinaryIO, length: int) -> Iterator[tuple[int, bytes, bool]]:
    """(rank, chunk, is it the last) — at least one chunk, possibly empty."""
    rank, chunk = 0, _read(source, length)
    while following := _read(source, length):
        yield rank, chunk, False
        rank, chunk = rank + 1, following
    yield rank, chunk, True


def _read(source: BinaryIO, length: int) -> bytes:
    """Exactly `length` bytes unless the source ends: a raw stream may give fewer at a time."""
    parts: list[bytes] = []
    while length and (part := source.read(length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


class IteratorStream(io.RawIOBase):
    """A forward-only stream to read an iterable of byte strings; closes `source` with itself."""

    def __init__(self, parts: Iterable[bytes], source: BinaryIO | None = None) -> None:
        self._parts = iter(parts)
        self._source = source
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if self._source is not None and not self.closed:
            self._source.close()
        super().close()
