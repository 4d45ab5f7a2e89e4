"""Archives go to the ministry once, to the server we know, with the certificate it knows."""

import ssl
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from socle.delivery import actions as delivery
from socle.delivery.adapters import OperatorRefused, OperatorUnavailable, adapter_for
from socle.delivery.handlers import AlreadyAnswered
from socle.delivery.models import Outbound, OutboundState, TransmissionOperator
from socle.direct import actions
from socle.direct import post as transport
from socle.direct.models import Credential, DirectLink, DirectPost
from socle.directory.policies import RightSuspended
from tests.delivery.conftest import Room
from tests.direct.conftest import Post, key_pin_of
from tests.direct.ministry import MinistryServer
from tests.s2low import archives
from tests.s2low.pki import Authority, Pair


def _state(outbound: Outbound) -> str:
    outbound.refresh_from_db()
    return outbound.state


def _last_error(outbound: Outbound) -> str:
    outbound.refresh_from_db()
    return outbound.last_error


def _change(operator: TransmissionOperator, **facts: Any) -> DirectLink:
    return actions.save_link(operator=operator, facts=facts, by="tests", at=timezone.now())


def test_E01_an_archive_leaves_under_its_name_byte_for_byte(
    post: Post, ministry: MinistryServer, room: Room
) -> None:
    content = archives.acte()
    outbound = post(content)
    assert delivery.send_due() == 1
    assert _state(outbound) == OutboundState.SENT
    (taken,) = ministry.state.taken
    assert (taken.name, taken.content) == (outbound.name, content)
    assert DirectPost.objects.get().taken_at is not None
    assert room.sent == [outbound.subject_id]


@pytest.mark.parametrize("breakdown", ["500", "503", "401", "404", "redirect"])
def test_E02_an_answer_that_is_not_200_is_tried_again_with_the_same_archive(
    post: Post, ministry: MinistryServer, breakdown: str
) -> None:
    ministry.break_down(breakdown)
    outbound = post()
    assert delivery.send_due() == 0
    assert _state(outbound) == OutboundState.DUE
    assert ministry.names == []

    ministry.repair()
    with time_machine.travel(outbound.due_at + timedelta(seconds=1)):
        assert delivery.send_due() == 1
    assert ministry.names == [outbound.name]


@pytest.mark.parametrize("status", ["400", "413"])
def test_an_archive_the_ministry_does_not_want_is_refused_and_told(
    post: Post, ministry: MinistryServer, room: Room, status: str
) -> None:
    ministry.break_down(status)
    outbound = post()
    assert delivery.send_due() == 0
    assert _state(outbound) == OutboundState.REFUSED
    assert status in room.refused[0]


def test_E03_a_ministry_that_is_not_there_is_no_loss(post: Post, ministry: MinistryServer) -> None:
    ministry.close()
    outbound = post()
    assert delivery.send_due() == 0
    assert _state(outbound) == OutboundState.DUE
    assert not DirectPost.objects.exists()  # nothing left: no doubt


def test_E03_an_answer_lost_on_the_way_is_waited_for_then_the_same_archive_goes(
    post: Post, ministry: MinistryServer
) -> None:
    ministry.break_down("drop-after-store")
    outbound = post()
    assert delivery.send_due() == 0
    ministry.repair()
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        assert delivery.send_due() == 0
        assert _state(outbound) == OutboundState.DUE
        assert "On ne sait pas si l’archive est arrivée" in outbound.last_error
    assert ministry.names == [outbound.name]

    with time_machine.travel(timezone.now() + timedelta(hours=3)):
        assert delivery.send_due() == 1
    assert ministry.names == [outbound.name] * 2  # the same name, the same bytes
    assert len({one.content for one in ministry.state.taken}) == 1


@pytest.mark.parametrize("after", [5, 180])
def test_E03_the_answer_of_the_prefecture_settles_what_the_ministry_did_not_say(
    post: Post, ministry: MinistryServer, room: Room, after: int
) -> None:
    ministry.break_down("drop-after-store")
    outbound = post()
    delivery.send_due()
    ministry.repair()
    with time_machine.travel(timezone.now() + timedelta(minutes=after)):
        room.stops = RightSuspended("Convention suspendue.")
        assert delivery.send_due() == 0
        assert "On ne sait pas" in _last_error(outbound) or after > 120
        Outbound.objects.update(state=OutboundState.DUE, due_at=timezone.now())
        room.stops = AlreadyAnswered("Acte déjà acquitté.")
        assert delivery.send_due() == 1
    assert _state(outbound) == OutboundState.SENT
    assert ministry.names == [outbound.name]


def test_E04_the_rescue_address_takes_what_the_first_does_not(
    post: Post, ministry: MinistryServer, operator: TransmissionOperator, ca: Any, server_pair: Pair
) -> None:
    rescue = MinistryServer(server_pair, ca.pem)
    try:
        _change(operator, rescue_url=rescue.url)
        ministry.break_down("500")
        first = post()
        assert delivery.send_due() == 1
        ministry.close()
        second = post()
        assert delivery.send_due() == 1
        assert rescue.names == [first.name, second.name]
        assert ministry.names == []
    finally:
        rescue.close()


def test_E04_an_archive_in_doubt_never_goes_to_the_rescue_address(
    post: Post, ministry: MinistryServer, operator: TransmissionOperator, ca: Any, server_pair: Pair
) -> None:
    rescue = MinistryServer(server_pair, ca.pem)
    try:
        _change(operator, rescue_url=rescue.url)
        ministry.break_down("drop-after-store")
        post()
        assert delivery.send_due() == 0
        assert rescue.names == []
    finally:
        rescue.close()


def test_E05_a_server_with_another_certificate_gets_nothing(
    post: Post, ministry: MinistryServer, operator: TransmissionOperator
) -> None:
    _change(operator, pins="00" * 32)
    outbound = post()
    assert delivery.send_due() == 0
    assert _state(outbound) == OutboundState.DUE
    assert ministry.state.calls == 0
    link = DirectLink.objects.get()
    assert "certificat inconnu" in link.problem
    assert "enregistrez son empreinte" in link.problem


def test_E05_the_fingerprint_of_the_key_is_enough(
    post: Post, ministry: MinistryServer, operator: TransmissionOperator, server_pair: Pair
) -> None:
    pin = key_pin_of(server_pair)
    shown = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()
    _change(operator, pins=f"{'ab' * 32}\n{shown}\n")
    post()
    assert delivery.send_due() == 1


def test_E06_credentials_are_shown_as_the_ministry_wants_them(
    post: Post, ministry: MinistryServer, operator: TransmissionOperator
) -> None:
    post()
    delivery.send_due()
    _change(operator, credential=Credential.BASIC, login="tdt", password="é:secret")
    post()
    delivery.send_due()
    _change(operator, credential=Credential.POST)
    post()
    delivery.send_due()
    none, basic, query = ministry.state.taken
    assert (none.authorization, "?" in none.path) == ("", False)
    assert basic.authorization == "Basic dGR0OsOpOnNlY3JldA=="
    assert query.path.endswith("?user=tdt&password=%C3%A9%3Asecret")
    assert query.authorization == ""


def test_E06_no_secret_is_logged_nor_stored_in_clear(
    post: Post,
    ministry: MinistryServer,
    operator: TransmissionOperator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _change(operator, credential=Credential.POST, login="tdt", password="tres-secret")
    ministry.break_down("500")
    outbound = post()
    delivery.send_due()
    _state(outbound)
    link = DirectLink.objects.values().get()
    told = f"{caplog.text} {outbound.last_error} {link}"
    assert "tres-secret" not in told
    assert repr(actions.target_of(DirectLink.objects.get())).count("tres-secret") == 0


def test_E07_the_old_protocol_is_for_one_operator_only(
    operator: TransmissionOperator, link: DirectLink
) -> None:
    assert transport._context(actions.target_of(link)).minimum_version == ssl.TLSVersion.TLSv1_2
    old = _change(operator, legacy_tls=True)
    assert transport._context(actions.target_of(old)).minimum_version < ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_the_ministry_does_not_know_leaves_no_doubt(
    operator: TransmissionOperator,
    facts: dict[str, Any],
    ca: Authority,
    server_pair: Pair,
    newest: ssl.TLSVersion,
    room: Room,
    town: Any,
) -> None:
    strict = MinistryServer(server_pair, Authority("Une autre AC").pem, newest=newest)
    try:
        _change(operator, **{**facts, "post_url": strict.url})
        adapter = adapter_for(operator)
        with pytest.raises(OperatorUnavailable, match="refuse le certificat"):
            adapter.send(protocol="actes", name="a.tar.gz", content=BytesIO(b"a"), size=1)
        assert adapter.find(protocol="actes", name="a.tar.gz") is None
        assert strict.names == []
        assert "refuse le certificat" in DirectLink.objects.get().problem
    finally:
        strict.close()


def test_a_flow_of_helios_has_no_way_through(
    operator: TransmissionOperator, link: DirectLink
) -> None:
    with pytest.raises(OperatorRefused, match="que les actes"):
        adapter_for(operator).send(protocol="helios", name="p.xml", content=BytesIO(b"a"), size=1)
