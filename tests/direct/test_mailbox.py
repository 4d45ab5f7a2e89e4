"""Returns by mail: kept raw before they are read, removed after they are kept, never lost."""

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from socle.delivery import actions as delivery
from socle.delivery import queries as delivery_queries
from socle.delivery.adapters import OperatorUnavailable, adapter_for
from socle.delivery.handlers import Unmatched
from socle.delivery.models import Inbound, InboundState, TransmissionOperator
from socle.direct import actions, mailbox, policies, queries
from socle.direct.models import DirectLink, DirectMail
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from tests.delivery.conftest import Room
from tests.direct.conftest import ORIGIN
from tests.direct.imap import ImapServer

LATIN = ORIGIN + "Subject: r\xe9ponse\r\n\r\nD\xe9lib\xe9ration re\xe7ue\r\n".encode("latin-1")


def mail(number: int, size: int = 0) -> bytes:
    return ORIGIN + f"Subject: retour {number}\r\n\r\n{'x' * size}\r\n".encode()


@pytest.fixture
def collect(link: DirectLink, room: Room) -> Any:
    """One round of the poller."""
    return lambda: delivery.collect(link.operator)


def raw_of(inbound: Inbound) -> bytes:
    return documents.read(StoredFile.objects.get(pk=inbound.payload))


def test_F21_a_mail_is_kept_raw_then_removed(collect: Any, imap: ImapServer, room: Room) -> None:
    imap.deliver(LATIN)
    imap.deliver(mail(2))
    assert collect() == 2
    assert [raw_of(one) for one in Inbound.objects.order_by("pk")] == [LATIN, mail(2)]
    assert imap.state.mails == []
    assert imap.state.removed == [LATIN, mail(2)]
    assert len(room.received) == 2
    assert collect() == 0


def test_F21_a_mail_that_cannot_be_kept_is_not_removed(
    collect: Any, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap.deliver(mail(1))

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as broken:
        broken.setattr(documents, "store", full)
        assert collect() == 0
    (told,) = delivery_queries.stumbles()
    assert "OSError" in told.cause
    assert len(imap.state.mails) == 1
    assert imap.state.mails[0].flags == set()  # nor marked as read
    assert collect() == 1


def test_F22_a_death_between_keeping_and_removing_doubles_nothing(
    collect: Any, imap: ImapServer, link: DirectLink, room: Room
) -> None:
    imap.deliver(mail(1))
    adapter = adapter_for(link.operator)
    for waiting in adapter.returns():
        delivery.keep(link.operator, waiting, adapter.fetch(waiting.external_id))
    assert len(imap.state.mails) == 1  # and the worker is gone
    assert collect() == 0
    assert imap.state.mails == []
    assert Inbound.objects.count() == 1
    assert len(room.received) == 1


def test_F22_a_death_between_writing_and_removing_fetches_nothing_again(
    collect: Any, imap: ImapServer, link: DirectLink
) -> None:
    imap.deliver(mail(1))
    imap.break_down("cut-before-store")
    collect()
    assert DirectMail.objects.get().removed_at is None
    assert len(imap.state.mails) == 1
    imap.repair()
    assert collect() == 0
    assert imap.state.mails == []
    assert imap.state.fetched == [1]


def test_F23_a_mail_server_that_is_down_is_found_again(
    collect: Any, imap: ImapServer, link: DirectLink
) -> None:
    DirectLink.objects.update(imap_port=9)
    with pytest.raises(OperatorUnavailable):
        collect()
    assert "ne répond pas" in DirectLink.objects.get().problem
    DirectLink.objects.update(imap_port=imap.port)
    imap.deliver(mail(1))
    assert collect() == 1
    assert DirectLink.objects.get().problem == ""


def test_a_connection_cut_in_the_middle_of_a_mail_loses_nothing(
    collect: Any, imap: ImapServer
) -> None:
    imap.deliver(mail(1, 5000))
    imap.break_down("cut")
    with pytest.raises(OperatorUnavailable):
        collect()
    assert not Inbound.objects.exists()
    imap.repair()
    assert collect() == 1
    assert raw_of(Inbound.objects.get()) == mail(1, 5000)


def test_a_mail_that_always_cuts_the_connection_ends_behind_the_others(
    collect: Any, imap: ImapServer, link: DirectLink
) -> None:
    imap.deliver(mail(1, 5000))
    imap.deliver(mail(2))
    imap.break_down("cut-first")
    for _ in range(4):
        with pytest.raises(OperatorUnavailable):
            collect()
    assert [raw_of(one) for one in Inbound.objects.all()] == [mail(2)]
    (left,) = queries.left_behind(link.operator)
    assert (left.uid, left.failures) == (1, 4)
    imap.repair()
    assert collect() == 1


def test_a_message_listed_twice_is_one(collect: Any, imap: ImapServer) -> None:
    imap.deliver(mail(1))
    imap.break_down("twice")
    assert collect() == 1
    assert Inbound.objects.count() == 1


def test_F02_the_same_mail_in_two_copies_is_one_return(
    collect: Any, imap: ImapServer, room: Room
) -> None:
    imap.deliver(mail(1))
    imap.deliver(mail(1))
    assert collect() == 1
    assert len(room.received) == 1
    assert imap.state.mails == []


def test_a_mailbox_numbered_anew_doubles_nothing(
    collect: Any, imap: ImapServer, link: DirectLink, room: Room
) -> None:
    imap.break_down("read-only")
    for number in (1, 2):
        imap.deliver(mail(number))
    assert collect() == 2
    imap.state.mails.pop(0)
    imap.number_anew()  # the second message is now number 1
    imap.deliver(mail(3))
    imap.repair()
    assert collect() == 1
    assert sorted(map(raw_of, Inbound.objects.all())) == [mail(1), mail(2), mail(3)]
    assert len(room.received) == 3
    assert imap.state.mails == []


def test_a_server_that_removes_nothing_is_not_read_over_and_over(
    collect: Any, imap: ImapServer
) -> None:
    imap.deliver(mail(1))
    imap.break_down("read-only")
    assert (collect(), collect()) == (1, 0)
    assert imap.state.fetched == [1]


def test_without_uidplus_a_message_is_marked_and_left(collect: Any, imap: ImapServer) -> None:
    imap.state.capabilities = "IMAP4rev1"
    imap.state.password = 'pass "word'
    DirectLink.objects.update(
        sealed_imap_password=actions.seal(b'pass "word', purpose=actions.IMAP_PASSWORD)
    )
    imap.deliver(mail(1))
    assert (collect(), collect()) == (1, 0)
    assert imap.state.mails[0].flags == {"\\Deleted"}


def test_a_long_mail_comes_in_pieces_whole(
    collect: Any, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "CHUNK", 1000)
    imap.break_down("chatter")
    long = [mail(1, 25_000), mail(2, 2_000 - len(mail(2)))]
    for raw in long:
        imap.deliver(raw)
    assert collect() == 2
    assert [raw_of(one) for one in Inbound.objects.order_by("pk")] == long


def test_a_huge_mail_stays_there_and_is_shown(
    collect: Any, imap: ImapServer, link: DirectLink
) -> None:
    imap.deliver(mail(1))
    imap.break_down("huge")
    assert collect() == 0
    (left,) = queries.left_behind(link.operator)
    assert "trop lourd" in left.problem
    assert len(imap.state.mails) == 1


def test_a_mail_longer_than_it_said_is_given_up(
    collect: Any, imap: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "CHUNK", 1000)
    imap.deliver(mail(1, 5000))
    with mailbox.Mailbox(actions.place_of(DirectLink.objects.get())) as box:
        with pytest.raises(mailbox.MailboxUnavailable, match="pèse plus"):
            box.fetch(1, limit=2000)
        with pytest.raises(mailbox.MailGone):
            box.fetch(99, limit=2000)


@pytest.mark.parametrize("breakdown", ["slow", "drip"])
def test_a_server_that_drags_on_is_cut_off(
    link: DirectLink, imap: ImapServer, breakdown: str
) -> None:
    imap.deliver(mail(1, 2000))
    imap.break_down(breakdown, 3.0)
    with (
        pytest.raises(mailbox.MailboxUnavailable),
        mailbox.Mailbox(actions.place_of(link), silence=2, deadline=1) as box,
    ):
        box.fetch(1, limit=10_000)


def test_a_wrong_password_and_a_wrong_folder_are_said(link: DirectLink, imap: ImapServer) -> None:
    imap.state.mailbox = "Autre"
    with (
        pytest.raises(mailbox.MailboxClosed, match="ne s’ouvre pas"),
        mailbox.Mailbox(actions.place_of(link)),
    ):
        pass
    imap.state.password = "changed"
    with (
        pytest.raises(mailbox.MailboxClosed, match="mot de passe"),
        mailbox.Mailbox(actions.place_of(link)),
    ):
        pass


def test_a_mail_server_with_an_unknown_certificate_gets_no_password(
    link: DirectLink, imap: ImapServer
) -> None:
    link.imap_ca_pem = ""
    with (
        pytest.raises(mailbox.MailboxUnavailable, match="n’est pas reconnu"),
        mailbox.Mailbox(actions.place_of(link)),
    ):
        pass
    assert imap.state.logins == 0


def test_a_mailbox_without_numbers_is_not_read(link: DirectLink, imap: ImapServer) -> None:
    imap.break_down("no-validity")
    with (
        pytest.raises(mailbox.MailboxUnavailable, match="ne numérote pas"),
        mailbox.Mailbox(actions.place_of(link)),
    ):
        pass


def test_F18_a_mail_nobody_understands_is_kept_and_shown(
    collect: Any, imap: ImapServer, room: Room
) -> None:
    room.refusal = Unmatched("Ce courriel ne contient aucun message de la préfecture.")
    imap.deliver(LATIN)
    assert collect() == 1
    inbound = Inbound.objects.get()
    assert (inbound.state, raw_of(inbound)) == (InboundState.UNMATCHED, LATIN)


def test_what_was_kept_is_read_even_when_the_server_leaves_in_the_middle(
    collect: Any, imap: ImapServer, room: Room
) -> None:
    imap.deliver(mail(1))
    imap.deliver(mail(2, 5000))
    imap.state.mails.reverse()
    imap.break_down("cut-first")  # the lowest number, fetched first
    with pytest.raises(OperatorUnavailable):
        collect()
    assert room.received == []
    imap.state.mails[0].uid = 9
    with pytest.raises(OperatorUnavailable):
        collect()


def test_the_connection_is_checked_without_sending_nor_taking(
    link: DirectLink, imap: ImapServer, ministry: Any
) -> None:
    imap.deliver(mail(1))
    checked, waiting = actions.check_link(link_id=link.pk, by="tests", at=timezone.now())
    assert (waiting, checked.problem, ministry.state.calls) == (1, "", 0)
    assert imap.state.mails[0].flags == set()
    imap.state.password = "changed"
    with pytest.raises(actions.LinkNotOpen, match="mot de passe"):
        actions.check_link(link_id=link.pk, by="tests", at=timezone.now())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"post_url": "http://a.fr"}, "post_url"),
        ({"rescue_url": "https://u:p@a.fr"}, "rescue_url"),
        ({"pins": "12"}, "pins"),
        ({"imap_host": "a b"}, "imap_host"),
        ({"mailbox": "Reçus"}, "mailbox"),
        ({"credential": "basic"}, "login"),
    ],
)
def test_a_connection_that_cannot_be_is_refused(
    operator: TransmissionOperator, link: DirectLink, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(policies.UnusableLink) as refused:
        actions.save_link(operator=operator, facts=changes, by="tests", at=timezone.now())
    assert refused.value.field == field


def test_what_is_left_empty_is_kept(operator: TransmissionOperator, link: DirectLink) -> None:
    before = DirectLink.objects.values().get()
    actions.save_link(operator=operator, facts={}, by="tests", at=timezone.now())
    assert DirectLink.objects.values().get() == before


def test_an_incomplete_connection_is_refused(
    operator: TransmissionOperator, facts: dict[str, Any]
) -> None:
    del facts["imap_password"]
    with pytest.raises(policies.UnusableLink, match="mot de passe de la boîte"):
        actions.save_link(operator=operator, facts=facts, by="tests", at=timezone.now())


def test_an_operator_without_connection_waits_for_it(
    operator: TransmissionOperator, noon: datetime
) -> None:
    assert list(adapter_for(operator).returns()) == []
