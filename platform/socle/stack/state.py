"""The state directory: one owner at a time, secrets only its owner can read."""

import fcntl
import os
import shutil
import stat
from pathlib import Path
from typing import IO

from socle.core.refusals import Refusal

LOG_LIMIT = 5_000_000  # bytes after which the next start sets a log aside


class AlreadyInUse(Refusal):
    """Another process holds the lock of this directory."""

    code = "stack.already_in_use"


class NotOurs(Refusal):
    """The directory was made by another user."""

    code = "stack.not_ours"


def make_private(directory: Path) -> Path:
    """Create `directory` if it is missing, closed to other users, and return it.

    Root lets other users walk through (0711), because its PostgreSQL runs as `nobody`.
    Raises `NotOurs` when another user made it: half of its files would be closed to us.
    """
    if not directory.is_dir():
        directory.mkdir(parents=True)
        directory.chmod(0o700)
    if (owner := directory.stat().st_uid) != os.geteuid():
        raise NotOurs(
            f"Le dossier {directory} appartient à un autre compte (uid {owner}) : lancez la "
            "commande avec ce compte, ou supprimez ce dossier."
        )
    if owner == 0:
        directory.chmod(directory.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    return directory


def write_private(path: Path, text: str) -> None:
    """Write `text` (UTF-8) into `path`, readable by its owner only (0600), all or nothing."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def kept_secret(path: Path, fresh: str) -> str:
    """The secret kept in `path`; `fresh` is stored there first when there is none yet."""
    if not path.exists():
        write_private(path, fresh)
    return path.read_text(encoding="utf-8")


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to, readable by its owner only; one that grew too big becomes `.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_name(path.name + ".1"))
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.lseek(handle, 0, os.SEEK_END)
    return os.fdopen(handle, "ab")


def erase(directory: Path) -> None:
    """Delete `directory`, and the directory it points to when it is a symbolic link."""
    if directory.is_symlink():
        shutil.rmtree(directory.resolve(), ignore_errors=True)
        directory.unlink()
    else:
        shutil.rmtree(directory, ignore_errors=True)


def reachable_by_others(path: Path) -> bool:
    """Whether a user who owns nothing there may walk through every directory above `path`."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


class Lock:
    """An exclusive lock on a file, released by the kernel whatever happens to its holder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock at once, or raise `AlreadyInUse`."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise AlreadyInUse(
                f"Le dossier {self.path.parent} sert déjà à une autre instance en marche : "
                "arrêtez-la d'abord, ou choisissez un autre dossier."
            ) from None
        self._handle = handle

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
