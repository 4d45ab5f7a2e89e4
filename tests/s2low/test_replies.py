"""Answers to the letters of the préfecture, through S²LOW."""

from typing import Any

import pytest
from django.utils import timezone

from socle.delivery import actions as delivery
from socle.delivery.models import Outbound, OutboundState
from socle.s2low.models import S2lowAccount, S2lowState, What
from socle.s2low.protocol import answers, returns
from socle.s2low.protocol.answers import Answer, Related
from socle.s2low.protocol.outcomes import NotAnAnswer
from tests.s2low import archives
from tests.s2low.conftest import Post, Room, again, row_of
from tests.s2low.server import S2lowServer
from tests.s2low.test_adapter import acknowledge, collect


@pytest.fixture
def act(post: Post, server: S2lowServer, account: S2lowAccount) -> Outbound:
    """An act S²LOW transmitted as number 666."""
    outbound = post()
    delivery.send_due()
    acknowledge(server)
    collect(account)
    return outbound


def letter(server: S2lowServer, number: int, kind: int, *, dated: str = "2026-11-24") -> None:
    server.state.letters[number] = {
        "id": number,
        "type": kind,
        "unique_id": archives.IDENTIFIER,
        "related_transaction_id": 666,
        "last_status_id": 7,
    }
    server.state.archives[9000 + number] = archives.request_for_pieces(dated=dated)
    server.state.read.append(str(number))


@pytest.mark.parametrize(
    ("code", "kind", "sends"),
    [("2-2", 2, "4"), ("3-3", 3, "3"), ("3-4", 3, "4"), ("4-3", 4, "3"), ("4-4", 4, "4")],
)
def test_G17_an_answer_is_posted_in_order_and_its_number_kept(
    act: Outbound, post: Post, server: S2lowServer, code: str, kind: int, sends: str
) -> None:
    letter(server, 52, kind)
    outbound = post(archives.letter_reply(code))
    assert delivery.send_due() == 1
    posted = server.state.transactions[667]
    assert (posted.text("id"), posted.text("type_envoie")) == ("52", sends)
    assert posted.text("type_acte") == "99_DE"
    assert [name for name, _, _ in posted.files] == ["acte_pdf_file", "acte_attachments[]"]
    assert (row_of(outbound).number, row_of(outbound).what) == ("667", What.REPLY)


def test_the_answer_goes_to_the_letter_of_its_date(
    act: Outbound, post: Post, server: S2lowServer
) -> None:
    letter(server, 52, 3, dated="2026-11-20")
    letter(server, 53, 3, dated="2026-11-24")
    letter(server, 54, 4)
    post(archives.letter_reply("3-4", dated="2026-11-24"))
    assert delivery.send_due() == 1
    assert server.state.transactions[667].text("id") == "53"


def test_an_answer_to_a_letter_s2low_does_not_show_is_refused(
    act: Outbound, post: Post, server: S2lowServer
) -> None:
    outbound = post(archives.letter_reply("3-4"))
    assert delivery.send_due() == 0
    assert again(outbound).state == OutboundState.REFUSED
    assert "ne montre pas le courrier du 24/11/2026" in outbound.last_error


def test_an_answer_of_which_nothing_is_known_is_never_posted_twice_by_itself(
    act: Outbound, post: Post, server: S2lowServer
) -> None:
    letter(server, 52, 3)
    server.break_down("drop-after", script="actes_transac_reponse_create.php")
    outbound = post(archives.letter_reply("3-4"))
    assert delivery.send_due() == 0
    server.repair()
    Outbound.objects.filter(pk=outbound.pk).update(due_at=timezone.now())
    assert delivery.send_due() == 0
    assert again(outbound).state == OutboundState.REFUSED
    assert "regardez-le sur S²LOW" in outbound.last_error
    assert server.called("actes_transac_reponse_create.php") == 1


def test_the_receipt_of_an_answer_reaches_the_room(
    act: Outbound, post: Post, server: S2lowServer, account: S2lowAccount, room: Room
) -> None:
    letter(server, 52, 3)
    outbound = post(archives.letter_reply("3-4"))
    delivery.send_due()
    held = server.state.transactions[667]
    held.status, held.content = 4, archives.reply_receipt()
    assert collect(account) == 1
    assert room.received[-1] == (f"{archives.IDENTIFIER}-3-5_0.xml", archives.reply_receipt())
    assert row_of(outbound).state == S2lowState.ANSWERED


def test_the_answer_to_a_courrier_simple_is_over_once_transmitted(
    act: Outbound, post: Post, server: S2lowServer, account: S2lowAccount
) -> None:
    letter(server, 52, 2)
    outbound = post(archives.letter_reply("2-2"))
    delivery.send_due()
    server.state.transactions[667].status = 3
    assert collect(account) == 0
    assert row_of(outbound).state == S2lowState.ANSWERED


@pytest.mark.parametrize("code", ["3-2", "4-2"])
def test_the_receipt_of_a_letter_is_s2lows_own_affair(
    act: Outbound, post: Post, server: S2lowServer, code: str
) -> None:
    outbound = post(archives.letter_reply(code, pieces=0))
    calls = len(server.state.calls)
    assert delivery.send_due() == 1
    assert again(outbound).state == OutboundState.SENT
    assert len(server.state.calls) == calls


def test_G18_a_status_may_be_negative_in_the_list_of_letters() -> None:
    found = answers.related_in(Answer(200, b"3--1-45\n2-21-46\n\n", ""))
    assert found == [Related("45", 3, -1), Related("46", 2, 21)]
    assert answers.related_in(Answer(200, b"", "")) == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(302, b"", "/login.php"),
        Answer(200, b"<!DOCTYPE html><html></html>", ""),
        Answer(200, b"KO\nAcc\xe8s refus\xe9", ""),
    ],
)
def test_no_page_is_a_list_of_letters(answer: Answer) -> None:
    with pytest.raises(NotAnAnswer):
        answers.related_in(answer)


@pytest.mark.parametrize("raw", [b"", b"<html/>", archives.acknowledgement()])
def test_nothing_else_is_the_receipt_of_an_answer(raw: Any) -> None:
    with pytest.raises(NotAnAnswer):
        returns.reply_receipt(raw, message_name="x-3-4_0.xml")
