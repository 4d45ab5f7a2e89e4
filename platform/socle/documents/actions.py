"""Put a file in the vault, take it out.

The vault is the storage alias "vault". A file lies at ``<schema>/<aa>/<sha256>``, sealed with the
data key of its schema; it opens only in that schema and under that digest.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import BinaryIO, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import connection, transaction

from socle.core import cells
from socle.core.names import safe_name
from socle.documents import vault
from socle.documents.keys import actions as keys
from socle.documents.models import StoredFile
from socle.documents.sniff import as_stream, sniff
from socle.documents.vault import DataSecret


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file measured and named, not kept yet; `keep` writes `content` and the row."""

    stored: StoredFile
    content: BinaryIO


def store(
    *, content: bytes | BinaryIO, name: str, by: str, at: datetime, media_type: str | None = None
) -> StoredFile:
    """Keep `content` (bytes or a seekable stream, read twice) as a file of the current schema.

    See `prepare` for the parameters and `keep` for what is written.
    """
    return keep([prepare(content=content, name=name, by=by, at=at, media_type=media_type)])[0]


def prepare(
    *, content: bytes | BinaryIO, name: str, by: str, at: datetime, media_type: str | None = None
) -> Prepared:
    """Measure `content`, bytes or a seekable stream; nothing is written yet.

    `name` is what the person called it, made safe here; `by` is who deposits it, in words;
    `media_type` is sniffed from the content when not given.
    """
    stream = as_stream(content)
    media_type = media_type or sniff(stream).value
    digest, size = _measure(stream)
    stored = StoredFile(
        name=safe_name(name),
        media_type=media_type,
        size=size,
        sha256=digest,
        storage_key=f"{_folder()}/{digest[:2]}/{digest}",
        created_at=at,
        created_by_label=by,
    )
    return Prepared(stored, stream)


@transaction.atomic(savepoint=False)
def keep(prepared: Sequence[Prepared]) -> list[StoredFile]:
    """Write files to the vault and their rows, in the caller's transaction if there is one.

    Blobs are written before the rows: a rollback leaves at worst blobs nobody names, which
    `delete_orphans` removes. The rows are written in one statement.
    """
    kept = _kept(one.stored for one in prepared)
    missing = {one.stored.sha256: one for one in prepared if one.stored.sha256 not in kept}
    if missing:
        scope = _scope()
        key = keys.secret_for(scope)
        for digest, one in missing.items():
            one.content.seek(0)
            _write(one.content, key=key, scope=scope, name=one.stored.storage_key, digest=digest)
    return StoredFile.objects.bulk_create(one.stored for one in prepared)


def open_file(stored: StoredFile) -> BinaryIO:
    """A forward-only stream of the clear content; close it, or use it in a `with`.

    The key is fetched now: the stream may be read later, outside the schema. Raises UnknownKey,
    FileNotFoundError, and Tampered here or while reading: bytes are given chunk by chunk (1 MiB),
    each verified, so a truncated blob is known for such only at its end.
    """
    scope = _scope()
    blob = cast(BinaryIO, _vault().open(stored.storage_key, "rb"))
    try:
        parts = vault.decrypt(
            blob,
            secret_of=partial(keys.secret_named, scope=scope),
            scope=scope,
            object_id=stored.sha256,
        )
    except BaseException:
        blob.close()
        raise
    return io.BufferedReader(vault.IteratorStream(parts, source=blob), buffer_size=64 * 1024)


def read(stored: StoredFile) -> bytes:
    """The whole clear content, entirely verified. Raises as `open_file`."""
    with open_file(stored) as content:
        return content.read()


def put_back(*, content: BinaryIO, sha256: str) -> str:
    """Write a blob of the current schema whose row is there already; returns its storage key.

    For a restored commune: sealed again, with the data key of this deployment. The caller has
    verified that `content` has this digest.
    """
    scope, name = _scope(), f"{_folder()}/{sha256[:2]}/{sha256}"
    _write(content, key=keys.secret_for(scope), scope=scope, name=name, digest=sha256)
    return name


def remove(storage_keys: Iterable[str]) -> None:
    """Delete blobs by their keys; what is gone already stays gone."""
    for key in storage_keys:
        _vault().delete(key)


def erase_all() -> int:
    """Delete every blob of the current schema, whatever the rows say; returns how many there were.

    Killed half-way and called again, it deletes the rest.
    """
    storage, home, erased = _vault(), _folder(), 0
    for folder in _listed(storage, home)[0]:
        for name in _listed(storage, f"{home}/{folder}")[1]:
            storage.delete(f"{home}/{folder}/{name}")
            erased += 1
    return erased


def forget(stored: StoredFile) -> None:
    """Keep a file no longer: its row goes now, its bytes with `delete_orphans`.

    Only what the database itself lets go: a row that something names stays, with IntegrityError.
    """
    # Not `delete()`, which looks for relations in tables that only communes have.
    StoredFile.objects.filter(pk=stored.pk)._raw_delete(StoredFile.objects.db)


def delete_orphans(*, before: datetime) -> list[str]:
    """Delete the current schema's blobs no row names and last written before `before`; their keys.

    `before` must leave the longest deposit time to commit: a day is plenty.
    """
    storage = _vault()
    orphans = [key for key in _orphans(storage) if storage.get_modified_time(key) < before]
    for key in orphans:
        storage.delete(key)
    return orphans


def _orphans(storage: Storage) -> Iterator[str]:
    home = _folder()
    for folder in _listed(storage, home)[0]:
        known = set(
            StoredFile.objects.filter(sha256__startswith=folder).values_list(
                "storage_key", flat=True
            )
        )
        for name in _listed(storage, f"{home}/{folder}")[1]:
            if (key := f"{home}/{folder}/{name}") not in known:
                yield key


def _listed(storage: Storage, path: str) -> tuple[list[str], list[str]]:
    try:
        return storage.listdir(path)
    except FileNotFoundError:
        return [], []


def _measure(stream: BinaryIO) -> tuple[str, int]:
    """(SHA-256 in hexadecimal, number of bytes)."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(vault.CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _kept(files: Iterable[StoredFile]) -> set[str]:
    """The digests whose blob is there and named by a row, which stays until we commit our own.

    A blob without a row is written again: the transaction that wrote it may have rolled back the
    very data key it was sealed with.
    """
    wanted = {file.sha256: file.storage_key for file in files}
    rows = StoredFile.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    named = set(rows.filter(sha256__in=wanted).values_list("sha256", flat=True))
    return {digest for digest in named if _vault().exists(wanted[digest])}


def _write(stream: BinaryIO, *, key: DataSecret, scope: str, name: str, digest: str) -> None:
    sealed = vault.encrypt(stream, key=key, scope=scope, object_id=digest)
    reader = io.BufferedReader(vault.IteratorStream(sealed), buffer_size=vault.CHUNK)
    written = _vault().save(name, File(reader))
    if written != name:
        raise ImproperlyConfigured(
            f"the vault must replace a blob of the same name, but wrote {written} for {name}"
        )


def _vault() -> Storage:
    return storages["vault"]


def _scope() -> str:
    schema: str = connection.schema_name  # type: ignore[attr-defined]  # set by django-tenants
    return schema


def _folder() -> str:
    """Where the blobs of the current schema are: two servers that share a bucket share no folder.

    Both have a public schema, with a data key each: under one name, one would write over the other.
    """
    return "/".join(filter(None, (cells.mark().lower(), _scope())))
