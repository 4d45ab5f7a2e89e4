"""Every address names the capability it needs; what needs none is listed here, with its reason."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from socle.accounts.capabilities import (
    COMMUNE_ROLES,
    ROLE_LABELS,
    ROLES,
    SYNDICAT_ROLES,
    Access,
    Capability,
    Role,
)

ANYONE = {
    "accounts:login": "the door itself",
    "accounts:second_factor": "second step of the door",
    "accounts:certificate": "second step of the door, with the certificate",
    "accounts:set_up": "second step of the door, the first time",
    "accounts:logout": "leaving needs no right",
    "accounts:enter": "the ticket is the right",
    "revocation:public": "a lost certificate is revoked at any hour: the code is the right",
    "revocation:call_back": "says the same to everybody, somebody calls back",
    "accessibility": "the law wants it public",
    "actes:register": "the law wants published acts open to all (CGCT R2131-1)",
    "actes:posted": "one published act, what a person chose to publish",
    "actes:posted_file": "its text, what a person chose to publish",
    "actes:lasting": "where a published act lies for good",
    "actes:register_feed": "the last published acts, for readers of feeds",
    "actes:scdl": "published délibérations as open data",
    "api:test": "a software asks whether it is known: the answer is its own",
    "opendata:registers": "where each commune publishes its acts",
    "opendata:deliberations": "the published délibérations of all communes as open data",
    "robots": "what search engines may read",
    "guide": "components without data, in the demonstration only",
}
HOSTS = ("socle.config.urls_public", "socle.config.urls_commune")


def _views(urlconf: str) -> Iterator[tuple[str, Any]]:
    def walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
                yield from walk(pattern.url_patterns, space)
            elif isinstance(pattern, URLPattern):
                view = getattr(pattern.callback, "view_class", pattern.callback)
                yield f"{prefix}{pattern.name}", view

    yield from walk(get_resolver(urlconf).url_patterns, "")


@pytest.mark.parametrize("urlconf", HOSTS)
def test_every_address_names_its_capability(urlconf: str) -> None:
    silent = [
        name
        for name, view in _views(urlconf)
        if not isinstance(getattr(view, "capability", None), Capability | Access)
    ]
    assert silent == []


@pytest.mark.parametrize("urlconf", HOSTS)
def test_what_is_open_to_anyone_is_listed_with_a_reason(urlconf: str) -> None:
    found = {name for name, view in _views(urlconf) if view.capability is Access.ANYONE}
    assert found <= ANYONE.keys()


def test_no_exemption_outlives_its_view() -> None:
    found = {name for urlconf in HOSTS for name, _ in _views(urlconf)}
    assert ANYONE.keys() - {"guide"} <= found


def test_every_capability_is_in_some_role_and_needed_by_some_view() -> None:
    granted = frozenset().union(*ROLES.values())
    assert granted == set(Capability)


def test_reading_preparing_and_transmitting_are_three_rights() -> None:
    assert Capability.ACTS_PREPARE not in ROLES[Role.READER]
    assert Capability.ACTS_TRANSMIT not in ROLES[Role.PREPARER]
    assert Capability.ACTS_TRANSMIT in ROLES[Role.TRANSMITTER]


def test_every_role_has_a_label_and_a_house() -> None:
    assert ROLE_LABELS.keys() == ROLES.keys() == set(Role)
    assert set(SYNDICAT_ROLES) | set(COMMUNE_ROLES) == set(Role)
    assert not set(SYNDICAT_ROLES) & set(COMMUNE_ROLES)
