"""A person at a browser. Every page she sees is checked, and photographed into `screens/e2e/`."""

import re
import time
import unicodedata
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    BrowserContext,
    Locator,
    Page,
    Request,
    Response,
    ViewportSize,
)

from tenants.demo import PASSWORD

REPO: Final = Path(__file__).resolve().parents[2]
ALBUM: Final = REPO / "screens" / "e2e"
WIDE: Final = ViewportSize(width=1280, height=900)
NARROW: Final = ViewportSize(width=360, height=740)
RULES: Final = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
_AXE: Final = Axe()
_numbers = count(1)


class Visitor:
    """One person in one window, on one host of ours."""

    def __init__(
        self, context: BrowserContext, origin: str, name: str, *, has_scripts: bool = True
    ) -> None:
        self.context, self.origin, self.name = context, origin, name
        self.has_scripts = has_scripts
        self.troubles: list[str] = []
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._heed)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("request", self._stay_at_home)
        self.page.on("response", self._heed_failure)

    def _heed(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"console: {message.text}")

    def _stay_at_home(self, request: Request) -> None:
        url = urlsplit(request.url)
        host = url.hostname or ""
        if url.scheme != "data" and host != "localhost" and not host.endswith(".localhost"):
            self.troubles.append(f"third party: {request.url}")

    def _heed_failure(self, response: Response) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.request.method} {response.url}")

    # Going about

    def visit(self, path: str) -> None:
        """Type an address of this host."""
        self.page.goto(self.origin + path)
        self.look()

    def follow(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Click a link; the first when several have the name."""
        self._leave_by((within or self.page).get_by_role("link", name=name).first)

    def press(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Press the button of a form and see the page that answers."""
        self._leave_by((within or self.page).get_by_role("button", name=name).first)

    def _leave_by(self, way: Locator) -> None:
        with self.page.expect_navigation(wait_until="load"):
            way.click()
        self.look()

    def fetch(self, way: Locator) -> bytes:
        """Take away the file behind a link or a button."""
        with self.page.expect_download() as waiting:
            way.click()
        return Path(waiting.value.path()).read_bytes()

    def log_in(self, email: str) -> None:
        """Come in with the password, and the code the demonstration shows."""
        self.visit("/")
        self.page.get_by_label("Adresse électronique").fill(email)
        self.page.get_by_label("Mot de passe").fill(PASSWORD)
        self.press("Continuer")
        self.page.get_by_label("Code").fill(self.page.locator("#demo-code").inner_text())
        self.press("Entrer")
        assert self.path == "/"

    @property
    def path(self) -> str:
        """Where she is, without the host."""
        return urlsplit(self.page.url).path

    def reload_until(self, shown: Callable[[], object], *, seconds: float = 60) -> None:
        """Load the page again and again until `shown()`; what comes at last is looked at."""
        limit = time.monotonic() + seconds
        while not shown():
            assert time.monotonic() < limit, f"{self.name} waited in vain at {self.page.url}"
            self.page.wait_for_timeout(500)
            self.page.reload()
        self.look()

    # Looking

    def look(self) -> None:
        """Photograph and check the page."""
        self.photograph()
        found = self._defects()
        assert found == [], f"{self.name}, {self.page.url}\n" + "\n".join(found)

    def photograph(self) -> None:
        """Keep the page as it looks, in the order of the walk."""
        title = unicodedata.normalize("NFKD", self.page.title().split(" · ")[0])
        slug = re.sub(r"[^a-z0-9]+", "-", title.encode("ascii", "ignore").decode().lower())
        ALBUM.mkdir(parents=True, exist_ok=True)
        picture = ALBUM / f"{next(_numbers):03}-{self.name.lower()}-{slug.strip('-')[:60]}.png"
        self.page.screenshot(path=picture, full_page=True)

    def _defects(self) -> list[str]:
        troubles, self.troubles = self.troubles, []
        return troubles + self.violations() + self._too_wide()

    def _too_wide(self) -> list[str]:
        """What a telephone of 360 px would show of the page only after sliding it."""
        before = self.page.viewport_size or WIDE
        self.page.set_viewport_size(NARROW)
        width = self.page.evaluate("document.documentElement.scrollWidth")
        self.page.set_viewport_size(before)
        return [f"{width} px wide on a screen of 360"] if width > NARROW["width"] else []

    def violations(self) -> list[str]:
        """What axe finds wrong with the page, one line each; axe is itself a script."""
        if not self.has_scripts:
            return []
        options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
        found = _AXE.run(self.page, options=options).response["violations"]
        return [
            f"{one['id']}: {one['help']} — {node['html'][:200]}"
            for one in found
            for node in one["nodes"][:3]
        ]

    def sees(self, text: str | re.Pattern[str]) -> bool:
        """Whether the page shows the text."""
        return self.page.get_by_text(text).first.is_visible()


def file(name: str, content: bytes, media_type: str = "application/pdf") -> Any:
    """A file to choose in a form."""
    return {"name": name, "mimeType": media_type, "buffer": content}
