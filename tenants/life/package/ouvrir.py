# Ouvre un paquet sans Socle : python ouvrir.py PAQUET SORTIE.zip   (pip install cryptography)
import getpass
import hashlib
import json
import sys
import uuid

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(secret, salt, info):
    return AESGCM(HKDF(SHA256(), 32, salt, info).derive(secret))


with open(sys.argv[1], "rb") as package, open(sys.argv[2], "wb") as out:
    preamble = package.read(16384)
    head = json.loads(preamble.split(b"\n")[1])
    kdf, wrapped = head["kdf"], bytes.fromhex(head["wrapped"])
    phrase = (getpass.getpass("Phrase : ") if sys.stdin.isatty() else input()).strip()
    master = hashlib.scrypt(
        phrase.encode(),
        salt=bytes.fromhex(kdf["salt"]),
        n=kdf["n"],
        r=kdf["r"],
        p=kdf["p"],
        maxmem=2**30,
        dklen=32,
    )
    owner = uuid.UUID(head["key_id"]).bytes + b"socle-espace"
    key = derive(master, None, b"socle:data-keys").decrypt(wrapped[:12], wrapped[12:], owner)
    header = package.read(64)
    bound = b"\0socle-espace\0" + hashlib.sha256(preamble).hexdigest().encode()
    cipher = derive(key, header[25:57], b"socle:vault" + bound)
    rank, chunk = 0, package.read(1048592)
    while chunk:
        following = package.read(1048592)
        nonce = header[57:] + rank.to_bytes(4, "big") + bytes([not following])
        out.write(cipher.decrypt(nonce, chunk, header))
        rank, chunk = rank + 1, following
print("OK", sys.argv[2])
