"""A commune's software, which knows S²LOW and nothing of Socle."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from socle.accounts.models import Person
from tenants.api import actions
from tests.actes import conftest as acts
from tests.actes.conftest import AT, PDF
from tests.people import in_town

secretary, right, classification = acts.secretary, acts.right, acts.classification

BOUNDARY = "----------------------------4ebf00fbcf09"
FIELDS = {
    "api": "1",
    "nature_code": "1",
    "number": "2026_017",
    "subject": "Règlement intérieur de la salle",
    "decision_date": "2026-11-20",
    "type_acte": "99_DE",
    "classif1": "5",
    "classif2": "2",
}


@dataclass
class Software:
    """Writes its requests by hand, as the curl of PASTELL does: unquoted names, Latin-1."""

    browser: Client
    authorization: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    encoding: str = "iso-8859-1"

    def get(self, path: str, **query: object) -> Any:
        return self.browser.get(path, {k: str(v) for k, v in query.items()}, **self._headers())

    def post(
        self, path: str, fields: dict[str, Any], files: list[tuple[str, str, bytes]] | None = None
    ) -> Any:
        parts = []
        for name, value in fields.items():
            for one in value if isinstance(value, list) else [value]:
                head = f"Content-Disposition: form-data; name={name}\r\n\r\n"
                parts.append(head.encode() + str(one).encode(self.encoding))
        for name, file, content in files or []:
            head = f"Content-Disposition: form-data; name={name}; filename={file}\r\n"
            kind = "Content-Type: application/octet-stream\r\n\r\n"
            parts.append(head.encode(self.encoding) + kind.encode() + content)
        start = f"--{BOUNDARY}\r\n".encode()
        body = b"".join(start + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return self.browser.generic("POST", path, body, content_type=kind, **self._headers())

    def create(self, files: Any = None, **changes: Any) -> Any:
        """Deposit the usual act, changed where the test wants."""
        path = "/modules/actes/actes_transac_create.php"
        fields = {k: v for k, v in {**FIELDS, **changes}.items() if v is not None}
        return self.post(path, fields, files or [("acte_pdf_file", "delib.pdf", PDF)])

    def _headers(self) -> dict[str, str]:
        basic = {"HTTP_AUTHORIZATION": self.authorization} if self.authorization else {}
        return basic | self.headers


def lines(answer: Any) -> list[str]:
    """The lines of a text answer, which is never anything but 200 and Latin-1."""
    assert answer.status_code == 200
    return content(answer).decode("iso-8859-1").split("\n")


def content(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def basic(login: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{secret}".encode()).decode()


@pytest.fixture
def software_of(town: Any) -> Callable[[Person], Software]:
    """Open an access in somebody's name."""

    def make(who: Person, name: str = "Berger-Levrault") -> Software:
        access, secret = actions.open_access(
            organisation=town.organisation, software=name, by=who, at=AT
        )
        return Software(in_town(town), basic(access.login, secret))

    return make


@pytest.fixture
def software(
    software_of: Callable[[Person], Software], secretary: Person, right: Any, classification: Any
) -> Software:
    """The software of the secretary, in a commune where nothing prevents a deposit."""
    return software_of(secretary)
