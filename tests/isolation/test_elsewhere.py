"""Tasks, files, caches, exports and searches: the ways around a page."""
# ruff: noqa: S608 -- hostile and generated SQL is what is tested here.

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django_tenants.utils import schema_context

from socle.core.queue import in_tenant
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.vault import UnknownKey
from tests.isolation.canaries import CANARY, Planted
from tests.people import Browser, in_town, on_portal

REPO = Path(__file__).resolve().parents[2]


def test_a_task_runs_under_the_role_of_its_commune(melle: Any, neighbour: Any) -> None:
    @in_tenant
    def ask(question: str) -> Any:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]

    assert ask("SELECT current_user::text", schema=melle.schema_name) == melle.schema_name
    with pytest.raises(DatabaseError, match="permission denied"):
        ask(f"SELECT count(*) FROM {neighbour.schema_name}.actes_act", schema=melle.schema_name)


def test_a_task_of_the_portal_keeps_the_platforms_role(portal: Any) -> None:
    @in_tenant
    def who() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user::text")
            return cursor.fetchone()[0]

    assert who(schema="public") == "socle_web"


def test_a_file_of_the_neighbour_does_not_open_with_our_key(
    planted: Planted, melle: Any, neighbour: Any, noon: Any
) -> None:
    with schema_context(neighbour.schema_name):
        theirs = StoredFile.objects.get(pk=planted.keys["documents.StoredFile"][0])
        assert documents.read(theirs) == CANARY.encode()
    from socle.core import fences

    with fences.inside(melle.schema_name):
        with transaction.atomic():
            documents.store(content=b"le notre", name="a.txt", by="tests", at=noon)
        assert not StoredFile.objects.filter(pk=theirs.pk).exists()
        with pytest.raises(UnknownKey):
            documents.read(theirs)


def test_the_parcel_of_the_neighbour_is_not_given_away(
    browser: Browser, agent: Any, neighbour: Any
) -> None:
    address = f"/journal/exports/{neighbour.schema_name}/"
    for visitor in (browser, on_portal(agent)):
        assert visitor.get(address).status_code in (403, 404)
        assert visitor.post(address, {"reason": "curiosité"}).status_code in (403, 404)


@pytest.mark.parametrize("page", ["/actes/", "/helios/", "/journal/"])
@pytest.mark.parametrize("word", [CANARY, "ygène", "%", "_"])
def test_no_search_finds_the_neighbour(
    planted: Planted, browser: Browser, page: str, word: str
) -> None:
    answer = browser.get(page, {"q": word, "event": word, "recherche": word})
    rows = answer.content.decode().replace(f'value="{word}"', "").replace(f"« {word} »", "")
    assert CANARY not in rows


def test_her_session_is_worth_nothing_on_the_neighbours_host(
    browser: Browser, neighbour: Any
) -> None:
    stranger = in_town(neighbour)
    stranger.cookies = browser.cookies
    answer = stranger.get("/actes/")
    assert answer.status_code in (302, 403)


def test_nothing_is_kept_in_a_cache_that_communes_would_share() -> None:
    found = subprocess.run(
        [
            "grep",
            "-rlE",
            r"django\.core\.cache|cache_page|lru_cache|functools import cache",
            "--include=*.py",
            "platform/socle",
            "tenants",
            "billing",
            "training",
            "registration_authority",
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    assert set(found) <= PURE.keys(), (
        "a cache must be keyed by schema, or hold nothing of a commune"
    )


PURE = {
    "platform/socle/core/plain.py": "the fields of our own classes",
    "platform/socle/actes/ground.py": "cached properties of an object made for one request",
    "platform/socle/actes/explanations/texts.py": "the texts that come with the program",
    "platform/socle/journal/tables.py": "statements, by schema",
    "platform/socle/core/clock.py": "the time zone",
    "platform/socle/directory/facts/__init__.py": "the official list of communes",
    "platform/socle/documents/render.py": "fonts and compilers",
    "platform/socle/documents/stamp.py": "fonts",
    "platform/socle/stack/binaries.py": "where programs are",
    "registration_authority/pki/keys.py": "numbers of weak keys",
}
