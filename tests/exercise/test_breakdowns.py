"""Breakdowns a tester orders, and what they leave behind."""

import http.client
import time

import pytest

from tests.exercise.builders import Pes
from tests.exercise.client import Client

FLUX = Pes().xml()


def deposit(client: Client) -> int:
    return client.deposit("flux.xml", FLUX, "helios").status


def stored(client: Client) -> bool:
    client.break_down("ok")
    return client.deposited("flux.xml", "helios").status == 200


def test_drop_after_store_says_nothing_but_has_the_deposit(client: Client) -> None:
    client.break_down("drop-after-store")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        deposit(client)
    assert stored(client)


def test_drop_before_store_says_nothing_and_has_nothing(client: Client) -> None:
    client.break_down("drop-before-store")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        deposit(client)
    assert not stored(client)


def test_a_sender_may_ask_while_deposits_are_dropped(client: Client) -> None:
    client.break_down("drop-after-store")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        deposit(client)
    assert client.deposited("flux.xml", "helios").json["count"] == 1


def test_mode_500_refuses_without_storing(client: Client) -> None:
    client.break_down("500")
    assert deposit(client) == 500
    assert not stored(client)


def test_mode_html_200_looks_like_success_and_stores_nothing(client: Client) -> None:
    client.break_down("html-200")
    answer = client.deposit("flux.xml", FLUX, "helios")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert not stored(client)


def test_mode_slow_answers_late(client: Client) -> None:
    client.break_down("slow:0.3")
    start = time.monotonic()
    assert deposit(client) == 200
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("mode", ["500", "html-200"])
def test_a_breakdown_also_strikes_the_collection_of_returns(client: Client, mode: str) -> None:
    deposit(client)
    client.wait_for_returns(1)
    client.break_down(mode)
    struck = [client.ask(*one) for one in (("GET", "/retours/1"), ("DELETE", "/retours/1"))]
    assert not any(b"PES_ACQUIT" in one.content or one.status == 204 for one in struck)
    client.break_down("ok")
    assert len(client.returns()) == 1


def test_health_counters_and_orders_never_break_down(client: Client) -> None:
    client.break_down("500")
    assert client.ask("GET", "/sante").status == 200
    assert client.ask("GET", "/compteurs").status == 200
    assert client.break_down("ok").json["mode"] == "ok"


@pytest.mark.parametrize("mode", ["slow", "slow:-1", "slow:301", "fire", None, 500])
def test_an_unknown_breakdown_is_refused_and_changes_nothing(client: Client, mode: object) -> None:
    client.break_down("500")
    refused = client.break_down(mode)
    assert refused.status == 400
    assert "Panne inconnue" in refused.json["erreur"]
    assert deposit(client) == 500


def test_an_order_from_another_machine_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = property(lambda _: ("192.0.2.7", 4000), lambda *_: None)
    monkeypatch.setattr("socle.exercise.server._Handler.client_address", elsewhere, raising=False)
    assert client.break_down("500").status == 403
    assert deposit(client) == 200


@pytest.mark.parametrize("body", [b"not json", b"[]", b""])
def test_an_order_that_is_no_json_object_is_refused(client: Client, body: bytes) -> None:
    assert client.ask("POST", "/pannes", body).status == 400
