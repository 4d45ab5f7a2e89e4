"""What the neighbour has never shows: every address, with every key, is tried."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_tenants.utils import tenant_context

from socle.accounts.capabilities import COMMUNE_ROLES, Role
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.vault import Tampered, UnknownKey
from tests.isolation.canaries import CANARY, keys, plant, tenant_models
from tests.people import Browser, in_town, person

COMMUNE, PORTAL = "socle.config.urls_commune", "socle.config.urls_public"
LEAVES = {"deconnexion/"}


@pytest.fixture
def planted(town: Any, neighbour: Any) -> list[str]:
    """The neighbour's keys, once the canaries sit there."""
    theirs = person(Role.TRANSMITTER, at=neighbour.organisation, last_name=CANARY)
    plant(neighbour, by=theirs, at=timezone.now())
    return sorted({*keys(neighbour), neighbour.schema_name, neighbour.organisation.siren})


@pytest.fixture
def agent(town: Any) -> Browser:
    """Somebody with every role of a commune, in Melle only."""
    return in_town(town, person(*COMMUNE_ROLES, at=town.organisation))


def _addresses(urlconf: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(address with {} for each parameter, names of the parameters)."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, here)
            elif isinstance(pattern, URLPattern):
                yield here

    for address in walk(get_resolver(urlconf).url_patterns, ""):
        found = tuple(re.findall(r"<(?:(\w+):)?\w+>", address))
        yield "/" + re.sub(r"<[^>]+>", "{}", address), found


def _says(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode("utf-8", "replace")


def _fitting(keys_of: list[str], kind: str) -> list[str]:
    return [key for key in keys_of if kind not in {"int", ""} or key.isdigit()][:12]


@pytest.mark.parametrize("urlconf", [COMMUNE, PORTAL])
def test_no_address_shows_the_neighbour(
    urlconf: str, planted: list[str], agent: Browser, town: Any
) -> None:
    browser = agent
    if urlconf == PORTAL:
        browser = Browser("localhost", person(*COMMUNE_ROLES, at=town.organisation))
    tried = 0
    for address, kinds in _addresses(urlconf):
        if address.strip("/") + "/" in LEAVES:
            continue
        fills = [()] if not kinds else [(key,) * len(kinds) for key in _fitting(planted, kinds[0])]
        for fill in fills:
            answer = browser.get(address.format(*fill))
            tried += 1
            assert answer.status_code < 500, address
            assert CANARY not in _says(answer), address.format(*fill)
    assert tried > 40


def test_no_post_reaches_the_neighbour(planted: list[str], agent: Browser, neighbour: Any) -> None:
    before = _rows(neighbour)
    for address, kinds in _addresses(COMMUNE):
        for key in _fitting(planted, kinds[0])[:4] if kinds else []:
            assert agent.post(address.format(*(key,) * len(kinds))).status_code < 500, address
    assert _rows(neighbour) == before


def test_no_model_sees_the_neighbour(planted: list[str], town: Any, neighbour: Any) -> None:
    for model in tenant_models():
        rows = list(model._default_manager.values())
        assert CANARY not in str(rows), model
    with tenant_context(neighbour):
        assert CANARY in str([list(m._default_manager.values()) for m in tenant_models()])
    assert connection.schema_name == town.schema_name


def test_a_file_opens_only_at_home(planted: list[str], town: Any, neighbour: Any) -> None:
    with tenant_context(neighbour):
        theirs = StoredFile.objects.get(name=f"{CANARY}.txt")
        assert documents.read(theirs) == CANARY.encode()
    with pytest.raises((Tampered, UnknownKey)):
        documents.read(theirs)  # the row was carried over: the key was not


def _rows(tenant: Any) -> list[Any]:
    with tenant_context(tenant):
        return [(model, list(model._default_manager.values())) for model in tenant_models()]
