"""Depositing, completing, transmitting, withdrawing."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import schema_context

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.identifiers import siret_of
from socle.delivery.actions import NoCertificate
from socle.delivery.models import Outbound, TransmissionOperator
from socle.directory.models import TransmissionRight
from socle.directory.policies import NoRight, RightSuspended
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.helios import actions, policies, queries
from socle.helios.models import (
    Budget,
    FlowState,
    PesAttachment,
    PesBordereau,
    PesFlow,
    SendingDay,
)
from socle.helios.permissions import NotAllowed
from socle.helios.protocol import refusals
from socle.helios.protocol.deposit import AlreadyDeposited, ForeignBudget, NameAlreadyUsed
from socle.journal.models import Entry
from tests.helios.conftest import SIRET, melle, member, upload
from tests.helios.protocol import builders as pes

Deposit = Callable[..., PesFlow]
BUDGET = {
    "label": "Budget principal",
    "siret": SIRET,
    "cod_col": "123",
    "cod_bud": "00",
    "id_post": "079012",
}


def nothing_was_kept() -> bool:
    rows = (PesFlow, PesBordereau, PesAttachment, StoredFile)
    kept = any(model.objects.exists() for model in rows)
    return not kept and not Entry.objects.filter(event="helios.deposited").exists()


# Depositing


def test_a_deposited_flow_is_read_in_clear(deposit: Deposit) -> None:
    flow = deposit(melle(pes.depense(), pes.recette(), pes.attachments(pes.pj())))

    assert flow.state == FlowState.READY
    assert (flow.nom_fic, flow.id_post, flow.cod_col, flow.cod_bud) == (
        "PES-2026-001",
        "079012",
        "123",
        "00",
    )
    assert flow.libelle_col_bud == "MELLE"
    totals = {one.domain.value: one.total_ttc for one in flow.domain_totals}
    assert totals == {"depense": Decimal("100.00"), "recette": Decimal("50.00")}
    assert flow.attachments_count == flow.attachments.count() == 1
    assert [(one.number, one.pieces) for one in flow.bordereaux.all()] == [("7", 1), ("7", 1)]
    assert queries.exercices(flow) == ["2026"]


def test_the_deposited_bytes_are_kept_as_they_came(deposit: Deposit) -> None:
    content = melle()
    assert documents.read(deposit(content).stored) == content


def test_a_deposit_is_in_the_journal(flow: PesFlow, agent: Person) -> None:
    entry = Entry.objects.get(event="helios.deposited")
    assert entry.actor_id == agent.pk
    assert entry.detail["sha256"] == flow.sha256


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", refusals.EmptyFile),
        (b"%PDF-1.7\n", refusals.NotXml),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', refusals.ForbiddenDoctype),
        (b"<facture/>", refusals.NotPes),
        (melle()[:-30], refusals.MalformedXml),
    ],
)
def test_what_is_no_pes_leaves_nothing_behind(
    deposit: Deposit, content: bytes, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        deposit(content)
    assert nothing_was_kept()


def test_the_pes_of_another_commune_is_refused(deposit: Deposit) -> None:
    with pytest.raises(ForeignBudget, match="autre collectivité"):
        deposit(pes.aller())
    assert nothing_was_kept()


def test_the_same_content_is_taken_once(flow: PesFlow, deposit: Deposit) -> None:
    with pytest.raises(AlreadyDeposited, match="déjà été déposé le 24 novembre 2026"):
        deposit()
    assert PesFlow.objects.count() == 1


def test_the_same_name_for_another_content_is_refused(flow: PesFlow, deposit: Deposit) -> None:
    with pytest.raises(NameAlreadyUsed, match="PES-2026-001"):
        deposit(melle(pes.recette()))


def test_two_hands_at_the_same_moment_leave_one_flow(
    flow: PesFlow, deposit: Deposit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_earlier", lambda aller: iter(()))
    with pytest.raises(AlreadyDeposited, match="vient d’être déposé"):
        deposit()
    assert PesFlow.objects.count() == 1


def test_the_database_refuses_the_same_content_twice(flow: PesFlow) -> None:
    flow.pk, flow.nom_fic = None, "AUTRE"
    with pytest.raises(IntegrityError, match="helios_content_once"), transaction.atomic():
        flow.save()


def test_a_withdrawn_flow_may_be_deposited_again(
    flow: PesFlow, deposit: Deposit, agent: Person, noon: datetime
) -> None:
    actions.withdraw(flow_id=flow.pk, by=agent, at=noon)
    assert deposit().state == FlowState.READY


def test_the_neighbours_flows_are_not_looked_at(flow: PesFlow, neighbour: Any) -> None:
    with schema_context(neighbour.schema_name):
        assert not PesFlow.objects.exists()


def test_a_reader_does_not_deposit(town: Any, noon: datetime) -> None:
    reader = member(town, Role.READER)
    with pytest.raises(NotAllowed, match="n’est pas habilité à préparer des flux"):
        actions.deposit(file=upload(melle()), by=reader, at=noon)
    assert nothing_was_kept()


def test_the_flow_of_an_unknown_budget_waits_for_its_sheet(
    deposit: Deposit, agent: Person, noon: datetime
) -> None:
    actions.record_budget(**BUDGET, by=agent, at=noon)
    flow = deposit(melle(IdColl=siret_of("200081511", 2)))
    assert flow.state == FlowState.DEPOSITED
    with pytest.raises(policies.CannotTransmit, match="ajoutez ce budget à la fiche HELIOS"):
        actions.transmit(flow_id=flow.pk, by=agent, at=noon)


def test_recording_the_budget_makes_the_waiting_flow_ready(
    deposit: Deposit, agent: Person, noon: datetime
) -> None:
    actions.record_budget(**BUDGET, by=agent, at=noon)
    flow = deposit(melle(IdColl=siret_of("200081511", 2), CodBud="01"))
    annexe = BUDGET | {"siret": siret_of("200081511", 2), "cod_bud": "01", "label": "Eau"}
    actions.record_budget(**annexe, by=agent, at=noon)

    flow.refresh_from_db()
    assert flow.state == FlowState.READY
    assert flow.findings == []
    assert flow.budget_label == "Eau"
    assert Entry.objects.get(event="helios.completed").detail["budget"] == "Eau"


def test_a_code_unlike_the_sheet_is_a_warning(
    deposit: Deposit, agent: Person, noon: datetime
) -> None:
    actions.record_budget(**BUDGET | {"cod_bud": "01"}, by=agent, at=noon)
    flow = deposit()
    assert [one.code for one in flow.found] == ["other_cod_bud"]
    assert flow.state == FlowState.READY


def test_two_budgets_cannot_bear_the_same_codes(agent: Person, noon: datetime) -> None:
    actions.record_budget(**BUDGET, by=agent, at=noon)
    with pytest.raises(actions.BudgetTaken, match="Budget principal") as refused:
        actions.record_budget(**BUDGET | {"label": "Eau"}, by=agent, at=noon)
    assert refused.value.field == "cod_bud"


def test_a_budget_is_corrected_in_place(agent: Person, noon: datetime) -> None:
    budget = actions.record_budget(**BUDGET, by=agent, at=noon)
    changed = BUDGET | {"label": "Principal", "id_post": "079013"}
    actions.record_budget(**changed, budget_id=budget.pk, by=agent, at=noon)
    assert Budget.objects.get().id_post == "079013"


# Transmitting


def test_a_transmitted_flow_is_in_the_outbox_under_its_name(
    flow: PesFlow, agent: Person, noon: datetime
) -> None:
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)

    flow.refresh_from_db()
    assert flow.state == FlowState.SENDING
    assert flow.transmitted_name == "PESALR2_200081511_261124_001.xml"
    outbound = Outbound.objects.get(subject_id=flow.pk)
    assert (outbound.name, outbound.sha256) == (flow.transmitted_name, flow.sha256)
    assert Entry.objects.get(event="helios.transmitted").detail["name"] == outbound.name


def test_the_number_in_the_name_starts_again_each_day_in_paris(
    deposit: Deposit, agent: Person, noon: datetime
) -> None:
    evening = noon + timedelta(hours=11, minutes=30)  # 23:30 in Paris, 22:30 UTC
    names = []
    for number, at in enumerate((noon, evening, evening + timedelta(hours=1))):
        flow = deposit(melle(nom_fic=f"PES-{number}"))
        names.append(actions.transmit(flow_id=flow.pk, by=agent, at=at).transmitted_name)
    assert [name[-14:] for name in names] == ["261124_001.xml", "261124_002.xml", "261125_001.xml"]
    assert SendingDay.objects.count() == 2


def test_two_hands_at_the_same_moment_take_two_numbers(town: Any) -> None:
    day, numbers, start = date(2030, 1, 1), [], Barrier(4)

    def take() -> None:
        connection.set_tenant(town)
        try:
            with transaction.atomic():
                start.wait()
                numbers.append(actions._next_sequence(day))
        finally:
            connection.close()

    def forget() -> None:  # what the threads wrote is outside the transaction of the test
        connection.set_tenant(town)
        SendingDay.objects.filter(day=day).delete()
        connection.close()

    in_threads(*[take] * 4)
    in_threads(forget)
    assert sorted(numbers) == [1, 2, 3, 4]


def in_threads(*tasks: Callable[[], None]) -> None:
    threads = [Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)


def test_nothing_is_transmitted_twice(flow: PesFlow, agent: Person, noon: datetime) -> None:
    actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    with pytest.raises(policies.CannotTransmit, match="déjà parti"):
        actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    assert Outbound.objects.count() == 1


def test_without_a_convention_nothing_leaves(flow: PesFlow, agent: Person, noon: datetime) -> None:
    TransmissionRight.objects.all().delete()
    with pytest.raises(NoRight, match="la convention n’est pas signée"):
        actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    flow.refresh_from_db()
    assert flow.state == FlowState.READY


def test_under_a_suspended_convention_nothing_leaves(
    flow: PesFlow, right: TransmissionRight, agent: Person, noon: datetime
) -> None:
    right.suspended_on, right.suspension_reason = noon.date(), "contentieux"
    right.save()
    with pytest.raises(RightSuspended, match="suspendue"):
        actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    assert not Outbound.objects.exists()
    assert not SendingDay.objects.exists()


def test_a_preparer_does_not_transmit(flow: PesFlow, town: Any, noon: datetime) -> None:
    preparer = member(town, Role.PREPARER)
    with pytest.raises(NotAllowed, match="transmettre des flux"):
        actions.transmit(flow_id=flow.pk, by=preparer, at=noon)


def test_a_real_operator_wants_a_certificate(
    flow: PesFlow, right: TransmissionRight, agent: Person, noon: datetime
) -> None:
    exercise = TransmissionOperator.objects.get()
    exercise.pk, exercise.code, exercise.requires_certificate = None, "reel", True
    exercise.save()
    TransmissionRight.objects.update(operator="reel")
    with pytest.raises(NoCertificate, match="certificat"):
        actions.transmit(flow_id=flow.pk, by=agent, at=noon)


def test_an_operator_not_in_service_is_named(flow: PesFlow, agent: Person, noon: datetime) -> None:
    TransmissionRight.objects.update(operator="inconnu")
    with pytest.raises(policies.NoOperator, match="« inconnu »"):
        actions.transmit(flow_id=flow.pk, by=agent, at=noon)


def test_a_likely_rejection_leaves_only_once_confirmed(
    deposit: Deposit, agent: Person, noon: datetime
) -> None:
    flow = deposit(melle(pes.depense(demat="1")))  # dematerialised, yet not signed
    with pytest.raises(policies.NeedsConfirmation):
        actions.transmit(flow_id=flow.pk, by=agent, at=noon)
    actions.transmit(flow_id=flow.pk, by=agent, at=noon, confirmed=True)
    assert Outbound.objects.count() == 1


def test_what_left_is_not_withdrawn(sent: PesFlow, agent: Person, noon: datetime) -> None:
    with pytest.raises(policies.CannotWithdraw, match="déjà parti"):
        actions.withdraw(flow_id=sent.pk, by=agent, at=noon)


def test_an_accepted_bordereau_deposited_again_is_announced_as_a_duplicate(
    sent: PesFlow, deposit: Deposit, noon: datetime
) -> None:
    sent.bordereaux.update(accepted=True, answered_on=noon.date())
    flow = deposit(melle(pes.depense(), pes.recette(), nom_fic="PES-2026-002"))
    assert "already_accepted" in [one.code for one in flow.found]
    assert "déjà acquitté le 24 novembre 2026" in flow.found[0].sentence
