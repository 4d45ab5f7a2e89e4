"""Attempts are counted by the address of the browser, not by that of the proxy before us."""

from typing import Any

import pytest
from django.test import RequestFactory

from socle.accounts import policies
from socle.accounts.addresses import client_address
from socle.accounts.models import LoginAttempt
from tests.people import on_portal

PROXY = "10.0.0.1"


def _seen(settings: Any, proxies: int, header: str | None) -> str:
    settings.PROXIES = proxies
    headers = {} if header is None else {"HTTP_X_FORWARDED_FOR": header}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=PROXY, **headers))


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, None, PROXY),
        (0, "203.0.113.7", PROXY),  # nobody is trusted: anybody may have written it
        (1, None, PROXY),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.9, 203.0.113.7", "203.0.113.7"),  # the left one is the browser's word
        (2, "198.51.100.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", PROXY),  # it did not pass both
        (1, "203.0.113.7 ", "203.0.113.7"),
        (1, "2001:DB8::1", "2001:db8::1"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_address_is_the_one_the_outermost_trusted_proxy_saw(
    settings: Any, proxies: int, header: str | None, expected: str
) -> None:
    assert _seen(settings, proxies, header) == expected


@pytest.mark.parametrize(
    "header",
    ["", "unknown", "203.0.113", "203.0.113.7:4711", "fe80::1%eth0", "1.2.3.4,", "é", "'--"],
)
def test_a_malformed_header_gives_the_address_of_the_connection(settings: Any, header: str) -> None:
    assert _seen(settings, 1, header) == PROXY


def _try(address: str) -> int:
    return (
        on_portal()
        .post(
            "/connexion/",
            {"email": "personne@exemple.fr", "password": "faux"},
            REMOTE_ADDR=PROXY,
            HTTP_X_FORWARDED_FOR=f"192.0.2.200, {address}",
        )
        .status_code
    )


@pytest.mark.django_db
def test_one_town_that_mistypes_does_not_close_the_door_to_the_others(
    portal: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PROXIES = 1
    monkeypatch.setattr(policies, "WRONG_PASSWORDS_PER_ADDRESS", 2)
    assert [_try("203.0.113.7") for _ in range(3)] == [200, 200, 429]
    assert _try("203.0.113.8") == 200
    counted = LoginAttempt.objects.values_list("address", flat=True)
    assert sorted(counted) == ["203.0.113.7", "203.0.113.7", "203.0.113.8"]
