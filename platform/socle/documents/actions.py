"""Put a file in the vault, take it out.

The vault is the storage alias "vault". A file lies at ``<schema>/<aa>/<sha256>``, sealed with the
data key of its schema; it opens only in that schema and under that digest.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import BinaryIO, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db import connection, transaction

from socle.core import cells
from socle.documents import vault
from socle.documents.keys import actions as keys
from socle.documents.models import StoredFile
from socle.documents.names import safe_name
from socle.documents.sniff import as_stream, sniff


@transaction.atomic
def store(
    *, content: bytes | BinaryIO, name: str, by: str, at: datetime, media_type: str | None = None
) -> StoredFile:
    """Keep `content` (bytes or a seekable stream, read twice) as a file of the current schema.

    `name` is what the person called it, made safe here; `by` is who deposits it, in words;
    `media_type` is sniffed from the content when not given. The blob is written before the row: a
    rollback leaves at worst a blob nobody names, which `delete_orphans` removes.
    """
    stream = as_stream(content)
    media_type = media_type or sniff(stream).value
    digest, size = _measure(stream)
    key = f"{_folder()}/{digest[:2]}/{digest}"
    if not _is_kept(digest, key):
        stream.seek(0)
        _write(stream, key=key, digest=digest)
    return StoredFile.objects.create(
        name=safe_name(name),
        media_type=media_type,
        size=size,
        sha256=digest,
        storage_key=key,
        created_at=at,
        created_by_label=by,
    )


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
    key = f"{_scope()}/{sha256[:2]}/{sha256}"
    _write(content, key=key, digest=sha256)
    return key


def remove(storage_keys: Iterable[str]) -> None:
    """Delete blobs by their keys; what is gone already stays gone."""
    for key in storage_keys:
        _vault().delete(key)


def erase_all() -> int:
    """Delete every blob of the current schema, whatever the rows say; returns how many there were.

    Killed half-way and called again, it deletes the rest.
    """
    storage, scope, erased = _vault(), _scope(), 0
    for folder in _listed(storage, scope)[0]:
        for name in _listed(storage, f"{scope}/{folder}")[1]:
            storage.delete(f"{scope}/{folder}/{name}")
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


def _is_kept(digest: str, key: str) -> bool:
    """Whether the blob is there and named by a row, which stays until we commit our own.

    A blob without a row is written again: the transaction that wrote it may have rolled back the
    very data key it was sealed with.
    """
    rows = StoredFile.objects.select_for_update(of=("self",), no_key=True)
    return rows.filter(sha256=digest).first() is not None and _vault().exists(key)


def _write(stream: BinaryIO, *, key: str, digest: str) -> None:
    scope = _scope()
    sealed = vault.encrypt(stream, key=keys.secret_for(scope), scope=scope, object_id=digest)
    reader = io.BufferedReader(vault.IteratorStream(sealed), buffer_size=vault.CHUNK)
    written = _vault().save(key, File(reader))
    if written != key:
        raise ImproperlyConfigured(
            f"the vault must replace a blob of the same name, but wrote {written} for {key}"
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
