"""What is refused, what is done once only, and what the right to transmit says of it."""

import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_tenants.utils import schema_context

from socle.directory import policies as rights
from socle.directory import queries as directory
from socle.directory.models import Organisation, Protocol
from socle.documents import sniff
from socle.helios.policies import WrongBudget
from socle.journal.models import Entry
from tenants.models import Tenant
from tenants.onboarding import policies
from tenants.onboarding.actions import cases, contract, convention, deliberation, helios
from tenants.onboarding.models import ActesConvention, CaseState, ConventionState, OnboardingCase
from tenants.onboarding.steps import Owner
from tests.documents import pdfs
from tests.onboarding.journey import Journey, scan


def right_of(journey: Journey) -> Any:
    return directory.right(journey.organisation.pk, Protocol.ACTES)


def entries(journey: Journey, event: str) -> int:
    with schema_context(journey.organisation.tenant.schema_name):
        return Entry.objects.filter(event=event).count()


# Opening


def test_opening_a_case_provisions_the_space(
    lezay: Organisation, journey: Journey, noon: datetime
) -> None:
    case = cases.open_case(organisation=lezay, by=journey.officer, at=noon)

    assert Tenant.objects.filter(organisation=lezay).exists()
    assert case.state == CaseState.DRAFT
    assert not lezay.transmission_rights.exists()


def test_a_second_open_case_is_refused(journey: Journey) -> None:
    with pytest.raises(policies.SecondCase, match="déjà un dossier"):
        cases.open_case(organisation=journey.organisation, by=journey.officer, at=journey.at)


def test_the_database_refuses_a_second_open_case(journey: Journey) -> None:
    with pytest.raises(IntegrityError, match="one_open_case"), transaction.atomic():
        OnboardingCase.objects.create(
            organisation=journey.organisation, opened_at=journey.at, opened_by=journey.officer
        )


def test_a_closed_case_leaves_room_for_another(journey: Journey) -> None:
    cases.close_case(reason="abandon", **journey.who)

    other = cases.open_case(organisation=journey.organisation, by=journey.officer, at=journey.at)
    assert other.pk != journey.case_id


def test_nothing_happens_any_more_in_a_closed_case(journey: Journey) -> None:
    cases.close_case(reason="abandon", **journey.who)

    with pytest.raises(policies.CaseClosed):
        journey.to_operator()


def test_a_body_that_is_no_more_gets_no_case(lezay: Organisation, journey: Journey) -> None:
    Organisation.objects.filter(pk=lezay.pk).update(closed_on=date(2026, 1, 1))

    with pytest.raises(policies.CaseClosed, match="fermée depuis le 01/01/2026"):
        cases.open_case(organisation=lezay, by=journey.officer, at=journey.at)


# Order


def test_a_step_forced_out_of_order_names_what_is_missing_and_whose_turn(
    journey: Journey,
) -> None:
    with pytest.raises(policies.OutOfTurn) as refused:
        journey.sign_convention()

    assert str(refused.value) == (
        "L’étape « Convention avec la préfecture » attend l’étape « Adhésion et tarif » : il "
        "manque la voie d’accès au service et son tarif, c’est au syndicat d’agir ; il manque "
        "l’accord sur le tarif, c’est à la commune d’agir."
    )


def test_a_deliberation_with_blanks_takes_no_signed_copy(journey: Journey) -> None:
    journey.to_operator()
    project = dict.fromkeys(
        ("in_office", "present", "represented", "voting", "votes_for", "votes_against",
         "abstentions")
    )  # fmt: skip
    values = journey.deliberation_values(number="", **project)
    deliberation.write(values=values, **journey.who)

    with pytest.raises(policies.OutOfTurn) as refused:
        deliberation.sign(copy=scan(), name="d.pdf", **journey.who)
    assert "le numéro de la délibération et le résultat du vote" in str(refused.value)


def test_a_convention_not_voted_budget_documents_is_refused(journey: Journey) -> None:
    journey.to_contract()

    with pytest.raises(policies.OutOfTurn, match="documents budgétaires"):
        convention.prepare(values=journey.convention_values(natures=["1", "5"]), **journey.who)


def test_the_state_cannot_sign_what_was_not_sent(journey: Journey) -> None:
    journey.to_prepared()
    journey.sign_convention()

    with pytest.raises(policies.ForbiddenTransition, match="À envoyer à la préfecture"):
        journey.sign_prefet()


# Dates


def test_a_convention_signed_before_the_deliberation_is_refused(journey: Journey) -> None:
    journey.to_prepared()

    with pytest.raises(policies.WrongDate, match="avant la transmission de la délibération"):
        journey.sign_convention(on=journey.transmitted - timedelta(days=1))
    assert journey.case.convention.state == ConventionState.GENERATED


def test_a_convention_signed_before_its_contract_is_refused(journey: Journey) -> None:
    journey.to_prepared()

    with pytest.raises(policies.WrongDate, match="avant la signature du contrat"):
        journey.sign_convention(on=journey.contracted - timedelta(days=1))


def test_a_contract_signed_before_the_deliberation_that_authorises_it_is_refused(
    journey: Journey,
) -> None:
    journey.to_deliberation()
    contract.draw_up(**journey.who)

    with pytest.raises(policies.WrongDate, match="qui l’autorise"):
        contract.sign_by_commune(
            on=journey.session, signatory="S. Rey", copy=scan(), name="c.pdf", **journey.who
        )


def test_a_start_before_the_signatures_is_refused(journey: Journey) -> None:
    journey.to_prefecture()

    with pytest.raises(policies.WrongDate, match="avant la dernière signature"):
        journey.sign_prefet(starts_on=journey.by_prefet - timedelta(days=1))


def test_the_database_refuses_a_start_before_the_signatures(journey: Journey) -> None:
    journey.to_convention()

    with pytest.raises(IntegrityError, match="starts_after"), transaction.atomic():
        ActesConvention.objects.update(starts_on=journey.by_prefet - timedelta(days=1))


def test_a_transmission_before_the_session_is_refused(journey: Journey) -> None:
    journey.to_operator()
    deliberation.write(values=journey.deliberation_values(), **journey.who)
    deliberation.sign(copy=scan(), name="d.pdf", **journey.who)

    with pytest.raises(policies.WrongDate, match="avant la séance"):
        deliberation.record_transmission(
            on=journey.session - timedelta(days=1),
            channel="paper",
            proof=scan(),
            name="p.pdf",
            **journey.who,
        )


def test_a_pes_form_signed_before_the_agreement_is_refused(journey: Journey) -> None:
    journey.to_helios_form()

    with pytest.raises(policies.WrongDate, match="avant l’accord de la DGFiP"):
        journey.sign_helios(on=journey.transmitted - timedelta(days=1))


# Votes


def test_more_votes_than_voters_are_refused(journey: Journey) -> None:
    journey.to_operator()

    with pytest.raises(policies.VotesDoNotAddUp):
        deliberation.write(values=journey.deliberation_values(votes_for=25), **journey.who)
    assert not hasattr(journey.case, "deliberation")


# Signed copies


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", sniff.EmptyFile),
        (b"PK\x03\x04 a document of another kind", sniff.WrongKind),
        (b"%PDF-1.7 and nothing else", sniff.UnreadablePdf),
        (pdfs.locked(), sniff.LockedPdf),
    ],
    ids=["empty", "not a PDF", "truncated", "encrypted"],
)
def test_a_signed_copy_must_be_a_whole_and_open_pdf(
    journey: Journey, content: bytes, refusal: type[Exception]
) -> None:
    journey.to_prepared()

    with pytest.raises(refusal):
        journey.sign_convention(copy=io.BytesIO(content))
    assert journey.case.convention.collectivite_copy is None


def test_the_same_signed_copy_deposited_twice_is_one(journey: Journey) -> None:
    journey.to_prepared()
    first = journey.sign_convention()
    again = journey.sign_convention()

    assert again.collectivite_copy == first.collectivite_copy
    assert entries(journey, "onboarding.convention_signed") == 1


def test_receiving_the_copy_twice_opens_the_right_once(journey: Journey) -> None:
    journey.to_convention()
    convention.receive_copy(copy=scan("des deux"), name="convention.pdf", **journey.who)

    assert entries(journey, "onboarding.convention_complete") == 1


def test_what_was_signed_is_not_written_again(journey: Journey) -> None:
    journey.to_deliberation()

    with pytest.raises(policies.AlreadySigned):
        deliberation.write(values=journey.deliberation_values(number="2"), **journey.who)


def test_the_operator_named_in_a_signed_deliberation_stays(journey: Journey) -> None:
    from socle.delivery.models import TransmissionOperator

    journey.to_deliberation()
    other = TransmissionOperator.objects.create(
        code="autre",
        name="Autre",
        adapter="exercise",
        trigram="AUT",
        company="Autre",
        return_address="a@autre.example",
        is_exercise=True,
        requires_certificate=False,
    )
    with pytest.raises(policies.AlreadySigned):
        cases.choose_operator(operator=other, **journey.who)


def test_a_real_operator_without_homologation_is_refused(journey: Journey) -> None:
    journey.to_operator()
    journey.operator.is_exercise, journey.operator.requires_certificate = False, True
    journey.operator.pk, journey.operator.code = None, "reel"
    journey.operator.save()

    with pytest.raises(policies.NotHomologated):
        cases.choose_operator(operator=journey.operator, **journey.who)


# Suspension


def test_a_suspended_convention_refuses_a_deposit_with_its_clause(journey: Journey) -> None:
    journey.to_active()
    day = date(2026, 11, 24)
    convention.suspend(on=day, reason="dispositif altéré", **journey.who)

    with pytest.raises(rights.RightSuspended, match="suspendue depuis le 24/11/2026"):
        rights.check_right(right_of(journey), what="un acte", on=day, nature="1")
    assert journey.case.state == CaseState.SUSPENDED


def test_a_resumed_convention_lets_acts_go_again(journey: Journey) -> None:
    journey.to_active()
    day = date(2026, 11, 24)
    convention.suspend(on=day, reason="dispositif altéré", **journey.who)
    convention.resume(**journey.who)

    rights.check_right(right_of(journey), what="un acte", on=day, nature="1")
    assert journey.case.convention.state == ConventionState.ACTIVE
    assert journey.case.state == CaseState.READY


def test_the_right_refuses_a_nature_the_convention_does_not_cover(journey: Journey) -> None:
    journey.to_convention()

    with pytest.raises(rights.OutOfScope):
        rights.check_right(right_of(journey), what="un acte", on=journey.starts, nature="5")


def test_a_renounced_convention_lets_nothing_go(journey: Journey) -> None:
    journey.to_active()
    day = date(2026, 11, 24)
    convention.renounce(on=day, **journey.who)

    with pytest.raises(rights.RightSuspended, match="renonciation"):
        rights.check_right(right_of(journey), what="un acte", on=day, nature="1")
    assert journey.states()["Z"] == "done"


def test_a_convention_the_prefecture_returns_is_to_sign_again(journey: Journey) -> None:
    journey.to_prefecture()
    convention.take_back(reason="date illisible", **journey.who)

    one = journey.case.convention
    assert (one.state, one.collectivite_copy) == (ConventionState.GENERATED, None)
    assert one.returned_reason == "date illisible"
    assert journey.case.state == CaseState.AWAITING_SIGNATURE


# Steps


def test_a_blocked_step_says_why_and_by_whom_until_it_is_lifted(journey: Journey) -> None:
    cases.block(code="A1", owner=Owner.COMMUNE, reason="élections", **journey.who)
    step = journey.step("A1")
    assert (step.state, step.waits_for, step.reason) == ("blocked", "commune", "élections")

    cases.unblock(code="A1", **journey.who)
    assert journey.states()["A1"] == "current"


def test_a_blocked_step_that_is_done_is_no_longer_blocked(journey: Journey) -> None:
    cases.block(code="A1", owner=Owner.COMMUNE, reason="élections", **journey.who)
    journey.to_operator()

    assert journey.states()["A1"] == "done"


def test_an_optional_step_set_aside_is_taken_up_again(journey: Journey) -> None:
    cases.set_aside(code="H1", reason="pas de HELIOS", **journey.who)
    assert journey.states()["H1"] == "skipped"

    cases.take_up(code="H1", **journey.who)
    assert journey.states()["H1"] == "todo"


def test_a_copy_dated_before_the_convention_is_refused(journey: Journey) -> None:
    journey.to_convention()

    with pytest.raises(policies.WrongDate, match="avant la signature de la convention"):
        cases.date_step(code="A5", on=journey.by_prefet - timedelta(days=1), **journey.who)


# HELIOS


def test_a_budget_whose_siret_is_not_the_body_s_is_refused(journey: Journey) -> None:
    journey.to_operator()

    with pytest.raises(WrongBudget) as refused:
        helios.write_sheet(values=journey.helios_values(siret="25790233800017"), **journey.who)
    assert refused.value.field == "siret"


@pytest.mark.parametrize(
    ("field", "value"), [("cod_col", "000"), ("cod_bud", "A"), ("id_post", "12")]
)
def test_codes_that_cannot_exist_are_refused(journey: Journey, field: str, value: str) -> None:
    journey.to_operator()

    with pytest.raises(WrongBudget) as refused:
        helios.write_sheet(values=journey.helios_values(**{field: value}), **journey.who)
    assert refused.value.field == field


def test_the_form_waits_for_the_agreement_of_the_dgfip(journey: Journey) -> None:
    journey.to_operator()
    helios.write_sheet(values=journey.helios_values(), **journey.who)

    with pytest.raises(policies.OutOfTurn, match="c’est au comptable public d’agir"):
        helios.draw_up(**journey.who)
