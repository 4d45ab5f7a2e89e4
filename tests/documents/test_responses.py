from typing import Any

import pytest
from django_tenants.utils import schema_context

from socle.documents import actions
from socle.documents.models import StoredFile
from socle.documents.responses import download


@pytest.fixture
def stored(town: Any, noon: Any) -> StoredFile:
    return actions.store(
        content=b"%PDF-" + b"x" * 3_000_000, name="délib n°1.pdf", by="Moi", at=noon
    )


def test_the_content_is_streamed_in_clear(stored: StoredFile) -> None:
    response = download(stored)

    assert b"".join(response) == b"%PDF-" + b"x" * 3_000_000
    assert response["Content-Length"] == "3000005"
    assert response["Content-Type"] == "application/pdf"


def test_it_is_streamed_after_the_request_left_the_schema(stored: StoredFile) -> None:
    response = download(stored)

    with schema_context("public"):
        assert len(b"".join(response)) == stored.size


def test_the_name_is_written_for_every_browser(stored: StoredFile) -> None:
    expected = "attachment; filename*=utf-8''d%C3%A9lib%20n%C2%B01.pdf"
    assert download(stored)["Content-Disposition"] == expected


@pytest.mark.parametrize("name", ['a"; filename=b.exe', "a\r\nX-Evil: 1"])
def test_a_name_cannot_add_anything_to_the_header(stored: StoredFile, name: str) -> None:
    header = download(stored, name=name)["Content-Disposition"]

    assert "\r" not in header
    assert "\n" not in header
    assert header.count("filename") == 1 or r"\"; filename" in header


def test_the_browser_may_not_run_guess_or_keep_it(stored: StoredFile) -> None:
    response = download(stored)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-store"
