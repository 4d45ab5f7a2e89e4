"""Letters of the préfecture: received, acknowledged, told, read, answered."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import letter_page, letters, policies, replies, returns, tasks
from socle.actes.models import Act, ActState, Answer, Kind, Letter, LetterState, Transaction
from socle.actes.permissions import NotAllowed
from socle.actes.policies import CannotAnswer, NoAnswerReady
from socle.actes.protocol.archive import read_archive
from socle.actes.protocol.codes import MessageType
from socle.actes.protocol.read import read_message
from socle.actes.protocol.rules import InvalidDocument
from socle.actes.protocol.values import Reply
from socle.core.refusals import Refusal
from socle.delivery.handlers import Unmatched
from socle.delivery.models import Outbound, OutboundState
from socle.directory import queries as directory
from socle.directory.models import Grant, TransmissionRight
from socle.documents import actions as documents
from socle.documents.sniff import EmptyFile
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.actes import answers
from tests.actes.conftest import AT, PNG, somebody, upload
from tests.actes.test_returns import LATER, acknowledge, receive
from tests.documents import pdfs
from tests.people import person

Deposit = Callable[..., Act]
PAPER = pdfs.plain(text="Monsieur le Maire")
TWO_DAYS_AFTER = LATER + timedelta(days=2)


@pytest.fixture
def act(sent_act: Act) -> Act:
    """An act the préfecture has acknowledged."""
    acknowledge(sent_act)
    sent_act.refresh_from_db()
    return sent_act


def write(act: Act, code: str = "3-1", *, serial: int = 17, **said: Any) -> Letter:
    """The préfecture writes; its paper has another serial than its message."""
    name, paper = f"{act.identifier}-{code}_{serial}.xml", f"{act.identifier}-{code}_16.pdf"
    content = answers.letter(act, code, papers=(paper,), **said)
    receive("x.eml", answers.returned(name, content, papers={paper: PAPER}))
    return Letter.objects.order_by("pk").last()


def refer(act: Act, *papers: str) -> Letter:
    """The préfet refers the act to the court."""
    content = answers.court_referral(act, papers=papers)
    name = f"{act.identifier}-5-1_9.xml"
    receive("x.eml", answers.returned(name, content, papers=dict.fromkeys(papers, PAPER)))
    return Letter.objects.get()


def acknowledge_reply(act: Act, code: str = "3-5", **said: Any) -> None:
    name = f"{act.identifier}-{code}_30.xml"
    receive("y.eml", answers.returned(name, answers.reply_ack(act, code, **said)))


def taken(message: Transaction) -> None:
    """The operator takes what we sent."""
    outbound = Outbound.objects.get(subject_id=message.pk)
    outbound.state, outbound.sent_at = OutboundState.SENT, LATER
    outbound.save()
    returns.sent(outbound, LATER)


def answer(letter: Letter, by: Person, kind: str = "3-4", *uploads: Any) -> Answer:
    """Prepare and send an answer."""
    replies.prepare(
        letter_id=letter.pk, kind=kind, uploads=uploads or (upload(name="a.pdf"),), by=by, at=LATER
    )
    return replies.send(letter_id=letter.pk, by=by, at=LATER)


def state_of(letter: Letter) -> str:
    letter.refresh_from_db()
    return letter.state


# Reception.


def test_G01_a_courrier_simple_is_kept_without_acknowledgement(act: Act) -> None:
    letter = write(act, "2-1", dated="2026-11-20")
    assert (letter.act, letter.dated) == (act, date(2026, 11, 20))
    assert (letter.state, letter.receipt) == (LetterState.RECEIVED, None)
    assert not Transaction.objects.filter(kind__in=("3-2", "4-2")).exists()


def test_G02_a_paper_numbered_otherwise_and_the_whole_mail_are_kept(act: Act) -> None:
    letter = write(act, "2-1")
    [paper] = letter.files.all()
    assert paper.name.endswith("-2-1_16.pdf")
    assert documents.read(paper.stored) == PAPER
    assert b"logo.jpg" in documents.read(letter.mail)
    assert b"<h" in documents.read(letter.mail) or b"<html" in documents.read(letter.mail)


@pytest.mark.parametrize("papers", [(), ("a.pdf",), ("a.pdf", "b.pdf")])
def test_G06_G07_a_defere_keeps_all_its_papers_and_takes_no_answer(
    act: Act, papers: tuple[str, ...], ready: Person
) -> None:
    letter = refer(act, *papers)
    assert [one.name for one in letter.files.all()] == list(papers)
    assert (letter.state, letter.receipt, letter.text) == (
        LetterState.RECEIVED,
        None,
        "Incompétence",
    )
    with pytest.raises(CannotAnswer, match="tribunal"):
        replies.prepare(letter_id=letter.pk, kind="2-2", uploads=[upload()], by=ready, at=LATER)


@pytest.mark.parametrize(("code", "receipt"), [("3-1", "3-2"), ("4-1", "4-2")])
def test_G08_G09_the_acknowledgement_leaves_at_once_with_the_date_of_the_letter(
    act: Act, code: str, receipt: str
) -> None:
    letter = write(act, code, dated="2026-11-20", text="Le plan")
    assert (letter.state, letter.text) == (LetterState.RECEIPT_DUE, "Le plan")
    ours = letter.receipt
    assert ours is not None
    assert (ours.kind, ours.asked_by) == (receipt, act.deposited_by)
    sent = read_archive(documents.read(ours.archive))
    message = read_message("m.xml", sent[ours.message_name])
    assert isinstance(message, Reply)
    assert (str(message.acte), message.dated) == (act.identifier, date(2026, 11, 20))
    assert Outbound.objects.filter(subject_id=ours.pk).exists()
    taken(ours)
    assert state_of(letter) == LetterState.RECEIPT_SENT


def test_G10_the_same_letter_twice_is_one_letter_and_one_acknowledgement(act: Act) -> None:
    write(act, serial=17)
    write(act, serial=99)
    assert Letter.objects.count() == 1
    assert Transaction.objects.filter(kind="3-2").count() == 1
    assert Notice.objects.filter(key__startswith="actes.letter:").count() == 1


def test_two_letters_of_one_day_that_say_other_things_are_two(act: Act) -> None:
    write(act, text="Le plan")
    write(act, text="Le rapport")
    assert Letter.objects.count() == 2


def test_G21_a_letter_for_a_cancelled_act_is_kept_and_shown(act: Act) -> None:
    Act.objects.update(state=ActState.CANCELLED, cancelled_on=date(2026, 11, 24))
    assert write(act, "2-1").act == act


def test_G22_a_paper_that_did_not_come_is_named(act: Act) -> None:
    content = answers.letter(act, "2-1", papers=("perdu.pdf",))
    receive("x.eml", answers.returned("l.xml", content))
    [paper] = Letter.objects.get().files.all()
    assert (paper.name, paper.stored) == ("perdu.pdf", None)
    assert "« perdu.pdf »" in Notice.objects.filter(key__startswith="actes.letter:").last().body
    assert Entry.objects.filter(event="actes.letter_paper_missing").exists()


def test_a_letter_about_an_act_sent_by_others_stays_on_the_desk(act: Act) -> None:
    content = answers.letter(act, "2-1").replace(b"2026_017", b"2026_999")
    with pytest.raises(Unmatched, match="n’a pas été transmis d’ici"):
        receive("x.eml", answers.returned("l.xml", content))


def test_a_letter_never_changes_the_state_of_the_act(act: Act) -> None:
    write(act, "4-1")
    act.refresh_from_db()
    assert act.state == ActState.ACKNOWLEDGED


def test_an_answer_of_ours_that_comes_back_is_not_taken_for_a_letter(act: Act) -> None:
    content = answers.letter(act, "2-1").replace(b"CourrierSimple", b"ReponseCourrierSimple")
    with pytest.raises(Unmatched, match="n’est pas une réponse"):
        receive("x.eml", answers.returned("l.xml", content))


# Who is told, and acknowledgements that cannot leave.


def test_the_depositor_and_every_transmitter_are_told_once(act: Act, town: Any) -> None:
    colleague = somebody(Role.TRANSMITTER, town)
    somebody(Role.READER, town)
    gone = somebody(Role.TRANSMITTER, town)
    gone.grants.update(ends_on=date(2026, 1, 1))
    write(act)
    told = Notice.objects.filter(key__startswith="actes.letter:")
    assert {one.person for one in told} == {act.deposited_by, colleague}
    assert "/actes/courriers/" in told[0].url


def test_a_disabled_person_is_not_told(act: Act, town: Any) -> None:
    Person.objects.filter(pk=somebody(Role.TRANSMITTER, town).pk).update(is_active=False)
    write(act)
    told = Notice.objects.filter(key__startswith="actes.letter:")
    assert [one.person for one in told] == [act.deposited_by]


def test_a_transmitter_acknowledges_when_the_depositor_has_left(act: Act, town: Any) -> None:
    colleague = somebody(Role.TRANSMITTER, town)
    Grant.objects.filter(person=act.deposited_by).delete()
    letter = write(act)
    assert letter.receipt is not None
    assert letter.receipt.asked_by == colleague


def test_an_acknowledgement_nobody_may_send_waits_and_leaves_later(
    act: Act, right: TransmissionRight
) -> None:
    grants = Grant.objects.filter(person=act.deposited_by)
    grants.update(ends_on=date(2026, 1, 1))
    letter = write(act)
    assert (letter.state, letter.receipt) == (LetterState.RECEIPT_DUE, None)
    assert Entry.objects.filter(event="actes.receipt_waits").exists()
    grants.update(ends_on=None)
    assert letters.acknowledge_due(at=LATER) == 1
    assert letters.acknowledge_due(at=LATER) == 0
    letter.refresh_from_db()
    assert letter.receipt is not None


# Nothing unread for two days goes unnoticed.


def test_an_unread_letter_is_told_again_after_two_days_once(act: Act) -> None:
    write(act)
    assert letters.remind(at=TWO_DAYS_AFTER - timedelta(seconds=1)) == 0
    for _ in range(2):
        assert letters.remind(at=TWO_DAYS_AFTER) == 1
    assert Notice.objects.filter(key__endswith=":2", key__startswith="actes.letter:").count() == 1


def _told_to_the_syndicat() -> list[Notice]:
    return list(Notice.objects.filter(key__startswith="actes.letter_unread:"))


@pytest.fixture
def officer(town: Any) -> Person:
    """Who watches the corridor at the syndicat."""
    made = person(Role.OFFICER, at=directory.syndicat())
    made.grants.update(starts_on=date(2020, 1, 1))
    return made


def test_the_syndicat_is_told_of_a_letter_unread_for_four_days(
    act: Act, officer: Person, town: Any
) -> None:
    write(act)
    letters.remind(at=TWO_DAYS_AFTER)
    assert _told_to_the_syndicat() == []
    for _ in range(2):
        letters.remind(at=LATER + timedelta(days=4))
    [notice] = _told_to_the_syndicat()
    assert (notice.person, notice.organisation) == (officer, directory.syndicat())
    assert str(act.deposited_by) in notice.body
    assert "0549000000" in notice.body
    assert str(town.organisation) in notice.subject


def test_a_defere_unread_for_two_days_is_told_to_the_syndicat_at_once(
    act: Act, officer: Person
) -> None:
    refer(act)
    letters.remind(at=TWO_DAYS_AFTER)
    assert len(_told_to_the_syndicat()) == 1


def test_the_syndicat_is_told_when_nobody_is_left_in_the_commune(act: Act, officer: Person) -> None:
    write(act)
    Grant.objects.filter(person=act.deposited_by).delete()
    letters.remind(at=TWO_DAYS_AFTER)
    [notice] = _told_to_the_syndicat()
    assert "Plus personne" in notice.body


def test_the_legal_clock_is_a_date_and_days_left(act: Act) -> None:
    letter = write(act)
    case = letter_page.of(letter, at=LATER)
    assert (case.control_ends, case.control_left) == (date(2027, 1, 24), 61)
    assert letter_page.of(letter, at=LATER + timedelta(days=61)).control_left == 0
    assert letter_page.of(letter, at=LATER + timedelta(days=62)).control_left == -1


def test_a_letter_somebody_has_read_is_not_told_again(act: Act, ready: Person) -> None:
    letter = write(act)
    replies.mark_read(letter_id=letter.pk, by=ready, at=LATER)
    assert letters.remind(at=TWO_DAYS_AFTER) == 0


@pytest.mark.parametrize(("days", "step"), [(1, 0), (2, 2), (3, 2), (4, 4), (7, 4), (9, 8)])
def test_reminders_come_further_and_further_apart(days: int, step: int) -> None:
    assert policies.reminder_step(AT, AT + timedelta(days=days)) == step


def test_the_sweep_looks_at_every_commune(act: Act, town: Any, settings: Any) -> None:
    write(act)
    Letter.objects.update(received_at=AT - timedelta(days=3))
    connection.set_schema_to_public()
    assert tasks.remind_letters() == 1
    connection.set_tenant(town)
    assert Notice.objects.filter(subject__startswith="Toujours pas lu").exists()


# Reading.


def test_G19_a_letter_marked_as_read_is_unread_no_more(act: Act, ready: Person) -> None:
    letter = write(act)
    for _ in range(2):
        replies.mark_read(letter_id=letter.pk, by=ready, at=LATER)
    assert not Letter.objects.filter(read_at=None).exists()
    assert Entry.objects.filter(event="actes.letter_read").count() == 1


def test_a_reader_cannot_mark_a_letter_as_read(act: Act, town: Any) -> None:
    letter = write(act)
    with pytest.raises(NotAllowed):
        replies.mark_read(letter_id=letter.pk, by=somebody(Role.READER, town), at=LATER)


# Answering.


def test_G11_three_pieces_leave_in_one_message_and_are_acknowledged(
    act: Act, ready: Person
) -> None:
    letter = write(act, dated="2026-11-20")
    given = answer(
        letter,
        ready,
        "3-4",
        upload(name="a.pdf"),
        upload(PNG, name="b.png", typology="21_RP"),
        upload(name="c.pdf"),
    )
    assert state_of(letter) == LetterState.ANSWER_LEAVING
    taken(given.message)
    assert state_of(letter) == LetterState.ANSWER_SENT
    acknowledge_reply(act, dated="2026-11-20", on="2026-11-26")
    assert state_of(letter) == LetterState.ANSWERED
    given.message.refresh_from_db()
    assert (given.message.state, given.message.received_on) == (
        "acknowledged",
        date(2026, 11, 26),
    )
    assert [one.transmitted_name for one in given.files.all()] == [
        f"99_DE-{act.identifier}-3-4_1.pdf",
        f"21_RP-{act.identifier}-3-4_2.png",
        f"99_DE-{act.identifier}-3-4_3.pdf",
    ]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("2-1", "2-2"), ("3-1", "3-3"), ("3-1", "3-4"), ("4-1", "4-3"), ("4-1", "4-4")],
)
def test_an_answer_carries_the_date_of_the_letter_received(
    act: Act, ready: Person, code: str, kind: str
) -> None:
    given = answer(write(act, code, dated="2026-11-20"), ready, kind)
    sent = read_archive(documents.read(given.message.archive))
    message = read_message("m.xml", sent[given.message.message_name])
    assert isinstance(message, Reply)
    assert (message.type, message.dated) == (kind, date(2026, 11, 20))


def test_the_same_answer_acknowledged_twice_is_acknowledged_once(act: Act, ready: Person) -> None:
    answer(write(act), ready)
    for _ in range(2):
        acknowledge_reply(act)
    assert Transaction.objects.filter(kind="3-5").count() == 1


def test_an_acknowledgement_that_comes_before_the_operator_says_sent_stands(
    act: Act, ready: Person
) -> None:
    letter = write(act)
    given = answer(letter, ready)
    acknowledge_reply(act)
    taken(given.message)
    assert state_of(letter) == LetterState.ANSWERED


def test_G12_a_refusal_with_two_files_is_refused(act: Act, ready: Person) -> None:
    letter = write(act)
    with pytest.raises(InvalidDocument, match="un seul document"):
        replies.prepare(
            letter_id=letter.pk, kind="3-3", uploads=[upload(), upload()], by=ready, at=LATER
        )
    assert not Answer.objects.exists()


def test_G13_an_answer_without_file_is_refused(act: Act, ready: Person) -> None:
    letter = write(act)
    with pytest.raises(InvalidDocument, match="Joignez"):
        replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[], by=ready, at=LATER)


def test_an_empty_file_is_refused(act: Act, ready: Person) -> None:
    letter = write(act)
    with pytest.raises(EmptyFile):
        replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[upload(b"")], by=ready, at=LATER)


def test_G14_an_answer_the_letter_does_not_take_is_refused(act: Act, ready: Person) -> None:
    letter = write(act, "2-1")
    with pytest.raises(CannotAnswer, match="n’appelle pas"):
        replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[upload()], by=ready, at=LATER)


def test_G15_only_the_answer_to_the_letter_of_that_date_is_acknowledged(
    act: Act, ready: Person
) -> None:
    first, second = write(act, dated="2026-11-20"), write(act, dated="2026-11-23")
    answer(first, ready)
    answer(second, ready)
    acknowledge_reply(act, dated="2026-11-23")
    assert state_of(first) == LetterState.ANSWER_LEAVING
    assert state_of(second) == LetterState.ANSWERED


def test_G16_two_letters_of_one_type_are_both_kept(act: Act) -> None:
    write(act, dated="2026-11-20")
    write(act, dated="2026-11-23")
    assert Letter.objects.filter(kind="3-1").count() == 2


def test_G20_an_answer_without_chosen_type_gets_the_usual_one(act: Act, ready: Person) -> None:
    given = answer(write(act, "2-1"), ready, "2-2")
    assert [one.typology for one in given.files.all()] == ["99_DE"]


def test_a_second_answer_is_refused(act: Act, ready: Person) -> None:
    letter = write(act)
    answer(letter, ready)
    with pytest.raises(CannotAnswer, match="déjà"):
        replies.prepare(letter_id=letter.pk, kind="3-3", uploads=[upload()], by=ready, at=LATER)


def test_a_preparer_prepares_and_does_not_send(act: Act, town: Any) -> None:
    letter, helper = write(act), somebody(Role.PREPARER, town)
    replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[upload()], by=helper, at=LATER)
    with pytest.raises(NotAllowed):
        replies.send(letter_id=letter.pk, by=helper, at=LATER)
    assert state_of(letter) == LetterState.ANSWER_READY


def test_a_prepared_answer_is_given_up_and_another_takes_its_place(act: Act, ready: Person) -> None:
    letter = write(act)
    replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[upload()], by=ready, at=LATER)
    replies.drop(letter_id=letter.pk, by=ready, at=LATER)
    assert state_of(letter) == LetterState.RECEIPT_DUE
    with pytest.raises(NoAnswerReady):
        replies.send(letter_id=letter.pk, by=ready, at=LATER)
    answer(letter, ready, "3-3")
    assert state_of(letter) == LetterState.ANSWER_LEAVING


def test_preparing_an_answer_is_having_read_the_letter(act: Act, ready: Person) -> None:
    letter = write(act)
    replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[upload()], by=ready, at=LATER)
    letter.refresh_from_db()
    assert letter.read_by == ready


def test_F13_an_envelope_anomaly_on_an_answer_leaves_the_act_acknowledged(
    act: Act, ready: Person
) -> None:
    letter = write(act)
    given = answer(letter, ready)
    receive("x.eml", answers.mail({f"ANO_{given.message.envelope_name}": _refusal()}))
    act.refresh_from_db()
    given.refresh_from_db()
    assert act.state == ActState.ACKNOWLEDGED
    assert given.dropped_at is not None
    assert state_of(letter) == LetterState.RECEIPT_DUE
    assert Notice.objects.filter(key__startswith="actes.reply_refused").exists()


def _refusal() -> bytes:
    return answers.envelope_anomaly(detail="Document illisible")


def test_an_acknowledgement_after_an_anomaly_still_counts(act: Act, ready: Person) -> None:
    letter = write(act)
    given = answer(letter, ready)
    receive("x.eml", answers.mail({f"ANO_{given.message.envelope_name}": _refusal()}))
    acknowledge_reply(act)
    assert state_of(letter) == LetterState.ANSWERED


def test_an_answer_the_operator_refuses_is_told(act: Act, ready: Person) -> None:
    letter = write(act)
    given = answer(letter, ready)
    outbound = Outbound.objects.get(subject_id=given.message.pk)
    returns.refused(outbound, "compte fermé.", LATER)
    assert state_of(letter) == LetterState.ANSWER_LEAVING
    assert Notice.objects.filter(key__startswith="actes.reply_not_taken").exists()


def test_an_acknowledgement_of_no_answer_of_ours_stays_on_the_desk(act: Act) -> None:
    write(act)
    with pytest.raises(Unmatched, match="Aucune réponse partie d’ici"):
        acknowledge_reply(act)


def test_an_answer_leaves_only_under_a_living_convention(
    act: Act, ready: Person, right: TransmissionRight
) -> None:
    letter = write(act)
    replies.prepare(letter_id=letter.pk, kind="3-4", uploads=[upload()], by=ready, at=LATER)
    right.delete()
    with pytest.raises(Refusal):
        replies.send(letter_id=letter.pk, by=ready, at=LATER)
    assert state_of(letter) == LetterState.ANSWER_READY


# The clock.


@pytest.mark.parametrize(
    ("received", "nature", "ends"),
    [
        (date(2026, 11, 24), 1, date(2027, 1, 24)),
        (date(2026, 11, 24), 5, date(2026, 12, 24)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2027, 12, 30), 2, date(2028, 2, 29)),
    ],
)
def test_the_prefet_has_two_months_and_one_for_a_budget(
    received: date, nature: int, ends: date
) -> None:
    assert policies.control_ends(received, nature) == ends


def test_every_state_of_a_letter_has_its_transitions_and_its_tone() -> None:
    assert policies.LETTER_TRANSITIONS.keys() == set(LetterState) == policies.LETTER_TONES.keys()


def test_the_kinds_of_the_room_are_those_of_the_norm() -> None:
    assert {kind.value for kind in Kind} - {"ano"} == {kind.value for kind in MessageType}
