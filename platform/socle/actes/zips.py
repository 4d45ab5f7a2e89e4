"""A ZIP of acts, opened with suspicion: flat or not, a few hundred files, no bomb. Pure."""

import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from socle.actes import policies
from socle.core.names import safe_name

EXPANDED: Final = 600 * 1024 * 1024
_UTF8: Final = 0x800
_LITTER: Final = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"})
_BLOCK: Final = 1024 * 1024
_IN_MEMORY: Final = 8 * 1024 * 1024
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def files_in(content: BinaryIO, *, name: str) -> Iterator[tuple[str, BinaryIO]]:
    """The files of a ZIP: last part of their name and content, in the order of the names.

    Folders and the hidden files of desktops are passed over; a path is never followed. One file is
    open at a time. Raises BadZip (unreadable, locked, too much once expanded) or TooManyFiles.
    """
    try:
        content.seek(0)
        with zipfile.ZipFile(content) as archive:
            yield from _files(archive, name)
    except _BROKEN as fault:
        raise policies.BadZip(
            f"« {safe_name(name)} » n’est pas un ZIP lisible, ou il est protégé par un mot de "
            "passe : refaites-le, ou déposez ses fichiers un par un."
        ) from fault


def _files(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[str, BinaryIO]]:
    entries = [(_name_of(one), one) for one in archive.infolist()]
    entries = [(called, one) for called, one in entries if _is_file(called, one)]
    if len(entries) > policies.BATCH_LIMIT:
        raise policies.TooManyFiles(
            f"« {safe_name(name)} » contient {len(entries)} fichiers : un lot en compte "
            f"{policies.BATCH_LIMIT} au plus, faites-en plusieurs."
        )
    room = EXPANDED
    for called, entry in sorted(entries, key=lambda one: one[0]):
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as out:
            with archive.open(entry) as source:
                while block := source.read(_BLOCK):
                    room -= len(block)
                    if room < 0:
                        raise policies.BadZip(
                            f"« {safe_name(name)} » contient trop de données une fois ouvert : "
                            "déposez-le en plusieurs fois."
                        )
                    out.write(block)
            out.seek(0)
            yield safe_name(called), out


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The name as its writer meant it, accents composed.

    Without the flag of UTF-8 (bit 11) the format says cp437, which nobody writes: macOS writes
    UTF-8, decomposed, and French Windows cp850.
    """
    name = entry.filename
    if not entry.flag_bits & _UTF8:
        written = entry.orig_filename.encode("cp437")
        try:
            name = written.decode()
        except UnicodeDecodeError:
            name = written.decode("cp850")
    return unicodedata.normalize("NFC", name)


def _is_file(called: str, entry: zipfile.ZipInfo) -> bool:
    """Whether it is a file somebody put there; desktops leave their own beside."""
    *folders, last = called.replace("\\", "/").split("/")
    left_by_desktop = last.lower() in _LITTER or last.startswith((".", "~$"))
    return not (entry.is_dir() or not last or left_by_desktop or "__MACOSX" in folders)
