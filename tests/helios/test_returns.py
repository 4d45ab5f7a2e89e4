"""What became of a flow: the operator's answer, the acquits, the PES retour."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from socle.accounts.models import Person
from socle.delivery.handlers import Unmatched
from socle.delivery.models import TransmissionOperator
from socle.delivery.origin import Origin
from socle.directory.models import Protocol, TransmissionRight
from socle.documents import actions as documents
from socle.helios import actions, policies, queries, returns
from socle.helios.models import FlowState, PesAcquit, PesFlow, PesRetour
from socle.journal.models import Entry
from socle.notices.models import Notice
from tests.helios.conftest import SIRET, melle, send
from tests.helios.protocol import builders as pes

Deposit = Callable[..., PesFlow]
ACCEPTED = pes.element("5", "1", NumBord="7", ExerciceBord="2026")
REFUSED = pes.element(
    "5",
    "0",
    pes.piece_error("1", lines=pes.line_error("2", pes.error())),
    NumBord="7",
    ExerciceBord="2026",
)


def acquit(*elements: str, **facts: Any) -> bytes:
    return pes.acquit(*(elements or (ACCEPTED,)), **({"IdColl": SIRET} | facts))


def receive(raw: bytes, at: datetime, name: str = "ACK.xml") -> int:
    with schema_context("public"):
        operator = TransmissionOperator.objects.get(code="exercice")
        return returns.receive(name, raw, at, Origin(operator, Protocol.HELIOS))


def test_what_the_operator_took_is_sent(sent: PesFlow, noon: datetime) -> None:
    assert (sent.state, sent.sent_at) == (FlowState.SENT, noon)
    assert Entry.objects.filter(event="helios.sent").count() == 1


def test_being_told_twice_that_it_is_sent_changes_nothing(sent: PesFlow, noon: datetime) -> None:
    outbound = queries.outbound_of(sent)
    assert outbound is not None
    returns.sent(outbound, noon + timedelta(hours=1))
    sent.refresh_from_db()
    assert sent.sent_at == noon
    assert Entry.objects.filter(event="helios.sent").count() == 1


def test_what_the_operator_refused_says_why_and_tells_who_sent_it(
    flow: PesFlow, agent: Person, noon: datetime
) -> None:
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    outbound = queries.outbound_of(flow)
    assert outbound is not None
    returns.refused(outbound, "nom déjà pris", noon)
    flow.refresh_from_db()
    assert (flow.state, flow.error) == (FlowState.FAILED, "nom déjà pris")
    assert Entry.objects.get(event="helios.failed").detail["why"] == "nom déjà pris"
    assert "nom déjà pris" in Notice.objects.get(person=agent).body


def test_a_failed_flow_sent_again_by_the_syndicat_is_sent(
    flow: PesFlow, agent: Person, noon: datetime
) -> None:
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    outbound = queries.outbound_of(flow)
    assert outbound is not None
    returns.refused(outbound, "nom déjà pris", noon)
    returns.check(outbound, noon)
    returns.sent(outbound, noon)
    flow.refresh_from_db()
    assert (flow.state, flow.error) == (FlowState.SENT, "")


def test_a_failed_flow_deposited_again_does_not_leave_twice(
    flow: PesFlow, deposit: Deposit, agent: Person, noon: datetime
) -> None:
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    outbound = queries.outbound_of(flow)
    assert outbound is not None
    returns.refused(outbound, "nom déjà pris", noon)
    deposit()
    with pytest.raises(policies.CannotTransmit, match="déposé de nouveau"):
        returns.check(outbound, noon)


def test_an_acquit_finds_its_flow_from_the_public_schema(
    sent: PesFlow, town: Any, noon: datetime
) -> None:
    raw = acquit()
    assert receive(raw, noon) == town.organisation_id
    assert connection.schema_name == town.schema_name

    sent.refresh_from_db()
    assert (sent.state, sent.answered_at) == (FlowState.ACCEPTED, noon)
    assert documents.read(sent.acquits.get().stored) == raw
    bordereau = sent.bordereaux.get()
    assert (bordereau.accepted, bordereau.answered_on) == (True, noon.date())
    assert Entry.objects.get(event="helios.acquit_received").detail["verdict"] == "accepté"
    assert queries.has_acknowledged()


def test_a_refusal_is_kept_in_words_with_its_place_and_its_remedy(
    sent: PesFlow, agent: Person, noon: datetime
) -> None:
    receive(acquit(REFUSED), noon)
    sent.refresh_from_db()
    assert sent.state == FlowState.REFUSED
    (anomaly,) = queries.anomalies(sent.acquits.get())
    assert anomaly.place == "Bordereau de dépense n° 7 de l’exercice 2026, mandat 1, ligne 2"
    assert anomaly.reason == "Compte présent à tort (code 1971)"
    assert anomaly.remedy == "à corriger d’après ce motif ; au besoin, appelez votre trésorerie"
    notice = Notice.objects.get(person=agent)
    assert "Compte présent à tort" in notice.body
    assert notice.url.endswith(f"/helios/{sent.pk}/")
    assert not queries.has_acknowledged()


def test_a_refusal_without_motive_sends_to_the_tresorerie(sent: PesFlow, noon: datetime) -> None:
    receive(acquit(pes.element("5", "0", NumBord="7", ExerciceBord="2026")), noon)
    (anomaly,) = queries.anomalies(sent.acquits.get())
    assert (anomaly.reason, anomaly.remedy) == ("refus sans motif", "à voir avec votre trésorerie")


def test_a_partial_acquit_marks_each_part(deposit: Deposit, agent: Person, noon: datetime) -> None:
    flow = send(deposit(melle(pes.depense(), pes.attachments(pes.pj()))), agent, noon)
    receive(acquit(ACCEPTED, pes.element("4", "0", pes.error(), IdUnique="PJ20261")), noon)
    flow.refresh_from_db()
    assert flow.state == FlowState.PARTIAL
    assert flow.bordereaux.get().accepted is True
    assert flow.attachments.get().accepted is False


def test_the_same_acquit_twice_is_one(sent: PesFlow, noon: datetime) -> None:
    receive(acquit(), noon)
    receive(acquit(), noon + timedelta(hours=1))
    sent.refresh_from_db()
    assert sent.answered_at == noon
    assert sent.acquits.count() == 1
    assert Entry.objects.filter(event__startswith="helios.acquit").count() == 1


def test_a_late_refusal_is_kept_and_overwrites_nothing(sent: PesFlow, noon: datetime) -> None:
    receive(acquit(), noon)
    receive(acquit(REFUSED), noon + timedelta(hours=1))
    sent.refresh_from_db()
    assert sent.state == FlowState.ACCEPTED
    assert sent.bordereaux.get().accepted is True
    assert sent.acquits.count() == 2
    assert Entry.objects.filter(event="helios.acquit_kept").count() == 1
    assert Notice.objects.count() == 1


def test_an_acceptance_after_a_refusal_is_believed(sent: PesFlow, noon: datetime) -> None:
    receive(acquit(REFUSED), noon)
    receive(acquit(), noon + timedelta(hours=1))
    sent.refresh_from_db()
    assert sent.state == FlowState.ACCEPTED


def test_an_acceptance_of_a_flow_deposited_again_is_kept_beside(
    sent: PesFlow, deposit: Deposit, noon: datetime
) -> None:
    receive(acquit(REFUSED), noon)
    deposit()
    receive(acquit(), noon + timedelta(hours=1))
    sent.refresh_from_db()
    assert sent.state == FlowState.REFUSED
    assert sent.acquits.count() == 2


def test_an_acquit_may_come_before_the_operator_confirmed(
    flow: PesFlow, agent: Person, noon: datetime
) -> None:
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    receive(acquit(), noon)
    outbound = queries.outbound_of(flow)
    assert outbound is not None
    returns.sent(outbound, noon)
    flow.refresh_from_db()
    assert (flow.state, flow.sent_at) == (FlowState.ACCEPTED, noon)


def test_an_acquit_that_decides_nothing_changes_nothing(sent: PesFlow, noon: datetime) -> None:
    receive(pes.acquit(block=False, IdColl=SIRET), noon)
    sent.refresh_from_db()
    assert sent.state == FlowState.SENT
    assert sent.acquits.count() == 1


def test_an_unreadable_acquit_reaches_its_flow(sent: PesFlow, noon: datetime) -> None:
    receive(acquit()[:-25], noon)
    sent.refresh_from_db()
    assert sent.state == FlowState.UNREADABLE


def test_an_acquit_for_an_unknown_flow_stays_on_the_desk(sent: PesFlow, noon: datetime) -> None:
    with pytest.raises(Unmatched, match="« AUTRE », que la commune n’a pas transmis"):
        receive(acquit(nom_fic="AUTRE"), noon)
    assert not PesAcquit.objects.exists()


def test_an_acquit_does_not_answer_a_flow_that_never_left(flow: PesFlow, noon: datetime) -> None:
    with pytest.raises(Unmatched, match="n’a pas transmis"):
        receive(acquit(), noon)


@pytest.mark.parametrize("siret", ["21999999900019", None])
def test_an_acquit_for_nobody_stays_on_the_desk(
    sent: PesFlow, noon: datetime, siret: str | None
) -> None:
    with pytest.raises(Unmatched, match="aucune commune raccordée"):
        receive(acquit(IdColl=siret), noon)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><PES_ACQUIT/>', "DOCTYPE"),
        (b"<facture/>", "ni un acquit ni un PES retour"),
        (b"%PDF-1.7", "ni un acquit ni un PES retour"),
        (b"", "ni un acquit ni un PES retour"),
    ],
)
def test_what_cannot_be_read_stays_on_the_desk(
    town: Any, noon: datetime, raw: bytes, why: str
) -> None:
    with pytest.raises(Unmatched, match=why):
        receive(raw, noon)


def test_the_neighbours_acquit_is_hers_alone(sent: PesFlow, neighbour: Any, noon: datetime) -> None:
    siret = f"{neighbour.organisation.siren}00018"
    TransmissionRight.objects.create(
        organisation=neighbour.organisation,
        protocol=Protocol.HELIOS,
        operator="exercice",
        reference="Formulaire",
        starts_on=noon.date(),
    )
    with pytest.raises(Unmatched, match="que la commune n’a pas transmis"):
        receive(acquit(IdColl=siret), noon)
    sent.refresh_from_db()
    assert sent.state == FlowState.SENT


def test_a_pes_retour_is_kept_once(town: Any, right: TransmissionRight, noon: datetime) -> None:
    raw = pes.retour(id_coll=SIRET)
    for _ in range(2):
        assert receive(raw, noon, "PES2R.xml") == town.organisation_id
    kept = PesRetour.objects.get()
    assert kept.kinds == ["Dépense"]
    assert kept.dated is not None
    assert documents.read(kept.stored) == raw
    assert Entry.objects.filter(event="helios.retour_received").count() == 1
