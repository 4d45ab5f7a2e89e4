"""A ZIP of acts, opened with suspicion: flat or not, a few hundred files, no bomb. Pure."""

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from socle.actes import policies
from socle.core.names import safe_name

EXPANDED: Final = 600 * 1024 * 1024
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
    entries = [one for one in archive.infolist() if _is_file(one)]
    if len(entries) > policies.BATCH_LIMIT:
        raise policies.TooManyFiles(
            f"« {safe_name(name)} » contient {len(entries)} fichiers : un lot en compte "
            f"{policies.BATCH_LIMIT} au plus, faites-en plusieurs."
        )
    room = EXPANDED
    for entry in sorted(entries, key=lambda one: one.filename):
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
            yield safe_name(entry.filename), out


def _is_file(entry: zipfile.ZipInfo) -> bool:
    last = entry.filename.rsplit("/", 1)[-1]
    hidden = last.startswith(".") or entry.filename.startswith("__MACOSX/")
    return not entry.is_dir() and not hidden and last.lower() != "thumbs.db"
