"""A sender's socket: the smallest HTTP client that can be wrong on purpose."""

import http.client
import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

TOKEN = "correct-horse-battery"
PATIENCE = 8.0

T = TypeVar("T")


class Answer(NamedTuple):
    status: int
    content: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Asks one server, one connection per request."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self._host, self._port = urlsplit(url).hostname or "", urlsplit(url).port
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def deposit(self, name: str, content: bytes, kind: str = "actes") -> Answer:
        return self.ask("POST", f"/{kind}/depots/{quote(name, safe='')}", content)

    def deposited(self, name: str, kind: str = "actes") -> Answer:
        return self.ask("GET", f"/{kind}/depots/{quote(name, safe='')}")

    def returns(self, after: int = 0, limit: int = 50) -> list[dict[str, Any]]:
        found = self.ask("GET", f"/retours?after={after}&limit={limit}").json
        assert isinstance(found, list)
        return found

    def counters(self) -> dict[str, Any]:
        return dict(self.ask("GET", "/compteurs").json)

    def break_down(self, mode: object) -> Answer:
        return self.ask("POST", "/pannes", json.dumps({"mode": mode}).encode())

    def wait_for_returns(self, count: int) -> list[dict[str, Any]]:
        return wait(lambda: self.returns(limit=500), lambda found: len(found) >= count)

    def wait_until_treated(self) -> None:
        """Until no deposit waits for the clerk any more."""
        wait(self.counters, lambda one: not any(k["waiting"] for k in one["kinds"].values()))


def wait(question: Callable[[], T], enough: Callable[[T], bool]) -> T:
    """Ask again until the answer is enough; fails when patience ends."""
    end = time.monotonic() + PATIENCE
    while not enough(found := question()):
        assert time.monotonic() < end, f"still {found!r}"
        time.sleep(0.02)
    return found
