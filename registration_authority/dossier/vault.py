"""Copies of identity documents: each under a key of its own, apart from all other files."""

import hashlib
import io
import uuid
from datetime import datetime
from typing import BinaryIO, Final

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction

from registration_authority.dossier.models import Clock, IdentityCopy
from socle.core import crypto
from socle.documents import vault
from socle.documents.sniff import as_stream, sniff

PURPOSE: Final = "ra.identity"
SCOPE: Final = "identity"


class Purged(Exception):
    """The copy was destroyed: only its tombstone is left."""


@transaction.atomic
def keep(content: bytes | BinaryIO, *, at: datetime) -> IdentityCopy:
    """Encrypt and keep a copy under a new key, sealed with the master key."""
    stream = as_stream(content)
    media_type = sniff(stream).value
    stream.seek(0)
    clear = stream.read()
    secret = vault.DataSecret.new()
    copy = IdentityCopy(
        media_type=media_type,
        size=len(clear),
        sha256=hashlib.sha256(clear).hexdigest(),
        key_id=secret.key_id,
        sealed_key=crypto.seal(secret.secret, purpose=PURPOSE),
        kept_at=at,
    )
    sealed = vault.encrypt(io.BytesIO(clear), key=secret, scope=SCOPE, object_id=copy.sha256)
    reader = io.BufferedReader(vault.IteratorStream(sealed), buffer_size=vault.CHUNK)
    storages["vault"].save(_place(copy.pk), File(reader))
    copy.save(force_insert=True)
    return copy


def read(copy: IdentityCopy) -> bytes:
    """The clear content, verified. Raises Purged, or `vault.Tampered`."""
    if copy.purged_at is not None:
        raise Purged(str(copy.pk))
    secret = vault.DataSecret(copy.key_id, crypto.unseal(bytes(copy.sealed_key), purpose=PURPOSE))
    with storages["vault"].open(_place(copy.pk), "rb") as blob:
        parts = vault.decrypt(
            blob,  # type: ignore[arg-type]  # Django's File reads as one
            secret_of=lambda _: secret,
            scope=SCOPE,
            object_id=copy.sha256,
        )
        return b"".join(parts)


def destroy(copy: IdentityCopy, *, clock: Clock, at: datetime) -> None:
    """Forget the key and erase the bytes; the row stays. Twice is once."""
    if copy.purged_at is None:
        copy.purged_at, copy.clock, copy.sealed_key = at, clock, b""
        copy.save(update_fields=["purged_at", "clock", "sealed_key"])
    # Erased only once the forgetting of the key is sure: a rollback must leave a readable copy.
    transaction.on_commit(lambda: storages["vault"].delete(_place(copy.pk)))


def _place(pk: uuid.UUID) -> str:
    return f"{SCOPE}/{pk.hex[:2]}/{pk.hex}"
