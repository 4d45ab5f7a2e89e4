"""The stack and the browser, started once for the package, stopped when its tests are done."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from socle.stack import ports
from socle.stack.browser import ARGUMENTS, SENTENCE, find, must_not_be_skipped
from tenants.demo import email_of
from tests.e2e.stack import Stack, running
from tests.e2e.visitor import ALBUM, WIDE, Visitor

Welcome = Callable[..., Visitor]


@pytest.fixture(scope="package")
def chromium() -> Path:
    """The browser's program. Without one: skipped, or failed on continuous integration."""
    path = find()
    if path is None:
        (pytest.fail if must_not_be_skipped() else pytest.skip)(SENTENCE)
    return path


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """The whole real stack, loaded with the demonstration; its logs are kept with the pictures."""
    state = Path(tempfile.mkdtemp(prefix="socle-e2e-")).resolve()
    state.chmod(0o711)
    shutil.rmtree(ALBUM, ignore_errors=True)
    try:
        with running(state, ports.free_port()) as started:
            yield started
    finally:
        shutil.copytree(state / "log", ALBUM / "log", dirs_exist_ok=True)
        shutil.rmtree(state, ignore_errors=True)


# Not for the session: while Playwright runs in a thread, Django refuses the database to it.
@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    """One browser for all persons, each in a context of her own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield started
        started.close()


@pytest.fixture(scope="package")
def stranger(browser: Browser, stack: Stack) -> Iterator[Welcome]:
    """Somebody who has not come in yet: `stranger("melle", java_script_enabled=False)`."""
    opened = []

    def welcome(place: str = "", name: str = "visiteur", **options: object) -> Visitor:
        given = {"viewport": WIDE, "locale": "fr-FR", "timezone_id": "Europe/Paris"} | options
        context = browser.new_context(**given)
        opened.append(context)
        has_scripts = bool(options.get("java_script_enabled", True))
        return Visitor(context, stack.origin(place), name, has_scripts=has_scripts)

    yield welcome
    for context in opened:
        context.close()


@pytest.fixture(scope="package")
def come_in(stranger: Welcome) -> Welcome:
    """A person of the demonstration, logged in: `come_in("Claire", "melle")`.

    She gives her password and her code once; other windows of hers use the same session.
    """
    sessions: dict[tuple[str, str], StorageState] = {}

    def welcome(name: str, place: str = "", **options: object) -> Visitor:
        if (name, place) not in sessions:
            first = stranger(place, name)
            first.log_in(email_of(name))
            sessions[name, place] = first.context.storage_state()
        return stranger(place, name, storage_state=sessions[name, place], **options)

    return welcome
