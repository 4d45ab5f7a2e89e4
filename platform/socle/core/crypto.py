"""Small secrets at rest: sealed with a key derived from the master key for one purpose.

Each room names its sealed columns in `register`, so that a new master key reaches all of them.
"""

import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE: Final = 12


class CannotUnseal(Exception):
    """The sealed bytes were altered, or sealed under another key or purpose."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of the public schema that holds the result of `seal`, or nothing (no bytes)."""

    model: str
    """`app_label.Model`."""
    field: str
    purpose: str


_columns: dict[tuple[str, str], SealedColumn] = {}


def register(model: str, field: str, *, purpose: str) -> None:
    """Make a sealed column known to the rotation of the master key; twice is once."""
    _columns[model, field] = SealedColumn(model, field, purpose)


def sealed_columns() -> list[SealedColumn]:
    """Every sealed column of the rooms that are installed, in order of model and field."""
    return [_columns[key] for key in sorted(_columns)]


def seal(plain: bytes, *, purpose: str) -> bytes:
    """Encrypt `plain` (AES-256-GCM) for `purpose`, which must be named again to open it."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher(settings.MASTER_KEY, purpose).encrypt(nonce, plain, purpose.encode())


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """The bytes given to `seal`, under the current master key or the previous one.

    Raises CannotUnseal.
    """
    for key in filter(None, (settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS)):
        plain = _open(sealed, key, purpose)
        if plain is not None:
            return plain
    raise CannotUnseal(purpose)


def is_current(sealed: bytes, *, purpose: str) -> bool:
    """Whether the present master key alone opens `sealed`."""
    return _open(sealed, settings.MASTER_KEY, purpose) is not None


def _open(sealed: bytes, key: bytes, purpose: str) -> bytes | None:
    try:
        return _cipher(key, purpose).decrypt(sealed[:NONCE], sealed[NONCE:], purpose.encode())
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        return None


def _cipher(master: bytes, purpose: str) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=None, info=f"socle:{purpose}".encode()).derive(master)
    return AESGCM(derived)
