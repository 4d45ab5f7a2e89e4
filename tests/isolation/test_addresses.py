"""Every address of both hosts, visited by Melle's agent with everything the neighbour has.

An address added tomorrow is visited tomorrow.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter

from tests.isolation.canaries import CANARY, Planted
from tests.people import Browser, on_portal

HOSTS = {
    "socle.config.urls_commune": "commune",
    "socle.config.urls_public": "portal",
}
ENDS_THE_VISIT = {"accounts:logout"}
WORDS = ("identity", "convention", "signed", "generated_pdf", "deliberation", "exercice")


def _addresses(urlconf: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(name, template of the address, converters of its arguments)."""

    def walk(
        patterns: list[Any], start: str, space: str
    ) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for one in patterns:
            path = start + str(one.pattern)
            if isinstance(one, URLResolver):
                name = f"{space}{one.namespace}:" if one.namespace else space
                yield from walk(one.url_patterns, path, name)
            elif isinstance(one, URLPattern):
                yield f"{space}{one.name}", path, _converters(path)

    yield from walk(get_resolver(urlconf).url_patterns, "/", "")


def _converters(path: str) -> dict[str, Any]:
    from django.urls.resolvers import _route_to_regex

    return dict(_route_to_regex(path, is_endpoint=True)[1])


def _filled(path: str, converters: dict[str, Any], values: dict[str, Any]) -> str:
    for name, converter in converters.items():
        kind = {"IntConverter": "int", "StringConverter": "str", "SlugConverter": "slug"}[
            type(converter).__name__
        ]
        path = path.replace(f"<{kind}:{name}>", str(values[name]))
    return path


def _choices(name: str, converter: Any, planted: Planted, neighbour: Any) -> list[Any]:
    if isinstance(converter, IntConverter):
        return sorted(
            {
                key
                for keys in planted.keys.values()
                for key in keys
                if isinstance(key, int) and key > 9_000_000
            }
        )
    where = neighbour.get_primary_domain().domain
    return [neighbour.organisation.siren, where, neighbour.schema_name, *WORDS]


def _visits(urlconf: str, planted: Planted, neighbour: Any) -> Iterator[tuple[str, str]]:
    for name, path, converters in _addresses(urlconf):
        if name in ENDS_THE_VISIT:
            continue
        lists = [_choices(key, one, planted, neighbour) for key, one in converters.items()]
        # One argument at a time goes through everything; the others stay at their first.
        for values in _combinations(lists):
            yield name, _filled(path, converters, dict(zip(converters, values, strict=True)))


def _combinations(lists: list[list[Any]]) -> Iterator[tuple[Any, ...]]:
    if not lists:
        yield ()
        return
    size = max(map(len, lists))
    for n in range(size):
        yield tuple(one[n % len(one)] for one in lists)


def _body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.slow
@pytest.mark.parametrize("urlconf", HOSTS)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_address_shows_anything_of_the_neighbour(
    planted: Planted, browser: Browser, agent: Any, neighbour: Any, urlconf: str, method: str
) -> None:
    visitor = browser if HOSTS[urlconf] == "commune" else on_portal(agent)
    visitor.raise_request_exception = False
    seen, open_, told = 0, [], []
    for name, address in _visits(urlconf, planted, neighbour):
        answer = getattr(visitor, method)(address)
        seen += 1
        if CANARY.encode() in _body(answer) or CANARY in str(answer.headers):
            told.append(f"{method} {address} ({name})")
        if "/9000" in address and answer.status_code not in (403, 404, 405):
            open_.append(f"{method} {address} ({name}): {answer.status_code}")
    assert (told, open_) == ([], [])
    assert seen > 100


def test_the_walk_would_see_a_canary(planted: Planted, neighbour: Any) -> None:
    """The neighbour's own agent, on the same addresses, meets them."""
    from socle.accounts.capabilities import Role
    from tests.people import in_town, person

    own = in_town(neighbour, person(Role.TRANSMITTER, Role.SIGNATORY, at=neighbour.organisation))
    own.raise_request_exception = False
    met = {
        name
        for name, path, converters in _addresses("socle.config.urls_commune")
        if not converters and name not in ENDS_THE_VISIT
        if CANARY.encode() in _body(own.get(path))
    }
    assert {"actes:list", "helios:list", "audit:journal"} <= met
