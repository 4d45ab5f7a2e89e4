"""The snapshot the guards look at, asked of every room at once."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from django.db import models
from django_tenants.utils import schema_context

from registration_authority import queries as registration
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import queries as actes
from socle.actes.models import Act
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory import queries as directory
from socle.directory.models import Organisation, OrganisationKind
from socle.helios import queries as helios
from tenants.onboarding import policies
from tenants.onboarding.guards import Facts
from tenants.onboarding.models import OnboardingCase, StepRecord
from training import queries as training

BUDGET_NATURE: Final = 5
"""« Documents budgétaires et financiers » in @CTES."""


def collect(case: OnboardingCase, at: datetime) -> Facts:
    """All facts about a case at one instant. Works from any schema."""
    organisation = case.organisation
    today = legal_date(at)
    return Facts(
        today=today,
        **_identity(organisation),
        **_operator(case, today),
        **_deliberation(case),
        **_contract(case),
        **_convention(case),
        **_helios(case),
        **_people(organisation, today),
        **_other_rooms(organisation, at),
        **_steps(case.steps.all()),
    )


def _identity(organisation: Organisation) -> dict[str, Any]:
    contacts = list(organisation.contacts.all())
    representative = next((one for one in contacts if one.is_legal_representative), None)
    return {
        "organisation": organisation.name,
        "population": organisation.population,
        "is_commune": organisation.kind == OrganisationKind.COMMUNE,
        "siret": organisation.siret,
        "insee": organisation.insee or "",
        "nature": organisation.nature,
        "arrondissement": organisation.arrondissement,
        "address": organisation.address,
        "prefecture": str(directory.prefecture_of(organisation) or ""),
        "representative": str(representative or ""),
        "contact": any(one.email for one in contacts),
    }


def _operator(case: OnboardingCase, today: date) -> dict[str, Any]:
    operator = case.operator
    if operator is None:
        return {}
    try:
        policies.check_operator(operator, on=today)
    except Refusal:
        return {"operator": operator.name}
    return {"operator": operator.name, "operator_valid": True}


def _deliberation(case: OnboardingCase) -> dict[str, Any]:
    one = getattr(case, "deliberation", None)
    if one is None:
        return {}
    return {
        "deliberation_number": one.number,
        "session_on": one.session_on,
        "votes_recorded": one.votes_for is not None,
        "authorisations": frozenset(one.authorisations),
        "scope": frozenset(one.scope),
        "deliberation_generated": one.generated_at is not None,
        "deliberation_copy": one.signed_copy is not None,
        "transmitted_on": one.transmitted_on,
        "transmission_proof": one.transmission_proof is not None,
    }


def _contract(case: OnboardingCase) -> dict[str, Any]:
    one = getattr(case, "route", None)
    if one is None:
        return {}
    return {
        "route": one.kind,
        "tariff_accepted_on": one.tariff_accepted_on,
        "contract_generated": one.generated_at is not None,
        "contract_signed_by_commune_on": one.signed_by_commune_on,
        "contract_signed_by_counterparty_on": one.signed_by_counterparty_on,
        "contract_copy": one.signed_copy is not None,
    }


def _convention(case: OnboardingCase) -> dict[str, Any]:
    one = getattr(case, "convention", None)
    if one is None:
        return {}
    return {
        "convention_state": one.state,
        "convention_generated": one.generated_at is not None,
        "natures": frozenset(one.natures),
        "starts_on": one.starts_on,
        "signed_by_collectivite_on": one.signed_by_collectivite_on,
        "sent_to_prefecture_on": one.sent_to_prefecture_on,
        "signed_by_prefet_on": one.signed_by_prefet_on,
        "convention_copy": one.signed_copy is not None,
    }


def _helios(case: OnboardingCase) -> dict[str, Any]:
    one = getattr(case, "helios", None)
    if one is None:
        return {}
    return {
        "helios_missing": (),
        "dgfip_agreed_on": one.agreed_on,
        "pes_form_generated": one.generated_at is not None,
        "pes_signed_on": one.signed_on,
        "pes_received_on": one.received_on,
        "pes_copy": one.signed_copy is not None,
    }


def _people(organisation: Organisation, today: date) -> dict[str, Any]:
    holders = transmitters(organisation, today)
    incomplete = (str(one) for one in holders if not (one.function and one.phone))
    return {"holders": len(holders), "incomplete_holders": tuple(incomplete)}


def transmitters(organisation: Organisation, on: date) -> list[Person]:
    """The people who may transmit for a body on that day."""
    current = (
        Person.objects.filter(
            grants__organisation=organisation,
            grants__roles__contains=[Role.TRANSMITTER.value],
            grants__starts_on__lte=on,
        )
        .filter(models.Q(grants__ends_on=None) | models.Q(grants__ends_on__gte=on))
        .distinct()
    )
    return list(current)


def _steps(records: Iterable[StepRecord]) -> dict[str, Any]:
    steps = list(records)
    return {
        "dated": {step.code: step.dated_on for step in steps if step.dated_on is not None},
        "set_aside": frozenset(step.code for step in steps if step.set_aside),
    }


def _other_rooms(organisation: Organisation, at: datetime) -> dict[str, Any]:
    files = registration.file_progress(organisation)
    return {
        "certificate_file_complete": bool(files.to_receive + files.to_issue + files.to_hand_over),
        "certificate_handed_over": bool(files.handed_over),
        "certificate_valid": registration.has_valid_certificate(organisation, at),
        "registered": training.registered(organisation),
        "trained": training.is_trained(organisation),
        **_inside(organisation),
    }


def _inside(organisation: Organisation) -> dict[str, bool]:
    """What only the body's own schema can tell."""
    tenant = getattr(organisation, "tenant", None)
    if tenant is None:
        return {}
    with schema_context(tenant.schema_name):
        budget = Act.objects.filter(nature=BUDGET_NATURE, received_on__isnull=False)
        return {
            "first_ar": actes.has_acknowledged(),
            "first_budget_ar": budget.exists(),
            "pes_acknowledged": helios.has_acknowledged(),
        }
