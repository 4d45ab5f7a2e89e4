"""The outside of a package: who may open it, and how. Pure: no Django.

A clear preamble of 16 KiB (what the file is, how a passphrase opens it, a program of thirty lines
that does it without Socle), then a ZIP sealed chunk by chunk as the vault seals files
(`socle.documents.vault`). The key of the package is random and wrapped with a key derived from the
passphrase by scrypt (RFC 7914). The digest of the preamble is part of what every chunk is sealed
for: a bit changed anywhere in the file is refused.
"""

import io
import json
import os
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from socle.core.refusals import Refusal
from socle.documents import vault
from socle.documents.vault import DataSecret, MasterKey

FORMAT: Final = "SOCLE-ESPACE/1"
PREAMBLE: Final = 16 * 1024
SCOPE: Final = "socle-espace"
COST: Final = 2**17
"""scrypt's N, with r = 8: 128 MiB and a third of a second for each passphrase tried."""
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_HERE: Final = Path(__file__).parent


class DamagedPackage(Refusal):
    """The package is not what was made: truncated, altered, or no package. Says where."""

    code = "life.damaged_package"


class WrongPassphrase(DamagedPackage):
    """The passphrase does not open the package (or its preamble was altered)."""

    code = "life.wrong_passphrase"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The preamble of a package, and the key its content is sealed with."""

    preamble: bytes
    key: DataSecret

    @property
    def digest(self) -> str:
        return sha256(self.preamble).hexdigest()

    def seal(self, content: BinaryIO) -> Iterator[bytes]:
        """The whole file: the preamble, then `content` sealed. Memory stays flat."""
        yield self.preamble
        yield from vault.encrypt(content, key=self.key, scope=SCOPE, object_id=self.digest)


def new_passphrase() -> str:
    """A passphrase of 155 random bits, to be written down by hand: eight groups of letters."""
    words = ["".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(8)]
    return "-".join(words)


def new_envelope(passphrase: str, *, about: str) -> Envelope:
    """An envelope that `passphrase` opens; `about` says in one line whose the package is."""
    key, salt = DataSecret.new(), os.urandom(16)
    wrapped = vault.wrap(key, master=_derived(passphrase, salt, COST), scope=SCOPE)
    head = {
        "format": FORMAT,
        "kdf": {"name": "scrypt", "n": COST, "r": 8, "p": 1, "salt": salt.hex()},
        "key_id": str(key.key_id),
        "wrapped": wrapped.hex(),
    }
    text = Template(_HERE.joinpath("preambule.txt").read_text("utf-8")).substitute(
        about=" ".join(about.split()),
        program=_HERE.joinpath("ouvrir.py").read_text("utf-8"),
        preamble=PREAMBLE,
    )
    raw = f"{FORMAT}\n{json.dumps(head)}\n{text}".encode()
    if len(raw) >= PREAMBLE:
        raise ValueError(f"the preamble takes {len(raw)} bytes")
    return Envelope(raw.ljust(PREAMBLE - 1, b" ") + b"\n", key)


def open_envelope(source: BinaryIO, passphrase: str) -> io.BufferedReader:
    """The clear ZIP of a package, readable at any place. Raises DamagedPackage."""
    source.seek(0)
    preamble = source.read(PREAMBLE)
    head = _head(preamble)
    try:
        kdf = head["kdf"]
        master = _derived(passphrase, bytes.fromhex(kdf["salt"]), int(kdf["n"]))
        key = vault.unwrap(
            bytes.fromhex(head["wrapped"]),
            key_id=uuid.UUID(head["key_id"]),
            master=master,
            scope=SCOPE,
        )
    except (vault.Tampered, KeyError, ValueError, TypeError) as fault:
        raise WrongPassphrase(
            "La phrase secrète n’ouvre pas ce paquet : vérifiez-la, groupe par groupe."
        ) from fault
    envelope = Envelope(preamble, key)
    try:
        clear = vault.SealedReader(
            source,
            secret_of=lambda key_id: key,
            scope=SCOPE,
            object_id=envelope.digest,
            start=PREAMBLE,
        )
    except vault.Tampered as fault:
        raise DamagedPackage(
            "Le paquet est tronqué ou a été modifié : reprenez le fichier d’origine."
        ) from fault
    return io.BufferedReader(clear, buffer_size=64 * 1024)


def _head(preamble: bytes) -> dict[str, object] | dict[str, dict[str, str]]:
    first, _, rest = preamble.partition(b"\n")
    if first != FORMAT.encode() or len(preamble) != PREAMBLE:
        raise DamagedPackage("Ce fichier n’est pas l’archive d’un espace de Socle.")
    try:
        head = json.loads(rest.partition(b"\n")[0])
    except ValueError as fault:
        raise DamagedPackage(
            "Le début du paquet a été modifié : reprenez le fichier d’origine."
        ) from fault
    if not isinstance(head, dict):
        raise DamagedPackage("Le début du paquet a été modifié : reprenez le fichier d’origine.")
    return head


def _derived(passphrase: str, salt: bytes, cost: int) -> MasterKey:
    if not 2**14 <= cost <= 2**20:  # a forged header must not take the machine's memory
        raise ValueError("scrypt's cost is not one we use")
    kdf = Scrypt(salt=salt, length=vault.KEY_LENGTH, n=cost, r=8, p=1)
    return MasterKey(kdf.derive(passphrase.strip().encode()))
