"""The archive a collectivité sends: one flat tar.gz, opened as something that may hurt."""

import gzip
import io
import re
import tarfile
import zlib
from typing import Final

from socle.core.refusals import Refusal

#: Bytes once expanded. The norm speaks of 150 MiB compressed; PDF files hardly compress.
MAX_EXPANDED: Final = 320 * 1024 * 1024
MAX_FILES: Final = 2000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_BROKEN: Final = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


class UnreadableArchive(Refusal):
    """The bytes are not an archive that an office accepts to open."""

    code = "unreadable-archive"


def read_archive(content: bytes) -> dict[str, bytes]:
    """File name → bytes of a tar.gz, in the order of the archive. Raises `UnreadableArchive`.

    Refused: folders, links, names beyond plain ASCII, two files of one name, endless expansion.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|gz") as archive:
            return _read_members(archive)
    except _BROKEN as error:
        raise UnreadableArchive("L'archive n'est pas un fichier tar.gz lisible.") from error


def _read_members(archive: tarfile.TarFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    room = MAX_EXPANDED
    for member in archive:
        _check_member(member, files)
        room -= member.size
        if room < 0:
            raise UnreadableArchive("L'archive dépasse la taille permise une fois ouverte.")
        opened = archive.extractfile(member)
        files[member.name] = opened.read() if opened else b""
    return files


def _check_member(member: tarfile.TarInfo, files: dict[str, bytes]) -> None:
    if not member.isreg() or not _NAME.fullmatch(member.name):
        raise UnreadableArchive(
            "L'archive contient autre chose que des fichiers simples à sa racine."
        )
    if member.name in files:
        raise UnreadableArchive(f"L'archive contient deux fois le fichier {member.name}.")
    if len(files) >= MAX_FILES:
        raise UnreadableArchive("L'archive contient trop de fichiers.")
