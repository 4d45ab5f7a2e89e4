"""The browser of the tests: found on the machine, or installed when that is allowed.

`python -m socle.stack.browser` finds or installs it and says which one the tests will use.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Chromium refuses its own sandbox to root, and a container's /dev/shm is too small for it.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
)
PACKAGES = ("chromium", "fonts-dejavu-core")
INSTALL_LIMIT = 600  # seconds
SENTENCE = (
    "Aucun navigateur Chromium n'a été trouvé et il n'a pas pu être installé : installez-le "
    "(sous Debian : sudo apt-get install chromium), ou donnez son chemin par CHROMIUM=…, "
    "sinon les tests dans un navigateur ne seront pas exécutés."
)


def find() -> Path | None:
    """The Chromium to use: $CHROMIUM, else one on the PATH, else the one Playwright downloaded."""
    forced = os.environ.get("CHROMIUM")
    if forced:
        return Path(forced) if os.access(forced, os.X_OK) else None
    for name in NAMES:
        if path := shutil.which(name):
            return Path(path)
    return next(_downloaded_by_playwright(), None)


def _downloaded_by_playwright() -> Iterator[Path]:
    caches = (
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH"),
        Path.home() / ".cache" / "ms-playwright",
        Path.home() / "Library" / "Caches" / "ms-playwright",
    )
    for cache in caches:
        if cache:
            yield from sorted(Path(cache).glob("chromium-*/chrome-linux*/chrome"), reverse=True)
            yield from Path(cache).glob("chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/*")


def must_not_be_skipped() -> bool:
    """Whether a test without browser is a failure rather than a skip: on continuous integration."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def install() -> Path | None:
    """Install Chromium with the system's packages, else with Playwright; None when neither can."""
    for commands in _ways():
        if all(map(_succeeds, commands)) and (path := find()):
            return path
    return None


def _ways() -> Iterator[list[list[str]]]:
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") and (not prefix or shutil.which("sudo")):
        apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        install = [*apt, "install", "-y", "--no-install-recommends", *PACKAGES]
        yield [[*apt, "update"], install]
    yield [[sys.executable, "-m", "playwright", "install", "chromium"]]


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  # our own commands, never a shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=INSTALL_LIMIT,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> int:
    """Find or install the browser, and say so; 1 when there is none where there must be one."""
    path = find()
    if path is None:
        sys.stdout.write("Installation du navigateur des tests…\n")
        sys.stdout.flush()
        path = install()
    sys.stdout.write(f"Navigateur des tests : {path}\n" if path else SENTENCE + "\n")
    return 1 if path is None and must_not_be_skipped() else 0


if __name__ == "__main__":
    sys.exit(main())
