#!/usr/bin/env python3
"""Verify an export of the journal without the software that made it.

    python3 verify.py                      the folder this file was unzipped into
    python3 verify.py export.zip           the ZIP itself, or any unzipped folder
    python3 verify.py export.zip --scellement EMPREINTE
                                           ... and that this seal, noted earlier, is still in it

Python 3.8 or later, standard library only, nothing is written, no network. Exit code 0 when every
byte agrees, 1 otherwise; what disagrees is named. LISEZ-MOI.txt explains the files and the hashes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import json
import os
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

ENTRIES = "journal.jsonl"
PRINTS = "empreintes.txt"
SEALS = "scellements.jsonl"
MANIFEST = "manifeste.json"
FORMAT = "socle-journal/1"
LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}  # left in folders by macOS and Windows
SHOWN = 50
BROKEN = (
    OSError,
    EOFError,
    RuntimeError,  # zipfile: an encrypted file, or an unknown compression
    ValueError,
    KeyError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
PRINT = re.compile(rb"([0-9]{1,18}) ([0-9a-f]{64}) ([0-9a-f]{64})\n")
HASH = re.compile(rb"[0-9a-f]{64}")


class Folder:
    """An unzipped export."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.names: list[str] = []
        for folder, _, files in os.walk(path):
            inside = os.path.relpath(folder, path)
            for name in files:
                whole = name if inside == "." else os.path.join(inside, name)
                self.names.append(whole.replace(os.sep, "/"))

    def open(self, name: str) -> BinaryIO:
        return open(os.path.join(self.path, *name.split("/")), "rb")


class Parcel:
    """The ZIP as it was delivered."""

    def __init__(self, path: str) -> None:
        self.zip = zipfile.ZipFile(path)
        self.names = [name for name in self.zip.namelist() if not name.endswith("/")]

    def open(self, name: str) -> Any:
        return self.zip.open(name)


Source = Any  # a Folder or a Parcel


class Findings:
    """What was found wrong, in the order of reading, and what was counted."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.entries = self.seals = self.files = self.pieces = self.quoted = 0
        self.journal = self.last_seal = self.last_seal_at = ""
        self.seal_hashes: set[str] = set()

    def fault(self, place: str, sentence: str) -> None:
        self.faults.append(f"{place} : {sentence}")


class Tree:
    """The right edge of the Merkle tree of RFC 6962."""

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def grown(self, leaf: bytes) -> Tree:
        peaks, width = [*self.peaks, leaf], self.size
        while width & 1:
            right = peaks.pop()
            peaks[-1] = sha256(b"\x01" + peaks[-1] + right)
            width >>= 1
        return Tree(self.size + 1, peaks)

    def root(self) -> bytes:
        if not self.peaks:
            return sha256(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\x01" + peak + root)
        return root


class Seal:
    """One sound line of scellements.jsonl. ValueError and the like when it contradicts itself."""

    def __init__(self, statement: dict[str, Any]) -> None:
        size, peaks = statement["tree_size"], bytes.fromhex(statement["peaks"])
        self.number = statement["number"]
        self.tree = Tree(size, [peaks[cut : cut + 32] for cut in range(0, len(peaks), 32)])
        if size < 1 or len(peaks) != 32 * bin(size).count("1"):
            raise ValueError(size)
        if self.tree.root().hex() != statement["root"]:
            raise ValueError(statement["root"])


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def canonical(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def read_object(raw: bytes) -> dict[str, Any] | None:
    """Return the JSON object written canonically on this line, or None."""
    try:
        value = json.loads(raw[:-1].decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and canonical(value) + b"\n" == raw else None


def read_manifest(source: Source, findings: Findings) -> dict[str, Any] | None:
    """Return the manifest's object, None when there is nothing to read in it."""
    if MANIFEST not in source.names:
        findings.fault(MANIFEST, "absent ; ce n'est pas un export complet du journal.")
        return None
    try:
        with source.open(MANIFEST) as stream:
            raw = stream.read()
        value: dict[str, Any] = json.loads(raw.decode("utf-8"))
        rest = {key: inner for key, inner in value.items() if key != "sha256"}
        names = [str(name) for name in value["files"].keys()]
    except (*BROKEN, AttributeError, TypeError):
        findings.fault(MANIFEST, "illisible, donc modifié.")
        return None
    whole = canonical({**rest, "sha256": sha256(canonical(rest)).hex()}) + b"\n"
    if whole != raw or value.get("format") != FORMAT or not names:
        findings.fault(MANIFEST, "modifié : sa propre empreinte n'est plus celle de son contenu.")
    return value


def check_files(source: Source, manifest: dict[str, Any], findings: Findings) -> None:
    """Compare every file with the SHA-256 the manifest gives, and both lists of names."""
    listed: dict[str, Any] = manifest["files"]
    seen: set[str] = set()
    for name in source.names:
        if name in seen:
            findings.fault(name, "présent deux fois dans l'export.")
        seen.add(name)
    for name in sorted(seen - set(listed) - {MANIFEST}):
        if name.rsplit("/", 1)[-1] not in LITTER:
            findings.fault(name, "ce fichier n'est pas dans le manifeste : il a été ajouté.")
    for name, expected in sorted(listed.items()):
        if name not in seen:
            findings.fault(name, "fichier absent, alors que le manifeste l'annonce.")
        elif file_hash(source, name) != expected:
            findings.fault(name, "fichier modifié : son SHA-256 n'est pas celui du manifeste.")
        else:
            findings.files += 1


def file_hash(source: Source, name: str) -> str | None:
    digest = hashlib.sha256()
    try:
        with source.open(name) as stream:
            for block in iter(lambda: stream.read(1 << 16), b""):
                digest.update(block)
    except BROKEN:
        return None
    return digest.hexdigest()


def lines(source: Source, name: str, findings: Findings) -> Iterator[bytes]:
    """Yield the lines of a file with their newline; a broken file ends with a fault."""
    if name not in source.names:
        return
    try:
        with source.open(name) as stream:
            yield from stream
    except BROKEN:
        findings.fault(name, "la lecture s'interrompt : fichier endommagé.")


def read_seals(source: Source, findings: Findings) -> Iterator[Seal]:
    """Yield each sound seal, checked against its own hash and against the seal before it."""
    before: Sequence[Any] = ["0" * 64]
    size = 0
    for number, raw in enumerate(lines(source, SEALS, findings), 1):
        place = f"{SEALS}, ligne {number} (scellement {number})"
        statement = read_object(raw)
        if statement is None:
            findings.fault(place, "illisible, donc modifié.")
            before = []
            continue
        written = statement.pop("seal_hash", None)
        found = sha256(canonical(statement)).hex()
        seal = read_seal(statement)
        if written != found:
            findings.fault(place, "modifié : son empreinte n'est plus celle de son contenu.")
        elif before and statement.get("previous_hash") not in before:
            findings.fault(place, "ne suit pas le scellement précédent : la chaîne est rompue.")
        elif seal is None or seal.number != number or seal.tree.size <= size:
            findings.fault(place, "son numéro, sa taille ou sa racine ne se suivent pas.")
        else:
            size = seal.tree.size
            remember(findings, statement, found)
            yield seal
        before = [written, found]


def read_seal(statement: dict[str, Any]) -> Seal | None:
    try:
        return Seal(statement)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def remember(findings: Findings, statement: dict[str, Any], found: str) -> None:
    findings.seals += 1
    findings.journal = str(statement.get("journal"))
    findings.last_seal, findings.last_seal_at = found, str(statement.get("sealed_at"))
    findings.seal_hashes.add(found)


def describe(number: int, raw: bytes) -> str:
    """Name a line of the journal by what can still be read in it."""
    parts = [f"écriture {number}"]
    at = re.search(rb'"at":"([^"]{1,40})"', raw)
    event = re.search(rb'.*"event":"([^"]{1,100})"', raw)  # the last one: after the detail
    if at:
        parts.append("du " + at.group(1).decode("utf-8", "replace"))
    if event:
        parts.append("« " + event.group(1).decode("utf-8", "replace") + " »")
    return f"{ENTRIES}, ligne {number} ({', '.join(parts)})"


class Replay:
    """Grows the tree line by line, and compares it with the prints and with the seals."""

    def __init__(self, source: Source, wanted: set[bytes], findings: Findings) -> None:
        self.source, self.wanted, self.findings = source, wanted, findings
        self.tree = Tree()
        self.first = 1  # the first entry under the seal to come
        self.doubt: tuple[int, bytes] | None = None  # agrees with its hash, not with its root
        self.lost = False  # the tree is known to be wrong until a root agrees again
        self.quoted: set[bytes] = set()
        self.seals = read_seals(source, findings)
        self.seal = next(self.seals, None)

    def run(self) -> None:
        pairs = itertools.zip_longest(
            lines(self.source, ENTRIES, self.findings), lines(self.source, PRINTS, self.findings)
        )
        for number, (raw, mark) in enumerate(pairs, 1):
            if raw is None:
                self.findings.fault(
                    ENTRIES,
                    f"s'arrête avant l'écriture {number}, dont {PRINTS} porte l'empreinte : "
                    "la fin du journal a été retirée.",
                )
                break
            self.findings.entries = number
            if not self.take(number, raw, mark or b""):
                break
            self.compare_with_seal()
        self.finish()

    def take(self, number: int, raw: bytes, mark: bytes) -> bool:
        """Take one line; False when what follows it can no longer be compared."""
        before = len(self.findings.faults)
        entry = read_object(raw)
        if entry and entry.get("position") != number:
            self.findings.fault(
                describe(number, raw),
                f"porte la position {entry.get('position')} au lieu de {number} : une écriture "
                "a été retirée, ajoutée ou renumérotée ; la suite n'a pas été comparée.",
            )
            return False
        self.weigh(number, raw, mark)
        if entry is None and len(self.findings.faults) == before:
            self.findings.fault(describe(number, raw), "ce n'est pas une écriture bien formée.")
        self.quoted.update(self.wanted.intersection(HASH.findall(raw)))
        return True

    def weigh(self, number: int, raw: bytes, mark: bytes) -> None:
        """Find which was touched, if one was: the line, its hash, or the root after it."""
        place = f"{PRINTS}, ligne {number}"
        leaf = sha256(b"\x00" + (raw[:-1] if raw.endswith(b"\n") else raw))
        own = other = self.tree.grown(leaf)
        match = PRINT.fullmatch(mark)
        if not match or int(match.group(1)) != number:
            self.findings.fault(place, "absente, illisible ou hors de sa place.")
            self.tree, self.lost = own, True
            return
        printed, root = (bytes.fromhex(match.group(part).decode()) for part in (2, 3))
        if printed != leaf:
            other = self.tree.grown(printed)
        if own.root() == root:
            if printed != leaf:
                self.findings.fault(place, "l'empreinte de l'écriture a été modifiée.")
            self.settle(line_is_sound=True)
        elif other.root() == root:
            self.findings.fault(
                describe(number, raw), "modifiée : son empreinte n'est pas celle qui a été scellée."
            )
            self.settle(line_is_sound=True)
            own = other
        elif printed != leaf:
            self.findings.fault(describe(number, raw), f"modifiée, ou sa ligne dans {PRINTS}.")
            self.lost = True
        elif not self.lost:
            self.doubt, self.lost = (number, raw), True
        self.tree = own

    def settle(self, *, line_is_sound: bool) -> None:
        """Say what the doubtful line was, now that a later root or a seal has decided."""
        if self.doubt:
            number, raw = self.doubt
            if line_is_sound:
                self.findings.fault(
                    f"{PRINTS}, ligne {number}", "la racine après l'écriture a été modifiée."
                )
            else:
                self.findings.fault(
                    describe(number, raw),
                    "modifiée en même temps que son empreinte : elle ne mène plus à la racine "
                    f"inscrite dans {PRINTS}.",
                )
        self.doubt, self.lost = None, False

    def compare_with_seal(self) -> None:
        if not self.seal or self.seal.tree.size != self.tree.size:
            return
        sealed = self.seal.tree
        sound = self.tree.root() == sealed.root()
        self.settle(line_is_sound=sound)
        if not sound:
            self.findings.fault(
                f"{SEALS}, scellement {self.seal.number} (écritures {self.first} à {sealed.size})",
                "la racine recalculée n'est pas celle qui a été scellée.",
            )
        self.tree, self.first = sealed, sealed.size + 1
        self.seal = next(self.seals, None)

    def finish(self) -> None:
        self.settle(line_is_sound=False)
        entries, whole = self.findings.entries, self.tree.size == self.findings.entries
        while self.seal:
            if whole:
                self.findings.fault(
                    f"{SEALS}, scellement {self.seal.number}",
                    f"porte sur {self.seal.tree.size} écritures, le journal n'en contient que "
                    f"{entries} : la fin du journal a été retirée.",
                )
            self.seal = next(self.seals, None)
        if self.first <= entries and not self.findings.faults:
            self.findings.fault(ENTRIES, f"rien ne scelle les écritures {self.first} à {entries}.")


def check_journal(source: Source, manifest: dict[str, Any], findings: Findings) -> None:
    """Replay the entries and the seals, then compare their numbers with the manifest's."""
    listed = manifest["files"].items()
    pieces = [str(digest).encode() for name, digest in listed if name.startswith("pieces/")]
    replay = Replay(source, set(pieces), findings)
    replay.run()
    findings.pieces = len(pieces)
    findings.quoted = sum(digest in replay.quoted for digest in pieces)
    found = (findings.entries, findings.seals, findings.last_seal)
    announced = tuple(manifest.get(key) for key in ("entries", "seals", "last_seal"))
    if not findings.faults and found != announced:
        findings.fault(MANIFEST, "n'annonce pas le journal que contient l'export.")
    if not findings.faults and findings.seals and manifest.get("journal") != findings.journal:
        findings.fault(MANIFEST, "ne nomme pas le journal qui a été scellé.")


def check(path: str, noted: str = "") -> Findings:
    """Verify the export at `path`, a folder or a ZIP; `noted` is a seal's hash kept elsewhere."""
    try:
        source: Source = Folder(path) if os.path.isdir(path) else Parcel(path)
    except BROKEN:
        findings = Findings()
        findings.fault(path, "ce n'est ni un dossier ni un ZIP lisible.")
        return findings
    return check_source(source, noted)


def check_source(source: Source, noted: str = "") -> Findings:
    """Verify anything with the `names` of its files and an `open` to read them as bytes."""
    findings = Findings()
    manifest = read_manifest(source, findings)
    if manifest is not None:
        check_files(source, manifest, findings)
        check_journal(source, manifest, findings)
    if noted and noted.lower() not in findings.seal_hashes:
        findings.fault(SEALS, f"le scellement noté {noted} n'y est pas : le journal a été récrit.")
    return findings


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}"


def report(findings: Findings) -> str:
    """Return the text to print, in French."""
    if findings.faults:
        text = [f"NON — {count(len(findings.faults), 'anomalie')}"]
        text += [f"  {fault}" for fault in findings.faults[:SHOWN]]
        if len(findings.faults) > SHOWN:
            text.append(f"  … et {len(findings.faults) - SHOWN} de plus.")
        return "\n".join(text)
    checked = (
        f"{count(findings.files, 'fichier')} {'vérifiés' if findings.files > 1 else 'vérifié'}"
    )
    entries, seals = count(findings.entries, "écriture"), count(findings.seals, "scellement")
    text = [f"OK — {entries}, {seals}, {checked}"]
    if findings.seals:
        text.append(f"Journal « {findings.journal} », dernier scellement {findings.last_seal_at}")
        text.append(f"Empreinte à noter hors de l'export : {findings.last_seal}")
    if findings.pieces:
        quoted = f"{findings.quoted} sur {findings.pieces}"
        text.append(f"Pièces jointes dont l'empreinte est écrite dans le journal : {quoted}")
    return "\n".join(text)


def main(arguments: Sequence[str] | None = None) -> int:
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="Vérifie un export du journal.")
    parser.add_argument("export", nargs="?", default=here, help="le ZIP, ou le dossier décompressé")
    parser.add_argument("--scellement", default="", help="empreinte d'un scellement déjà noté")
    options = parser.parse_args(arguments)
    findings = check(options.export, options.scellement)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # consoles that know neither « nor —
    sys.stdout.write(report(findings) + "\n")
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
