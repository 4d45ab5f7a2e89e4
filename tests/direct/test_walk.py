"""Acts of the real room, through the ministry's server and the mailbox, as the norm's mails are."""

from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from socle.accounts.capabilities import Role
from socle.actes import actions as actes
from socle.actes.models import Act, ActState, ClassificationVersion
from socle.delivery import actions as delivery
from socle.delivery.adapters import Return
from socle.delivery.models import Answered, Inbound, InboundState, TransmissionOperator
from socle.direct.models import DirectLink
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.exercise.protocol.classification import CURRENT, full_return
from socle.journal.models import Entry
from tests.actes import answers
from tests.actes.conftest import AT, FACTS, PDF, somebody, upload, vars_of
from tests.direct.conftest import PROVED
from tests.direct.imap import ImapServer
from tests.direct.ministry import MinistryServer

STEM = "079-200081511-20261120-2026_017-DE"


@pytest.fixture
def secretary(link: DirectLink, town: Any) -> Any:
    stored = documents.store(content=full_return(CURRENT), name="c.xml", by="tests", at=AT)
    ClassificationVersion.objects.create(date=CURRENT.day, content=stored, received_at=AT)
    return somebody(Role.TRANSMITTER, town)


@pytest.fixture
def deposit(secretary: Any) -> Any:
    def deposit(number: str = "2026_017") -> Act:
        act = actes.deposit(
            facts=actes.Facts(**{**vars_of(FACTS), "number": number}),
            main=upload(PDF),
            by=secretary,
            at=timezone.now(),
        )
        assert delivery.send_due() == 1
        return again(act)

    return deposit


def again(act: Act) -> Act:
    act.refresh_from_db()
    return act


def mail(*files: tuple[str, bytes], text: str = "Bonjour", subtype: str = "html") -> bytes:
    """A mail as the ministry writes it: a page for people, attachments for machines."""
    made = EmailMessage()
    made["Authentication-Results"] = PROVED
    made["From"], made["To"] = "actes@interieur.example", "retours@tdt.example.fr"
    made["Subject"] = "Accusé de réception"
    made.set_content(text, subtype=subtype, charset="iso-8859-1", cte="8bit")
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(made)


@pytest.fixture
def arrive(imap: ImapServer, link: DirectLink, town: Any) -> Any:
    """Mails arrive and are collected; the returns, oldest first."""

    def arrive(*mails: bytes) -> list[Inbound]:
        for raw in mails:
            imap.deliver(raw)
        connection.set_schema_to_public()
        delivery.collect(link.operator)
        assert imap.state.mails == []
        found = list(Inbound.objects.order_by("pk"))
        for one, raw in zip(found[-len(mails) :], mails, strict=True):
            assert documents.read(StoredFile.objects.get(pk=one.payload)) == raw
        connection.set_tenant(town)
        return found

    return arrive


def acknowledged(act: Act) -> bytes:
    return mail(
        (f"{STEM}-1-2_5279.xml", answers.acknowledgement(act)),  # before its envelope
        ("EACT--PREF079-200081511-20261124-9.xml", answers.envelope(f"{STEM}-1-2_5279.xml")),
    )


def test_an_act_goes_and_comes_back_by_mail(
    deposit: Any, arrive: Any, ministry: MinistryServer
) -> None:
    act = deposit()
    assert ministry.names[0].startswith("SYN-TACT--200081511--")
    (inbound,) = arrive(acknowledged(act))
    assert (inbound.state, again(act).state) == (InboundState.MATCHED, ActState.ACKNOWLEDGED)


def test_a_second_acknowledgement_and_a_late_anomaly_are_kept_and_change_nothing(
    deposit: Any, arrive: Any
) -> None:
    act = deposit()
    first = acknowledged(act)
    second = first.replace(b"Bonjour", b"Rappel")
    late = mail((f"{STEM}-1-3_7.xml", answers.anomaly(act)))
    found = arrive(first, second, late)
    assert [one.state for one in found] == [InboundState.MATCHED] * 3
    assert again(act).state == ActState.ACKNOWLEDGED
    assert f"{act.received_on}" == "2026-11-24"
    assert Entry.objects.filter(event="actes.acknowledged").count() == 1
    assert Entry.objects.filter(event="actes.late_anomaly").count() == 1


def test_several_messages_in_one_mail_are_each_answered(deposit: Any, arrive: Any) -> None:
    one, two = deposit(), deposit("2026_018")
    both = mail(
        (f"{STEM}-1-2_31.xml", answers.acknowledgement(one)),
        ("079-200081511-20261120-2026_018-DE-1-2_32.xml", answers.acknowledgement(two)),
        ("EACT--PREF079-200081511-20261124-10.xml", answers.envelope(f"{STEM}-1-2_31.xml")),
    )
    arrive(both)
    assert {again(one).state, again(two).state} == {ActState.ACKNOWLEDGED}


def test_F17_a_multi_channel_mail_without_xml_is_noted_and_changes_nothing(
    deposit: Any, arrive: Any
) -> None:
    act = deposit()
    reminder = mail(
        ("logo.jpg", b"\xff\xd8\xff\xe0logo"),
        text=f"<p>Transmission multi-canal : complétez l'acte {act.identifier} par courrier.</p>",
    )
    (inbound,) = arrive(reminder)
    assert (inbound.state, again(act).state) == (InboundState.MATCHED, ActState.SENT)
    assert Entry.objects.filter(event="actes.paper_reminder").count() == 1


@pytest.mark.parametrize(
    "strange",
    [
        mail(text="Votre boîte est bientôt pleine", subtype="plain"),
        mail((f"{STEM}-1-2_1.tar.gz", b"\x1f\x8b\x08\x00truncated")),
        mail((f"{STEM}-1-2_1.xml", b"<?xml version='1.0'?><actes:ARActe")),
        b"Subject: r\xe9ponse\r\n\r\nD\xe9lib\xe9ration",
        b"\x00\x01\x02",
    ],
    ids=["no-message", "truncated-archive", "cut-xml", "latin-1", "no-mail"],
)
def test_F18_what_cannot_be_understood_is_kept_and_hides_nothing(
    deposit: Any, arrive: Any, strange: bytes
) -> None:
    act = deposit()
    unread, read = arrive(strange, acknowledged(act))
    assert unread.state in {InboundState.UNMATCHED, InboundState.FAILED}
    assert unread.message
    assert (read.state, again(act).state) == (InboundState.MATCHED, ActState.ACKNOWLEDGED)


def test_a_mail_anybody_wrote_acknowledges_nothing(deposit: Any, arrive: Any) -> None:
    act = deposit()
    forged = acknowledged(act).replace(b"interieur.example", b"example.org")
    (inbound,) = arrive(forged)
    assert (inbound.state, again(act).state) == (InboundState.DOUBTFUL, ActState.SENT)
    assert "example.org" in inbound.message
    assert act.identifier in inbound.message


def test_another_operator_acknowledges_nothing(deposit: Any, arrive: Any, town: Any) -> None:
    act = deposit()
    connection.set_schema_to_public()
    other = TransmissionOperator.objects.get(code="exercice")
    inbound, _ = delivery.keep(other, Return("1", "actes", "ar.eml"), acknowledged(act))
    delivery.understand(inbound_id=inbound.pk)
    assert Inbound.objects.get(pk=inbound.pk).state == InboundState.UNMATCHED
    connection.set_tenant(town)
    assert again(act).state == ActState.SENT


def test_what_a_return_answers_is_kept(deposit: Any, arrive: Any) -> None:
    act = deposit()
    (inbound,) = arrive(acknowledged(act))
    outbound = Answered.objects.get(inbound=inbound).outbound
    assert outbound.subject_id == act.transactions.get(kind="1-1").pk
