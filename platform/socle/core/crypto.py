"""Small secrets at rest: sealed with a key derived from the master key for one purpose."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE: Final = 12


class CannotUnseal(Exception):
    """The sealed bytes were altered, or sealed under another key or purpose."""


def seal(plain: bytes, *, purpose: str) -> bytes:
    """Encrypt `plain` (AES-256-GCM) for `purpose`, which must be named again to open it."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher(settings.MASTER_KEY, purpose).encrypt(nonce, plain, purpose.encode())


def unseal(sealed: bytes, *, purpose: str) -> bytes:
    """The bytes given to `seal`, under the current master key or the previous one.

    Raises CannotUnseal.
    """
    for key in filter(None, (settings.MASTER_KEY, settings.MASTER_KEY_PREVIOUS)):
        try:
            cipher = _cipher(key, purpose)
            return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], purpose.encode())
        except InvalidTag:
            continue
    raise CannotUnseal(purpose)


def _cipher(master: bytes, purpose: str) -> AESGCM:
    derived = HKDF(SHA256(), 32, salt=None, info=f"socle:{purpose}".encode()).derive(master)
    return AESGCM(derived)
