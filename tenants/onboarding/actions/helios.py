"""HELIOS: the budget sheet, the DGFiP's agreement, the form of adhesion to the PES (H1 to H3)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO

from django.db import transaction
from django_tenants.utils import schema_context

from socle.accounts.models import Person
from socle.directory import actions as directory_actions
from socle.directory import queries as directory
from socle.directory.models import Protocol
from socle.helios import actions as helios_actions
from socle.helios.models import Budget
from socle.helios.policies import check_budget
from tenants.onboarding import files, policies
from tenants.onboarding.actions.common import lock, move_on, note, take_turn, today
from tenants.onboarding.actions.contract import representative
from tenants.onboarding.models import HeliosAdhesion, OnboardingCase
from tenants.onboarding.papers import helios as paper


@transaction.atomic
def write_sheet(
    *, case_id: int, values: Mapping[str, Any], by: Person, at: datetime
) -> HeliosAdhesion:
    """Write down the budget as HELIOS knows it; a form already made is to make again.

    Raises OutOfTurn, AlreadySigned, and what the HELIOS room says of wrong codes.
    """
    case = lock(case_id)
    take_turn(case, "H1", at)
    one = getattr(case, "helios", None) or HeliosAdhesion(case=case)
    policies.check_unsigned(one.signed_on, what="Le formulaire d’adhésion au PES")
    given = {**values, **_codes(case, values)}
    if one.pk and all(getattr(one, field) == value for field, value in given.items()):
        return one
    for field, value in given.items():
        setattr(one, field, value)
    one.generated_pdf = one.generated_odt = one.generated_at = None
    one.save()
    note(case.organisation, "helios_sheet_written", by=by, at=at, budget=one.budget_label)
    move_on(case_id, by=by, at=at)
    return one


def _codes(case: OnboardingCase, values: Mapping[str, Any]) -> dict[str, str]:
    """The codes of the budget, tidied by the room that will use them."""
    return check_budget(
        **{name: values[name] for name in ("siret", "cod_col", "cod_bud", "id_post")},
        siren=case.organisation.siren,
        organisation=case.organisation.name,
    )


@transaction.atomic
def record_agreement(
    *, case_id: int, on: date, name: str, by: Person, at: datetime
) -> HeliosAdhesion:
    """Write down the agreement of the DGFiP after its functional validation. Raises WrongDate."""
    case, one = _open(case_id, "H2", at)
    if (one.agreed_on, one.agreed_by) == (on, name):
        return one
    policies.check_unsigned(one.signed_on, what="Le formulaire d’adhésion au PES")
    policies.check_not_future(on, today=today(at), field="on")
    one.agreed_on, one.agreed_by = on, name
    one.save(update_fields=["agreed_on", "agreed_by"])
    note(case.organisation, "helios_agreed", by=by, at=at, on=str(on), name=name)
    move_on(case_id, by=by, at=at)
    return one


@transaction.atomic
def draw_up(*, case_id: int, by: Person, at: datetime) -> HeliosAdhesion:
    """Make the form of adhesion to the PES. Raises OutOfTurn, AlreadySigned."""
    case, one = _open(case_id, "H3", at)
    policies.check_unsigned(one.signed_on, what="Le formulaire d’adhésion au PES")
    document = paper.build(
        case, one, syndicat=directory.syndicat(), representative=representative(case), at=at
    )
    one.generated_pdf, one.generated_odt = files.keep_generated(
        document, stem=files.stem("adhesion-pes", case.organisation), by=str(by), at=at
    )
    one.generated_at = at
    one.save()
    note(case.organisation, "helios_form_drawn_up", by=by, at=at)
    move_on(case_id, by=by, at=at)
    return one


@transaction.atomic
def sign(
    *, case_id: int, on: date, signatory: str, copy: BinaryIO, name: str, by: Person, at: datetime
) -> HeliosAdhesion:
    """Keep the form signed by the order-giver. Raises OutOfTurn, WrongDate, PDF refusals."""
    case, one = _open(case_id, "H3", at)
    if one.generated_at is None:
        raise policies.OutOfTurn(
            "Il manque le formulaire d’adhésion au PES : c’est au syndicat de le produire."
        )
    if one.signed_on == on and files.same_content(one.signed_copy, copy):
        return one
    policies.check_unsigned(one.received_on, what="Le formulaire reçu par le comptable")
    policies.check_not_future(on, today=today(at), field="on")
    policies.check_not_before(
        on,
        what="La signature du formulaire",
        earliest=one.agreed_on,
        event="l’accord de la DGFiP",
        field="on",
    )
    one.signed_copy = files.keep_signed(copy, name=name, by=str(by), at=at)
    one.signed_on, one.signed_by = on, signatory
    one.save(update_fields=["signed_copy", "signed_on", "signed_by"])
    note(case.organisation, "helios_form_signed", by=by, at=at, on=str(on), signatory=signatory)
    move_on(case_id, by=by, at=at)
    return one


@transaction.atomic
def receive(
    *, case_id: int, on: date, name: str, starts_on: date, by: Person, at: datetime
) -> HeliosAdhesion:
    """Write down that the accountant has the signed form, and open the right to transmit flows.

    Raises OutOfTurn without signature, WrongDate.
    """
    case, one = _open(case_id, "H3", at)
    if (one.received_on, one.received_by) == (on, name):
        return one
    if one.signed_on is None:
        raise policies.OutOfTurn(
            "Il manque le formulaire d’adhésion au PES signé : c’est à la commune de le signer et "
            "de le déposer."
        )
    policies.check_unsigned(one.received_on, what="Le formulaire reçu par le comptable")
    policies.check_not_future(on, today=today(at), field="on")
    policies.check_not_before(
        on, what="La réception", earliest=one.signed_on, event="la signature", field="on"
    )
    policies.check_start(starts_on, (one.signed_on, on))
    one.received_on, one.received_by, one.starts_on = on, name, starts_on
    one.save(update_fields=["received_on", "received_by", "starts_on"])
    directory_actions.open_right(
        organisation=case.organisation,
        protocol=Protocol.HELIOS,
        operator=case.operator.code,
        reference=str(one),
        starts_on=starts_on,
        by=by,
        at=at,
    )
    _declare_budget(case, one, by=by, at=at)
    note(case.organisation, "helios_complete", by=by, at=at, reference=str(one))
    move_on(case_id, by=by, at=at)
    return one


def _declare_budget(case: OnboardingCase, one: HeliosAdhesion, *, by: Person, at: datetime) -> None:
    """Make the budget known to the HELIOS room of the body, unless somebody typed it there."""
    with schema_context(case.organisation.tenant.schema_name):
        known = Budget.objects.filter(
            id_post=one.id_post, cod_col=one.cod_col, cod_bud=one.cod_bud
        ).first()
        if known is None:
            helios_actions.record_budget(
                label=one.budget_label,
                siret=one.siret,
                cod_col=one.cod_col,
                cod_bud=one.cod_bud,
                id_post=one.id_post,
                by=by,
                at=at,
            )


def _open(case_id: int, code: str, at: datetime) -> tuple[OnboardingCase, HeliosAdhesion]:
    case = lock(case_id)
    take_turn(case, code, at)
    return case, case.helios
