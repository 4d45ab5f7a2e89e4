"""The exercise operator as the corridor sees it: HTTP over a real socket, no memory in common."""

import http.client
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlsplit

from django.conf import settings

from socle.delivery.adapters import OperatorRefused, OperatorUnavailable, Return
from socle.delivery.models import TransmissionOperator

TIMEOUT: Final = 20.0
"""Seconds without a byte before the operator counts as silent."""
PAGE: Final = 50


class ExerciseAdapter:
    """One account at the exercise operator."""

    def __init__(self, operator: TransmissionOperator) -> None:
        self.operator = operator
        self.url = urlsplit(settings.EXERCISE_URL)
        self.token = settings.EXERCISE_TOKEN

    def send(self, *, protocol: str, name: str, content: BinaryIO, size: int) -> None:
        """POST the bytes, streamed."""
        path = f"/{protocol}/depots/{quote(name)}"
        status, answer = self._ask("POST", path, content, {"Content-Length": str(size)})
        if 400 <= status < 500:
            raise OperatorRefused(
                f"L’opérateur d’exercice n’a pas pris « {name} » : {_sentence(answer, status)}"
            )
        if status != 200 or "sha256" not in _json(answer):
            raise OperatorUnavailable(f"status {status}")

    def find(self, *, protocol: str, name: str) -> str | None:
        """Ask whether `name` arrived."""
        status, answer = self._ask("GET", f"/{protocol}/depots/{quote(name)}")
        if status == 404:
            return None
        if status != 200:
            raise OperatorUnavailable(f"status {status}")
        return str(_json(answer)["sha256"])

    def returns(self) -> Iterator[Return]:
        """List page by page what waits."""
        after = 0
        while page := self._listing(after):
            for item in page:
                yield Return(str(item["id"]), item["kind"], item["name"])
            after = max(int(item["id"]) for item in page)

    def fetch(self, external_id: str) -> bytes:
        """The raw bytes of one return."""
        status, answer = self._ask("GET", f"/retours/{external_id}")
        if status != 200:
            raise OperatorUnavailable(f"status {status}")
        return answer

    def acknowledge(self, external_id: str) -> None:
        """Say that we keep it."""
        status, _ = self._ask("DELETE", f"/retours/{external_id}")
        if status not in {200, 204, 404}:
            raise OperatorUnavailable(f"status {status}")

    def _listing(self, after: int) -> list[dict[str, Any]]:
        status, answer = self._ask("GET", f"/retours?after={after}&limit={PAGE}")
        found = _parse(answer) if status == 200 else None
        if not isinstance(found, list):
            raise OperatorUnavailable(f"status {status}")
        return found

    def _ask(
        self,
        method: str,
        path: str,
        body: BinaryIO | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(
            self.url.hostname or "", self.url.port, timeout=TIMEOUT
        )
        try:
            connection.request(
                method,
                path,
                body,
                {"Authorization": f"Bearer {self.token}", **(headers or {})},
            )
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise OperatorUnavailable(str(problem)) from problem
        finally:
            connection.close()


def _parse(answer: bytes) -> Any:
    """What the answer says; a page in HTML is no answer."""
    try:
        return json.loads(answer)
    except ValueError as problem:
        raise OperatorUnavailable("not JSON") from problem


def _json(answer: bytes) -> dict[str, Any]:
    found = _parse(answer)
    return found if isinstance(found, dict) else {}


def _sentence(answer: bytes, status: int) -> str:
    try:
        return str(json.loads(answer)["erreur"])
    except (ValueError, KeyError, TypeError):
        return f"réponse {status}."
