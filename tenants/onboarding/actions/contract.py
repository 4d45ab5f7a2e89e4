"""The contract for the service: proposed, accepted, signed on both sides (steps A1 and M1)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO

from django.db import transaction

from socle.accounts.models import Person
from socle.directory import queries as directory
from tenants.onboarding import files, policies, wording
from tenants.onboarding.actions.common import lock, move_on, note, take_turn, today
from tenants.onboarding.models import Authorisation, OnboardingCase, ProcurementRoute
from tenants.onboarding.papers import contract as paper


@transaction.atomic
def propose(
    *, case_id: int, values: Mapping[str, Any], by: Person, at: datetime
) -> ProcurementRoute:
    """Propose a route and its price; what the body had accepted before is to accept again.

    Raises OutOfTurn, AboveThreshold, AlreadySigned.
    """
    case = lock(case_id)
    take_turn(case, "A1", at)
    one = getattr(case, "route", None) or ProcurementRoute(case=case)
    policies.check_unsigned(one.signed_by_commune_on, what="Le contrat")
    if one.pk and all(getattr(one, field) == value for field, value in values.items()):
        return one
    for field, value in values.items():
        setattr(one, field, value)
    policies.check_route(kind=one.kind, amount=one.amount)
    one.tariff_accepted_on, one.tariff_accepted_by = None, ""
    one.generated_pdf = one.generated_odt = one.generated_at = None
    one.save()
    note(case.organisation, "contract_proposed", by=by, at=at, route=one.get_kind_display())
    move_on(case_id, by=by, at=at)
    return one


@transaction.atomic
def accept_tariff(
    *, case_id: int, on: date, name: str, by: Person, at: datetime
) -> ProcurementRoute:
    """Write down that the body accepts the price, by the voice of `name`. Raises OutOfTurn."""
    case = lock(case_id)
    take_turn(case, "A1", at)
    one = _route(case)
    if (one.tariff_accepted_on, one.tariff_accepted_by) == (on, name):
        return one
    policies.check_unsigned(one.signed_by_commune_on, what="Le contrat")
    policies.check_not_future(on, today=today(at), field="on")
    one.tariff_accepted_on, one.tariff_accepted_by = on, name
    one.save(update_fields=["tariff_accepted_on", "tariff_accepted_by"])
    note(case.organisation, "tariff_accepted", by=by, at=at, name=name)
    move_on(case_id, by=by, at=at)
    return one


def _route(case: OnboardingCase) -> ProcurementRoute:
    one = getattr(case, "route", None)
    if one is None:
        raise policies.OutOfTurn(
            "Il manque la voie d’accès au service et son tarif : c’est au syndicat de les proposer."
        )
    return one


@transaction.atomic
def draw_up(*, case_id: int, by: Person, at: datetime) -> ProcurementRoute:
    """Make the contract, to be read before the session and signed after it.

    Raises OutOfTurn, AlreadySigned.
    """
    case = lock(case_id)
    take_turn(case, "A3", at)
    one = _route(case)
    policies.check_unsigned(one.signed_by_commune_on, what="Le contrat")
    document = paper.build(
        case,
        one,
        syndicat=directory.syndicat(),
        representative=representative(case),
        at=at,
    )
    one.generated_pdf, one.generated_odt = files.keep_generated(
        document, stem=files.stem("contrat", case.organisation), by=str(by), at=at
    )
    one.generated_at = at
    one.save()
    note(case.organisation, "contract_drawn_up", by=by, at=at)
    move_on(case_id, by=by, at=at)
    return one


def representative(case: OnboardingCase) -> str:
    """The legal representative of the body, or a blank to fill in."""
    contacts = case.organisation.contacts.all()
    return str(next((one for one in contacts if one.is_legal_representative), wording.BLANK))


@transaction.atomic
def sign_by_commune(
    *,
    case_id: int,
    on: date,
    signatory: str,
    copy: BinaryIO,
    name: str,
    by: Person,
    at: datetime,
) -> ProcurementRoute:
    """Keep the copy signed by the body.

    Raises OutOfTurn, WrongDate, AlreadySigned, and what `check_pdf` raises.
    """
    case = lock(case_id)
    take_turn(case, "M1", at)
    one = _drawn_up(case)
    if one.signed_by_commune_on == on and files.same_content(one.commune_copy, copy):
        return one
    policies.check_unsigned(one.signed_copy, what="Le contrat")
    _check_day(case, on, at)
    one.commune_copy = files.keep_signed(copy, name=name, by=str(by), at=at)
    one.signed_by_commune_on, one.signed_by_commune_name = on, signatory
    one.save(update_fields=["signed_by_commune_on", "signed_by_commune_name", "commune_copy"])
    note(case.organisation, "contract_signed", by=by, at=at, signatory=signatory, on=str(on))
    move_on(case_id, by=by, at=at)
    return one


@transaction.atomic
def countersign(
    *,
    case_id: int,
    on: date,
    signatory: str,
    copy: BinaryIO,
    name: str,
    by: Person,
    at: datetime,
) -> ProcurementRoute:
    """Keep the copy signed on both sides. Raises OutOfTurn, WrongDate, PDF refusals."""
    case = lock(case_id)
    take_turn(case, "M1", at)
    one = _drawn_up(case)
    if one.signed_by_commune_on is None:
        raise policies.OutOfTurn(
            "Il manque la signature de la commune sur le contrat : c’est à la commune de le signer "
            "et de le déposer."
        )
    if one.signed_by_counterparty_on == on and files.same_content(one.signed_copy, copy):
        return one
    policies.check_unsigned(one.signed_copy, what="Le contrat")
    _check_day(case, on, at)
    one.signed_copy = files.keep_signed(copy, name=name, by=str(by), at=at)
    one.signed_by_counterparty_on, one.signed_by_counterparty_name = on, signatory
    one.save(
        update_fields=["signed_by_counterparty_on", "signed_by_counterparty_name", "signed_copy"]
    )
    note(case.organisation, "contract_countersigned", by=by, at=at, signatory=signatory, on=str(on))
    move_on(case_id, by=by, at=at)
    return one


def _drawn_up(case: OnboardingCase) -> ProcurementRoute:
    one = _route(case)
    if one.generated_at is None:
        raise policies.OutOfTurn("Il manque le contrat : c’est au syndicat de le produire.")
    return one


def _check_day(case: OnboardingCase, on: date, at: datetime) -> None:
    """A contract that the délibération authorises is signed once it is enforceable."""
    policies.check_not_future(on, today=today(at), field="on")
    authorising = {Authorisation.JOIN, Authorisation.CONTRACT} & set(
        case.deliberation.authorisations
    )
    policies.check_not_before(
        on,
        what="La signature du contrat",
        earliest=case.deliberation.transmitted_on if authorising else None,
        event="la transmission de la délibération qui l’autorise",
        field="on",
    )
