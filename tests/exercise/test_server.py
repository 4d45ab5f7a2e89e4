"""Deposits in, returns out, over real sockets."""

import hashlib
import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from socle.exercise.server import MAX_DEPOSIT, ExerciseServer, StateInUse
from tests.exercise.builders import AT, Act, Pes, parcel_of
from tests.exercise.client import TOKEN, Client, wait
from tests.exercise.conftest import Clock
from tests.exercise.reading import attachments, only

PARCEL = parcel_of(Act())
ARCHIVE = PARCEL.archive()


def test_a_deposit_is_answered_by_a_receipt(client: Client) -> None:
    answer = client.deposit(PARCEL.name, ARCHIVE)
    assert answer.status == 200
    assert answer.json == {
        "mention": "EXERCICE",
        "name": PARCEL.name,
        "sha256": hashlib.sha256(ARCHIVE).hexdigest(),
        "received_at": AT.isoformat(),
        "count": 1,
    }


def test_the_same_deposit_again_is_counted_and_seen_but_not_answered_twice(client: Client) -> None:
    client.deposit(PARCEL.name, ARCHIVE)
    again = client.deposit(PARCEL.name, ARCHIVE)
    assert (again.status, again.json["count"]) == (200, 2)
    assert client.counters()["doubles"] == 1
    client.wait_until_treated()
    client.wait_for_returns(1)
    client.deposit(PARCEL.name, ARCHIVE)
    client.wait_until_treated()
    assert len(client.returns()) == 1


def test_other_bytes_under_a_known_name_are_refused_and_the_first_kept(client: Client) -> None:
    client.deposit(PARCEL.name, ARCHIVE)
    refused = client.deposit(PARCEL.name, b"other")
    assert refused.status == 409
    assert PARCEL.name in refused.json["erreur"]
    kept = client.deposited(PARCEL.name).json
    assert (kept["sha256"], kept["count"]) == (hashlib.sha256(ARCHIVE).hexdigest(), 1)


@pytest.mark.parametrize("kind", ["actes", "helios"])
def test_the_sender_can_ask_whether_a_deposit_arrived(client: Client, kind: str) -> None:
    assert client.deposited("name.xml", kind).status == 404
    receipt = client.deposit("name.xml", b"<a/>", kind).json
    found = client.deposited("name.xml", kind)
    assert (found.status, found.json) == (200, receipt)


def test_the_same_name_may_serve_for_actes_and_for_helios(client: Client) -> None:
    client.deposit("name", b"actes", "actes")
    assert client.deposit("name", b"helios", "helios").status == 200


def test_a_name_may_hold_accents_and_spaces(client: Client) -> None:
    assert client.deposit("PES été n° 1.xml", b"<a/>", "helios").json["name"] == "PES été n° 1.xml"


def test_a_name_that_is_no_file_name_is_refused(client: Client) -> None:
    names = ("a/b", "../a", "x" * 201, "a\nb")
    assert [client.deposit(one, b"content").status for one in names] == [400] * 4


def test_an_empty_deposit_is_refused(client: Client) -> None:
    assert client.deposit(PARCEL.name, b"").status == 400


def test_an_act_is_acknowledged_by_a_mail(client: Client) -> None:
    client.deposit(PARCEL.name, ARCHIVE)
    [listed] = client.wait_for_returns(1)
    answer = client.ask("GET", f"/retours/{listed['id']}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert only(answer.content, "ARActe").get(_actes("IDActe")) == Act().act_id
    assert listed == {
        "id": 1,
        "kind": "actes",
        "name": "079-247900798-20250303-2025_017-DE-1-2_1.eml",
        "size": len(answer.content),
        "sha256": hashlib.sha256(answer.content).hexdigest(),
        "mention": "EXERCICE",
    }


def test_a_flux_is_acknowledged_by_the_acquit_itself(client: Client) -> None:
    client.deposit("flux.xml", Pes().xml(), "helios")
    [listed] = client.wait_for_returns(1)
    assert listed["kind"] == "helios"
    answer = client.ask("GET", f"/retours/{listed['id']}")
    assert answer.headers["Content-Type"] == "application/xml"
    assert b"PES_ACQUIT" in answer.content


def test_every_answer_says_exercice(client: Client) -> None:
    client.deposit(PARCEL.name, ARCHIVE)
    client.wait_for_returns(1)
    for path in ("/sante", "/compteurs", "/retours", "/retours/1", "/unknown"):
        assert client.ask("GET", path).headers["X-Socle-Exercice"] == "EXERCICE"


def test_returns_are_listed_after_a_number_and_up_to_a_limit(client: Client) -> None:
    for number in (1, 2, 3):
        parcel = parcel_of(Act(number=f"N{number}"), number=number)
        client.deposit(parcel.name, parcel.archive())
    client.wait_for_returns(3)
    assert [one["id"] for one in client.returns(after=1)] == [2, 3]
    assert [one["id"] for one in client.returns(limit=2)] == [1, 2]


def test_a_list_asked_with_a_bad_number_is_refused(client: Client) -> None:
    queries = ("after=x", "limit=-1", "after=1.5")
    assert [client.ask("GET", f"/retours?{one}").status for one in queries] == [400, 400, 400]


def test_an_acknowledged_return_is_kept_but_no_longer_listed(client: Client) -> None:
    client.deposit(PARCEL.name, ARCHIVE)
    client.wait_for_returns(1)
    assert client.ask("DELETE", "/retours/1").status == 204
    assert client.ask("DELETE", "/retours/1").status == 204
    assert client.returns() == []
    assert client.ask("GET", "/retours/1").status == 200
    assert client.counters()["returns"] == {"held": 0, "pending": 0, "acknowledged": 1}


def test_an_unknown_return_is_not_found(client: Client) -> None:
    assert [client.ask(one, "/retours/99").status for one in ("GET", "DELETE")] == [404, 404]


def test_a_late_answer_is_not_missed_by_who_reads_from_the_last_number(
    client: Client, clock: Clock
) -> None:
    slow = parcel_of(Act(number="SLOW", subject="[lent]"), number=1)
    client.deposit(slow.name, slow.archive())
    client.wait_until_treated()
    quick = parcel_of(Act(number="QUICK"), number=2)
    client.deposit(quick.name, quick.archive())
    [first] = client.wait_for_returns(1)
    assert "QUICK" in first["name"]
    clock.advance(60)
    [second] = wait(lambda: client.returns(after=first["id"]), bool)
    assert "SLOW" in second["name"]


def test_a_silent_office_shows_only_in_the_counters(client: Client) -> None:
    silent = parcel_of(Act(subject="[silence]"))
    client.deposit(silent.name, silent.archive())
    client.wait_until_treated()
    assert client.returns() == []
    assert client.counters()["kinds"]["actes"]["silent"] == 1


def test_an_anomaly_on_the_envelope_comes_as_a_mail(client: Client) -> None:
    client.deposit("SOC-EACT--247900798--20250310-1.tar.gz", b"not an archive")
    client.wait_for_returns(1)
    content = client.ask("GET", "/retours/1").content
    assert list(attachments(content)) == ["ANO_EACT--247900798--20250310-1.xml"]


def test_the_office_remembers_acts_from_one_deposit_to_the_next(client: Client) -> None:
    for number in (1, 2):
        parcel = parcel_of(Act(), number=number)
        client.deposit(parcel.name, parcel.archive())
    names = [one["name"] for one in client.wait_for_returns(2)]
    assert [name.split("-DE-")[1][:3] for name in names] == ["1-2", "1-3"]


def test_counters_tell_deposits_doubles_and_returns(client: Client) -> None:
    client.deposit(PARCEL.name, ARCHIVE)
    client.deposit(PARCEL.name, ARCHIVE)
    client.deposit("flux.xml", Pes().xml(), "helios")
    client.wait_for_returns(2)
    client.ask("DELETE", "/retours/1")
    counters = client.counters()
    assert (counters["deposits"], counters["doubles"]) == (2, 1)
    assert counters["kinds"]["actes"] == {
        "deposits": 1,
        "doubles": 1,
        "waiting": 0,
        "answered": 1,
        "silent": 0,
        "failed": 0,
    }
    assert counters["returns"] == {"held": 0, "pending": 1, "acknowledged": 1}


# Who is let in


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1]])
def test_nothing_is_said_without_a_good_token(server: ExerciseServer, token: str) -> None:
    stranger = Client(server.url, token)
    answers = {
        f"{method} {path}": stranger.ask(method, path, b"content" if method == "POST" else None)
        for method, path in (
            ("POST", "/actes/depots/a"),
            ("GET", "/actes/depots/a"),
            ("GET", "/retours"),
            ("GET", "/retours/1"),
            ("DELETE", "/retours/1"),
            ("GET", "/compteurs"),
            ("POST", "/pannes"),
        )
    }
    assert {path: one.status for path, one in answers.items() if one.status != 401} == {}


def test_health_needs_no_token(server: ExerciseServer) -> None:
    assert Client(server.url, "").ask("GET", "/sante").status == 200


def test_an_account_sees_nothing_of_another(client: Client, other: Client) -> None:
    client.deposit(PARCEL.name, ARCHIVE)
    client.wait_for_returns(1)
    assert other.returns() == []
    assert other.counters()["deposits"] == 0
    asked = [
        other.deposited(PARCEL.name),
        other.ask("GET", "/retours/1"),
        other.ask("DELETE", "/retours/1"),
    ]
    assert [one.status for one in asked] == [404, 404, 404]
    assert len(client.returns()) == 1


# What is too much, or not HTTP as it should be


def raw(server: ExerciseServer, head: str, body: bytes = b"") -> bytes:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        return connection.recv(4096)


def test_a_deposit_that_announces_too_much_is_refused_before_it_comes(
    server: ExerciseServer,
) -> None:
    head = (
        f"POST /actes/depots/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Length: {MAX_DEPOSIT + 1}"
    )
    assert raw(server, head).startswith(b"HTTP/1.1 413 ")


def test_a_refusal_reaches_a_sender_that_is_still_sending(server: ExerciseServer) -> None:
    refused = Client(server.url, "wrong").deposit("a", b"x" * 3_000_000)
    assert refused.status == 401


def test_a_deposit_of_unknown_length_is_refused(server: ExerciseServer) -> None:
    head = f"POST /actes/depots/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}"
    assert raw(server, head).startswith(b"HTTP/1.1 411 ")


def test_a_deposit_cut_short_is_not_stored(server: ExerciseServer, client: Client) -> None:
    address = urlsplit(server.url)
    head = (
        f"POST /actes/depots/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Length: 1000\r\n\r\nhalf"
    )
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(4096) == b""
    assert client.deposited("a").status == 404


def test_two_requests_may_share_a_connection(server: ExerciseServer) -> None:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for name in ("a", "b"):
        connection.request("POST", f"/helios/depots/{name}", b"<a/>", headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


def test_an_unknown_address_is_not_found(client: Client) -> None:
    asked = (("GET", "/"), ("DELETE", "/compteurs"), ("POST", "/autre/depots/a"))
    assert [client.ask(*one).status for one in asked] == [404, 404, 404]


# One state folder, one server


def test_two_servers_cannot_share_a_state_folder(server: ExerciseServer, tmp_path: Path) -> None:
    with pytest.raises(StateInUse, match="utilise déjà"):
        ExerciseServer(state=tmp_path, accounts={TOKEN: "socle"})


def test_a_folder_can_be_taken_over_once_its_server_is_closed(tmp_path: Path) -> None:
    for count in (1, 2):
        with ExerciseServer(state=tmp_path, accounts={TOKEN: "socle"}, delay=0) as running:
            assert Client(running.url).deposit("a", b"content").json["count"] == count


def _actes(name: str) -> str:
    return f"{{http://www.interieur.gouv.fr/ACTES#v1.1-20040216}}{name}"
