"""What comes back: matched, proven, told, and never undone."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from socle.accounts.models import Person
from socle.actes import actions, policies, queries, returns
from socle.actes.models import (
    Act,
    ActState,
    ClassificationVersion,
    Kind,
    Transaction,
    TransactionState,
)
from socle.core.refusals import Refusal
from socle.delivery import actions as delivery
from socle.delivery.adapters import Return
from socle.delivery.handlers import Unmatched
from socle.delivery.models import Inbound, InboundState, Outbound, TransmissionOperator
from socle.delivery.origin import Origin
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from socle.exercise.protocol.classification import CURRENT, full_return, unchanged_return
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.actes import answers
from tests.actes.conftest import AT, PDF, PNG, hand_over, transaction_of, upload
from tests.documents import pdfs

Deposit = Callable[..., Act]
LATER = datetime(2026, 11, 24, 14, tzinfo=UTC)


def exercise() -> Origin:
    return Origin(TransmissionOperator.objects.get(code="exercice"), Protocol.ACTES)


def receive(name: str, raw: bytes, *, at: datetime = LATER) -> int:
    """As the corridor does: from the public schema, in a transaction."""
    here = connection.tenant
    connection.set_schema_to_public()
    try:
        return returns.receive(name, raw, at, exercise())
    finally:
        connection.set_tenant(here)


def acknowledge(act: Act, *, at: datetime = LATER, **said: Any) -> int:
    name = answers.ar_name(act)
    raw = answers.returned(name, answers.acknowledgement(act, **said))
    return receive(f"{name}.eml", raw, at=at)


def state_of(act: Act) -> str:
    act.refresh_from_db()
    return act.state


# The acknowledgement.


def test_an_acknowledgement_makes_the_act_acknowledged(sent_act: Act, town: Any) -> None:
    assert acknowledge(sent_act) == town.organisation_id
    assert state_of(sent_act) == ActState.ACKNOWLEDGED
    assert sent_act.received_on == date(2026, 11, 24)


def test_the_day_kept_is_the_one_the_state_says(sent_act: Act) -> None:
    acknowledge(sent_act, on="2026-11-23")
    assert state_of(sent_act) == ActState.ACKNOWLEDGED
    assert sent_act.received_on == date(2026, 11, 23)


def test_the_message_is_kept_byte_for_byte(sent_act: Act) -> None:
    acknowledge(sent_act)
    answer = sent_act.transactions.get(kind=Kind.ACKNOWLEDGEMENT)
    assert answer.parent == transaction_of(sent_act)
    assert answer.message is not None
    assert documents.read(answer.message) == answers.acknowledgement(sent_act)


def test_the_bordereau_tells_the_proof(sent_act: Act) -> None:
    acknowledge(sent_act)
    sent_act.refresh_from_db()
    assert sent_act.bordereau is not None
    said = unbroken(pdfs.words(documents.read(sent_act.bordereau)))
    for words in (
        "Bordereau d’acquittement",
        "Melle",
        sent_act.identifier,
        "24/11/2026",
        "5.2 Institutions et vie politique / Fonctionnement des assemblées",
        "délib n°1 (v2).pdf",
        f"99_DE-{sent_act.identifier}-1-1_1.pdf",
        sent_act.deposited_by_label,
        "Opérateur d’exercice",
        "EXE-TACT--200081511--20261124-1.tar.gz",
        "aucune valeur juridique",
    ):
        assert unbroken(words) in said


def unbroken(words: str) -> str:
    """Words without what the end of a line put in them."""
    return "".join(one for one in words if one.isprintable() and not one.isspace())


@pytest.mark.parametrize("exercise", [True, False])
def test_the_proofs_of_an_exercise_and_no_others_are_marked(sent_act: Act, exercise: bool) -> None:
    Transaction.objects.update(exercise=exercise)
    acknowledge(sent_act)
    sent_act.refresh_from_db()
    for stored in (sent_act.bordereau, sent_act.files.get().stamped):
        assert ("EXERCICE" in pdfs.words(documents.read(stored))) is exercise


def test_each_pdf_gets_a_stamped_copy_and_keeps_its_original(deposit: Deposit) -> None:
    act = deposit(annexes=(upload(PNG, "plan.png"), upload(name="annexe.pdf")))
    hand_over(act)
    acknowledge(act)
    main, plan, annexe = act.files.select_related("stored", "stamped").order_by("rank")
    said = pdfs.words(documents.read(main.stamped))
    assert act.identifier in said
    assert "Reçu le 24/11/2026" in said
    assert "Publié" not in said
    assert documents.read(main.stored) == PDF
    assert plan.stamped is None
    assert annexe.stamped is not None


def test_a_pdf_no_tool_can_stamp_does_not_lose_the_acknowledgement(
    sent_act: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> bytes:
        raise RuntimeError("strange PDF")

    monkeypatch.setattr("socle.actes.proofs.stamp", broken)
    acknowledge(sent_act)
    assert state_of(sent_act) == ActState.ACKNOWLEDGED
    assert "joignez le bordereau" in sent_act.files.get().not_stamped_because


def test_the_history_and_the_depositor_are_told(sent_act: Act, ready: Person) -> None:
    acknowledge(sent_act)
    entry = Entry.objects.get(event="actes.acknowledged")
    assert entry.actor_label == "Préfecture d’exercice"
    assert "reçu en préfecture le 24/11/2026" in entry.sentence
    notice = Notice.objects.get(person=ready)
    assert notice.subject == "L’acte 2026_017 est acquitté"
    assert notice.url == f"http://melle.localhost/actes/{sent_act.pk}/"


def test_an_act_published_before_is_enforceable_at_once(sent_act: Act, ready: Person) -> None:
    actions.set_published(act_id=sent_act.pk, on=date(2026, 11, 22), by=ready, at=AT)
    acknowledge(sent_act)
    sent_act.refresh_from_db()
    assert sent_act.enforceable_on == date(2026, 11, 24)
    assert "exécutoire depuis le 24/11/2026" in Notice.objects.get(person=ready).body


def test_an_act_nobody_published_is_not_enforceable(sent_act: Act) -> None:
    acknowledge(sent_act)
    sent_act.refresh_from_db()
    assert sent_act.enforceable_on is None


def test_the_same_acknowledgement_twice_changes_nothing(sent_act: Act) -> None:
    acknowledge(sent_act)
    before = Entry.objects.count(), Notice.objects.count(), Transaction.objects.count()
    acknowledge(sent_act, on="2026-11-25")
    assert (Entry.objects.count(), Notice.objects.count(), Transaction.objects.count()) == before
    sent_act.refresh_from_db()
    assert sent_act.received_on == date(2026, 11, 24)


def test_an_acknowledgement_that_overtakes_the_hand_over_stands(deposit: Deposit) -> None:
    act = deposit()
    acknowledge(act)
    hand_over(act)
    assert state_of(act) == ActState.ACKNOWLEDGED
    assert transaction_of(act).sent_at is not None


def test_an_acknowledgement_for_an_unknown_act_matches_nothing(sent_act: Act) -> None:
    other = "079-200081511-20261120-2026_099-DE"
    with pytest.raises(Unmatched, match=f"l’identifiant {other}"):
        acknowledge(sent_act, identifier=other)
    assert state_of(sent_act) == ActState.SENT


def test_an_acknowledgement_for_a_stranger_matches_nothing(sent_act: Act) -> None:
    name = answers.ar_name(sent_act)
    raw = answers.returned(name, answers.acknowledgement(sent_act), siren="999999999")
    with pytest.raises(Unmatched, match="SIREN 999999999"):
        receive("x.eml", raw)


def test_the_envelope_of_a_neighbour_does_not_reach_our_act(sent_act: Act, neighbour: Any) -> None:
    name = answers.ar_name(sent_act)
    raw = answers.returned(
        name, answers.acknowledgement(sent_act), siren=neighbour.organisation.siren
    )
    with pytest.raises(Unmatched):
        receive("x.eml", raw)
    assert state_of(sent_act) == ActState.SENT


def test_a_bare_message_names_its_commune_itself(sent_act: Act) -> None:
    receive(answers.ar_name(sent_act), answers.acknowledgement(sent_act))
    assert state_of(sent_act) == ActState.ACKNOWLEDGED


def test_an_archive_is_read_as_well_as_a_mail(sent_act: Act) -> None:
    name = answers.ar_name(sent_act)
    raw = answers.tar_gz(
        {"EACT--PREF079.xml": answers.envelope(name), name: answers.acknowledgement(sent_act)}
    )
    receive("retour.tar.gz", raw)
    assert state_of(sent_act) == ActState.ACKNOWLEDGED


def test_an_archive_attached_to_a_mail_is_opened(sent_act: Act) -> None:
    name = answers.ar_name(sent_act)
    inside = answers.tar_gz({name: answers.acknowledgement(sent_act)})
    receive("retour.eml", answers.mail({"retour.tar.gz": inside}))
    assert state_of(sent_act) == ActState.ACKNOWLEDGED


def test_a_draft_of_the_same_number_is_untouched(sent_act: Act, ready: Person) -> None:
    draft = actions.save_draft(
        facts=actions.Facts("2026_017", 1, "5.2", date(2026, 11, 20), "Autre"), by=ready, at=AT
    )
    acknowledge(sent_act)
    assert state_of(draft) == ActState.DRAFT


def test_one_unknown_message_does_not_lose_the_others(deposit: Deposit) -> None:
    first, third = deposit(), deposit(number="2026_018")
    unknown = "079-200081511-20261120-2026_099-DE"
    raw = answers.mail(
        {
            "e.xml": answers.envelope("a.xml"),
            "a.xml": answers.acknowledgement(first),
            "b.xml": answers.acknowledgement(first, identifier=unknown),
            "c.xml": answers.acknowledgement(third),
        }
    )
    receive("trois.eml", raw)
    assert {state_of(first), state_of(third)} == {ActState.ACKNOWLEDGED}
    assert unknown in Entry.objects.get(event="actes.unmatched").sentence


# What must not be read.


def test_a_dtd_is_not_read(sent_act: Act) -> None:
    name = answers.ar_name(sent_act)
    hostile = answers.acknowledgement(sent_act).replace(
        b"<actes:ARActe", b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><actes:ARActe'
    )
    with pytest.raises(Refusal, match="DTD"):
        receive("x.eml", answers.returned(name, hostile))
    assert state_of(sent_act) == ActState.SENT


def test_an_archive_that_climbs_out_is_not_opened(sent_act: Act) -> None:
    raw = answers.tar_gz({"../../etc/cron.d/x": answers.acknowledgement(sent_act)})
    with pytest.raises(Refusal, match="entrée interdite"):
        receive("x.tar.gz", raw)
    assert state_of(sent_act) == ActState.SENT


def test_an_act_a_copier_padded_is_stamped_like_another(
    deposit: Callable[..., Act], town: Any
) -> None:
    act = deposit(main=upload(PDF + b"\0" * 4845))
    hand_over(act)
    acknowledge(act)
    stamped = act.files.get().stamped
    assert stamped is not None
    assert "Accusé de réception" in pdfs.words(documents.read(stamped))


def test_a_broken_archive_is_said_to_be_one(portal: Any) -> None:
    with pytest.raises(Refusal, match=r"tar\.gz lisible"):
        returns.receive("x.tar.gz", b"\x1f\x8b broken", LATER, exercise())


def test_a_mail_without_message_matches_nothing(portal: Any) -> None:
    with pytest.raises(Unmatched, match="ne contient aucun message"):
        returns.receive("x.eml", answers.mail({"logo.jpg": b"\xff\xd8\xff"}), LATER, exercise())


def test_an_acknowledgement_without_its_day_acknowledges_nothing(sent_act: Act) -> None:
    cut = answers.acknowledgement(sent_act).replace(b' actes:DateReception="2026-11-24"', b"")
    with pytest.raises(Refusal, match="date de réception"):
        receive("x.eml", answers.returned(answers.ar_name(sent_act), cut))
    assert state_of(sent_act) == ActState.SENT


def test_a_message_of_another_kind_stays_on_the_desk(sent_act: Act) -> None:
    letter = answers.cancellation_ack(sent_act.identifier).replace(
        b"ARAnnulation", b"CourrierInconnu"
    )
    with pytest.raises(Unmatched, match="n'est pas un message @CTES connu"):
        receive("x.eml", answers.returned("lettre.xml", letter))


def reminder(act: Act, words: str) -> bytes:
    """A mail of the ministry without XML, with its logo."""
    message = EmailMessage()
    message["Subject"] = "[@CTES] Transmission"
    page = f"<html><p>Identifiant Acte : <b>{act.identifier}</b></p><p>{words}</p></html>"
    message.set_content(page, subtype="html")
    message.add_attachment(b"\xff\xd8\xff", maintype="image", subtype="jpeg", filename="logo.jpg")
    return bytes(message)


def test_F17_a_reminder_of_pieces_on_paper_is_noted_and_changes_nothing(
    sent_act: Act, town: Any
) -> None:
    raw = reminder(sent_act, "Cette transmission est multi-canal : envoyez les pièces.")
    assert receive("x.eml", raw) == town.organisation_id
    assert state_of(sent_act) == ActState.SENT
    assert Entry.objects.filter(event="actes.paper_reminder").exists()


def test_F18_another_mail_without_message_stays_on_the_desk(sent_act: Act) -> None:
    with pytest.raises(Unmatched, match="aucun message"):
        receive("x.eml", reminder(sent_act, "Bonne année"))


def test_F17_a_reminder_about_an_act_of_others_stays_on_the_desk(sent_act: Act) -> None:
    raw = reminder(sent_act, "multicanal").replace(b"2026_017", b"2026_999")
    with pytest.raises(Unmatched, match="Aucun acte"):
        receive("x.eml", raw)


# Anomalies.


def anomaly(act: Act, **said: Any) -> None:
    name = "079-200081511----1-3_1.xml"
    receive("x.eml", answers.returned(name, answers.anomaly(act, **said)))


def test_an_anomaly_is_matched_by_what_it_echoes(sent_act: Act, ready: Person) -> None:
    anomaly(sent_act, detail="Objet manifestement illisible à l'écran")
    assert state_of(sent_act) == ActState.ANOMALY
    ours = transaction_of(sent_act)
    assert (ours.anomaly_nature, ours.state) == ("042", TransactionState.ANOMALY)
    assert "refusé par la préfecture" in Entry.objects.get(event="actes.anomaly").sentence
    assert "Objet manifestement" in Notice.objects.get(person=ready).body


def test_an_anomaly_without_detail_is_one_all_the_same(sent_act: Act) -> None:
    anomaly(sent_act, detail="")
    assert state_of(sent_act) == ActState.ANOMALY


def test_a_late_anomaly_never_undoes_an_acknowledgement(sent_act: Act) -> None:
    acknowledge(sent_act)
    anomaly(sent_act)
    assert state_of(sent_act) == ActState.ACKNOWLEDGED
    ours = transaction_of(sent_act)
    assert (ours.state, ours.anomaly_nature) == (TransactionState.ACKNOWLEDGED, "")
    assert "qui reste valable" in Entry.objects.get(event="actes.late_anomaly").sentence


def test_the_same_anomaly_twice_is_told_once(sent_act: Act, ready: Person) -> None:
    anomaly(sent_act)
    anomaly(sent_act)
    assert Notice.objects.filter(person=ready).count() == 1
    assert Entry.objects.filter(event="actes.anomaly").count() == 1


def test_an_acknowledgement_after_an_anomaly_is_the_truth(sent_act: Act) -> None:
    anomaly(sent_act)
    acknowledge(sent_act)
    assert state_of(sent_act) == ActState.ACKNOWLEDGED


def test_it_is_not_when_another_act_took_the_number(sent_act: Act, deposit: Deposit) -> None:
    anomaly(sent_act)
    deposit(decided_on=date(2026, 11, 21))
    with pytest.raises(Unmatched, match="demandez à la préfecture lequel elle garde"):
        acknowledge(sent_act)


def test_an_anomaly_on_nothing_we_sent_matches_nothing(sent_act: Act) -> None:
    sent_act.number = "2026_099"
    with pytest.raises(Unmatched, match="ne correspond à aucun acte"):
        anomaly(sent_act)


def test_an_envelope_anomaly_is_matched_by_its_file_name(sent_act: Act) -> None:
    name = f"ANO_{transaction_of(sent_act).envelope_name}"
    receive("x.eml", answers.mail({name: answers.envelope_anomaly()}))
    assert state_of(sent_act) == ActState.ANOMALY
    assert transaction_of(sent_act).anomaly_detail.startswith("PREF-VERIF-02")


def test_an_envelope_anomaly_on_nothing_we_sent_matches_nothing(sent_act: Act) -> None:
    raw = answers.mail({"ANO_TACT--200081511--20261124-9.xml": answers.envelope_anomaly()})
    with pytest.raises(Unmatched, match="aucune enveloppe partie d’ici"):
        receive("x.eml", raw)


def test_a_refused_act_is_corrected_in_a_new_draft(sent_act: Act, ready: Person) -> None:
    anomaly(sent_act)
    draft = actions.correct(act_id=sent_act.pk, by=ready, at=LATER)
    assert (draft.state, draft.number, draft.replaces) == (ActState.DRAFT, "2026_017", sent_act)
    assert draft.files.get().stored == sent_act.files.get().stored
    assert actions.correct(act_id=sent_act.pk, by=ready, at=LATER) == draft
    assert actions.transmit(act_id=draft.pk, by=ready, at=LATER).state == ActState.QUEUED


def test_a_correction_gets_the_next_number_when_its_own_is_taken(
    sent_act: Act, deposit: Deposit, ready: Person
) -> None:
    anomaly(sent_act)
    deposit()
    assert actions.correct(act_id=sent_act.pk, by=ready, at=LATER).number == "2026_018"


def test_only_a_refused_act_is_corrected(sent_act: Act, ready: Person) -> None:
    with pytest.raises(policies.CannotCorrect):
        actions.correct(act_id=sent_act.pk, by=ready, at=LATER)


def test_a_thrown_away_correction_leaves_the_refused_act_its_files(
    sent_act: Act, ready: Person
) -> None:
    anomaly(sent_act)
    draft = actions.correct(act_id=sent_act.pk, by=ready, at=LATER)
    actions.discard(act_id=draft.pk, by=ready, at=LATER)
    assert documents.read(sent_act.files.get().stored) == PDF


# The operator.


def test_a_file_the_operator_refuses_is_told(deposit: Deposit, ready: Person) -> None:
    act = deposit()
    returns.refused(Outbound.objects.get(), "archive illisible.", LATER)
    assert state_of(act) == ActState.REFUSED
    assert "n’est pas parti" in Notice.objects.get(person=ready).subject
    assert "archive illisible" in Entry.objects.get(event="actes.operator_refused").sentence


def test_a_file_refused_then_sent_goes_on(deposit: Deposit) -> None:
    act = deposit()
    returns.refused(Outbound.objects.get(), "panne.", LATER)
    hand_over(act)
    assert state_of(act) == ActState.SENT


def test_what_went_already_is_not_sent_again(sent_act: Act) -> None:
    with pytest.raises(policies.NothingToSend):
        returns.check(Outbound.objects.get(), LATER)


def test_a_person_who_lost_the_right_sends_nothing_more(deposit: Deposit, ready: Person) -> None:
    deposit()
    ready.grants.update(roles=["reader"])
    with pytest.raises(returns.permissions.NotAllowed):
        returns.check(Outbound.objects.get(), LATER)


# The cancellation.


def test_a_cancellation_goes_and_is_acknowledged(sent_act: Act, ready: Person) -> None:
    acknowledge(sent_act)
    actions.cancel(act_id=sent_act.pk, by=ready, at=LATER)
    assert state_of(sent_act) == ActState.CANCELLING
    assert Outbound.objects.last().name == "EXE-TACT--200081511--20261124-2.tar.gz"
    hand_over(sent_act, "6-1")
    name = answers.ar_name(sent_act, "6-2")
    receive("x.eml", answers.returned(name, answers.cancellation_ack(sent_act.identifier)))
    assert state_of(sent_act) == ActState.CANCELLED
    assert sent_act.cancelled_on == date(2026, 11, 25)
    said = pdfs.words(documents.read(sent_act.bordereau))
    assert "Annulé le" in said
    assert "25/11/2026" in said


def test_only_an_acknowledged_act_is_cancelled(sent_act: Act, ready: Person) -> None:
    with pytest.raises(policies.CannotCancel, match="attendez son accusé"):
        actions.cancel(act_id=sent_act.pk, by=ready, at=LATER)


def test_an_act_is_cancelled_once(sent_act: Act, ready: Person) -> None:
    acknowledge(sent_act)
    actions.cancel(act_id=sent_act.pk, by=ready, at=LATER)
    with pytest.raises(policies.CannotCancel, match="déjà demandée"):
        actions.cancel(act_id=sent_act.pk, by=ready, at=LATER)


def test_a_refused_cancellation_leaves_the_act_acknowledged_and_can_be_asked_again(
    sent_act: Act, ready: Person
) -> None:
    acknowledge(sent_act)
    ours = actions.cancel(act_id=sent_act.pk, by=ready, at=LATER)
    raw = answers.mail({f"ANO_{ours.envelope_name}": answers.envelope_anomaly()})
    receive("x.eml", raw)
    assert state_of(sent_act) == ActState.ACKNOWLEDGED
    assert transaction_of(sent_act).state == TransactionState.ACKNOWLEDGED
    assert (
        "Annulation de l’acte 2026_017 refusée"
        in Entry.objects.get(event="actes.cancellation_failed").sentence
    )
    actions.cancel(act_id=sent_act.pk, by=ready, at=LATER)
    assert state_of(sent_act) == ActState.CANCELLING


def test_a_cancelled_act_gives_its_number_back(
    sent_act: Act, ready: Person, deposit: Deposit
) -> None:
    acknowledge(sent_act)
    actions.cancel(act_id=sent_act.pk, by=ready, at=LATER)
    receive("x.xml", answers.cancellation_ack(sent_act.identifier))
    assert deposit().state == ActState.QUEUED


def test_a_cancellation_nobody_asked_for_matches_nothing(sent_act: Act) -> None:
    with pytest.raises(Unmatched, match="Aucune annulation"):
        receive("x.xml", answers.cancellation_ack(sent_act.identifier))


# The publication.


def test_a_publication_makes_the_act_enforceable_and_is_stamped(
    sent_act: Act, ready: Person
) -> None:
    acknowledge(sent_act)
    actions.set_published(act_id=sent_act.pk, on=date(2026, 11, 24), by=ready, at=LATER)
    sent_act.refresh_from_db()
    assert sent_act.enforceable_on == date(2026, 11, 24)
    assert "Publié le 24/11/2026" in pdfs.words(documents.read(sent_act.files.get().stamped))
    assert "Exécutoire le" in pdfs.words(documents.read(sent_act.bordereau))


def test_a_publication_can_be_taken_back(sent_act: Act, ready: Person) -> None:
    acknowledge(sent_act)
    for day in (date(2026, 11, 24), None):
        actions.set_published(act_id=sent_act.pk, on=day, by=ready, at=LATER)
    sent_act.refresh_from_db()
    assert sent_act.enforceable_on is None
    assert "Publié" not in pdfs.words(documents.read(sent_act.files.get().stamped))


@pytest.mark.parametrize(
    ("day", "words"),
    [(date(2026, 11, 19), "avant d’être décidé"), (date(2026, 11, 25), "dans le futur")],
)
def test_a_publication_day_must_make_sense(
    sent_act: Act, ready: Person, day: date, words: str
) -> None:
    with pytest.raises(policies.CannotPublish, match=words):
        actions.set_published(act_id=sent_act.pk, on=day, by=ready, at=LATER)


# The classification.


@pytest.fixture
def waiting_act(right: TransmissionRight, secretary: Person) -> Act:
    """The first act of a commune whose préfecture sent no classification yet."""
    return actions.deposit(
        facts=actions.Facts("2026_001", 1, "5.2", date(2026, 11, 20), "Objet"),
        main=upload(),
        by=secretary,
        at=AT,
    )


def test_the_first_act_waits_while_the_classification_is_asked(waiting_act: Act) -> None:
    assert waiting_act.state == ActState.WAITING
    assert [one.kind for one in Transaction.objects.all()] == [Kind.CLASSIFICATION_REQUEST]
    assert "partira dès que" in Entry.objects.get(event="actes.waiting").sentence


def test_it_leaves_when_the_classification_comes(waiting_act: Act, secretary: Person) -> None:
    name = "079-200081511----7-2_1.xml"
    receive("x.eml", answers.returned(name, full_return(CURRENT)))
    assert state_of(waiting_act) == ActState.QUEUED
    assert waiting_act.classification_date == CURRENT.day
    assert waiting_act.deposited_by == secretary
    assert ClassificationVersion.objects.get().date == CURRENT.day


def test_it_is_given_back_when_the_new_classification_refuses_it(
    waiting_act: Act, secretary: Person
) -> None:
    waiting_act.matter = "7.10"
    waiting_act.save()
    raw = full_return(CURRENT).replace(b'CodeMatiere="10"', b'CodeMatiere="11"')
    receive("x.eml", answers.returned("079-200081511----7-2_1.xml", raw))
    assert state_of(waiting_act) == ActState.DRAFT
    assert "7.10 n'existe pas" in Notice.objects.get(person=secretary).body


def test_it_is_given_back_when_the_request_is_refused(waiting_act: Act, secretary: Person) -> None:
    name = f"ANO_{Transaction.objects.get().envelope_name}"
    receive("x.eml", answers.mail({name: answers.envelope_anomaly()}))
    assert state_of(waiting_act) == ActState.DRAFT
    assert "SIREN inconnu" in Notice.objects.get(person=secretary).body


def test_it_can_be_taken_back(waiting_act: Act, secretary: Person) -> None:
    actions.take_back(act_id=waiting_act.pk, by=secretary, at=LATER)
    assert state_of(waiting_act) == ActState.DRAFT
    with pytest.raises(policies.NotWaiting):
        actions.take_back(act_id=waiting_act.pk, by=secretary, at=LATER)


def test_the_classification_is_asked_once_for_several_acts(
    waiting_act: Act, secretary: Person
) -> None:
    actions.deposit(
        facts=actions.Facts("2026_002", 1, "5.2", date(2026, 11, 20), "Objet"),
        main=upload(),
        by=secretary,
        at=AT,
    )
    assert Transaction.objects.count() == 1
    receive("x.eml", answers.returned("079-200081511----7-2_1.xml", full_return(CURRENT)))
    assert Transaction.objects.filter(kind=Kind.ACTE).count() == 2


def test_an_unchanged_classification_ends_the_request(sent_act: Act, ready: Person) -> None:
    ours = returns.sending.ask_classification(ground=returns.Ground(by=ready, at=LATER))
    assert ours is not None
    receive("x.eml", answers.returned("079-200081511----7-3_1.xml", unchanged_return(CURRENT)))
    ours.refresh_from_db()
    assert ours.state == TransactionState.ACKNOWLEDGED
    assert returns.sending.ask_classification(ground=returns.Ground(by=ready, at=LATER)) is None


def test_a_newer_classification_is_asked_for(sent_act: Act) -> None:
    acknowledge(sent_act, current="2026-10-01")
    assert Transaction.objects.filter(kind=Kind.CLASSIFICATION_REQUEST).count() == 1


def test_so_is_it_after_an_anomaly_that_says_so(sent_act: Act) -> None:
    raw = answers.anomaly(sent_act, nature="002", detail="ODT-VERIF-01 : date de classification")
    raw = raw.replace(b"2025-01-01", b"2026-10-01")
    receive("x.eml", answers.returned("079-200081511----1-3_1.xml", raw))
    assert Transaction.objects.filter(kind=Kind.CLASSIFICATION_REQUEST).count() == 1


def test_a_convention_suspended_meanwhile_keeps_the_acknowledgement(
    sent_act: Act, right: TransmissionRight
) -> None:
    right.suspended_on, right.suspension_reason = date(2026, 11, 1), "incident"
    right.save()
    acknowledge(sent_act, current="2026-10-01")
    assert state_of(sent_act) == ActState.ACKNOWLEDGED
    assert "incident" in Entry.objects.get(event="actes.classification_not_asked").sentence


# What cannot be right waits for a person.


def keep_and_read(raw: bytes) -> Inbound:
    """As the corridor does, at the operator of the exercise; the return, read back."""
    here = connection.tenant
    connection.set_schema_to_public()
    try:
        operator = TransmissionOperator.objects.get(code="exercice")
        kept, _ = delivery.keep(operator, Return("1", "actes", "ar.eml"), raw)
        delivery.understand(inbound_id=kept.pk)
        return Inbound.objects.get(pk=kept.pk)
    finally:
        connection.set_tenant(here)


def on(act: Act, day: date) -> bytes:
    """An acknowledgement dated `day`, which may be of the year 1."""
    return answers.returned(
        answers.ar_name(act),
        answers.acknowledgement(act, on=f"{day.year:04}-{day:%m-%d}"),
    )


def test_an_acknowledgement_on_an_impossible_day_waits_for_a_person(sent_act: Act) -> None:
    before = sent_act.decided_on - timedelta(days=1)
    after = timezone.now().date() + timedelta(days=3)
    for day, why in (
        (date(1, 1, 1), "impossible"),
        (before, "précède la décision"),
        (after, "à venir"),
    ):
        inbound = keep_and_read(on(sent_act, day))
        assert inbound.state == InboundState.DOUBTFUL, day
        assert why in inbound.message
        assert sent_act.identifier in inbound.message
        assert state_of(sent_act) == ActState.SENT


def test_an_echo_of_another_act_waits_for_a_person(sent_act: Act) -> None:
    whole = answers.acknowledgement(sent_act).decode("iso-8859-1")
    for said, other in (
        (f'NumeroInterne="{sent_act.number}"', 'NumeroInterne="2026_999"'),
        (f'CodeNatureActe="{sent_act.nature}"', 'CodeNatureActe="6"'),
        (f'actes:Date="{sent_act.decided_on}"', 'actes:Date="2025-02-03"'),
        (f"<actes:Objet>{sent_act.objet}<", "<actes:Objet>Tout autre chose<"),
    ):
        assert said in whole
        forged = whole.replace(said, other).encode("iso-8859-1")
        inbound = keep_and_read(answers.returned(answers.ar_name(sent_act), forged))
        assert (inbound.state, state_of(sent_act)) == (InboundState.DOUBTFUL, ActState.SENT), said
        assert "nomme un autre acte" in inbound.message


def test_once_confirmed_the_acknowledgement_applies(sent_act: Act, town: Any) -> None:
    inbound = keep_and_read(on(sent_act, sent_act.decided_on - timedelta(days=1)))
    connection.set_schema_to_public()
    who = Person.objects.get(pk=sent_act.deposited_by_id)
    delivery.confirm(inbound_id=inbound.pk, by=who, at=timezone.now())
    assert Inbound.objects.get(pk=inbound.pk).state == InboundState.MATCHED
    connection.set_tenant(town)
    assert state_of(sent_act) == ActState.ACKNOWLEDGED


def test_a_request_nobody_answers_ends_by_age_and_one_answer_ends_all(
    sent_act: Act, ready: Person
) -> None:
    ask = returns.sending.ask_classification
    first = ask(ground=returns.Ground(by=ready, at=LATER))
    soon = LATER + policies.REQUEST_ENDS - timedelta(days=1)
    assert ask(ground=returns.Ground(by=ready, at=soon)) is None
    second = ask(ground=returns.Ground(by=ready, at=LATER + policies.REQUEST_ENDS))
    assert first
    assert second
    receive("x.eml", answers.returned("079-200081511----7-2_1.xml", full_return(CURRENT)))
    states = Transaction.objects.filter(pk__in=(first.pk, second.pk)).values_list("state")
    assert set(states) == {(TransactionState.ACKNOWLEDGED,)}


def test_the_classification_held_is_the_latest_by_date(sent_act: Act, ready: Person) -> None:
    held = ClassificationVersion.objects.order_by("-date").first()
    assert held is not None
    returns.sending.ask_classification(ground=returns.Ground(by=ready, at=LATER))
    older = dataclasses.replace(CURRENT, day=held.date - timedelta(days=400))
    receive("x.eml", answers.returned("079-200081511----7-2_1.xml", full_return(older)))
    assert ClassificationVersion.objects.filter(date=older.day).exists()
    found = queries.held_classification()
    assert found is not None
    assert found.date == held.date


def test_what_a_mail_says_of_another_commune_is_not_written_here(
    sent_act: Act, neighbour: Any
) -> None:
    hers = sent_act.identifier.replace("200081511", neighbour.organisation.siren)
    name = answers.ar_name(sent_act)
    raw = answers.mail(
        {
            f"{name}.xml": answers.acknowledgement(sent_act),
            f"{hers}-1-2_0.xml": answers.acknowledgement(sent_act, identifier=hers),
        }
    )
    inbound = keep_and_read(raw)
    assert inbound.state == InboundState.UNMATCHED
    assert hers in inbound.message
    assert state_of(sent_act) == ActState.SENT
    assert not [one for one in Entry.objects.all() if hers in str(one.detail)]
