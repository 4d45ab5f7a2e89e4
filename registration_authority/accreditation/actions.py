"""Conventions recorded, operators named and removed, powers denied: one function per event."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction

from registration_authority import files
from registration_authority.accreditation import policies
from registration_authority.accreditation.identity import same_person
from registration_authority.accreditation.models import Convention, Denial, Operator, Power
from registration_authority.models import CertificationAuthority
from registration_authority.policies import NeedsReason, WrongMoment, check_reason
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.journal.actions import record

PUBLIC = "public"


class AlreadyNamed(Refusal):
    """The person stands on this convention already."""

    code = "ra.already_named"


class KnownReference(Refusal):
    """A convention of this authority has this reference."""

    code = "ra.known_reference"


@transaction.atomic
def record_convention(
    *,
    authority: CertificationAuthority,
    reference: str,
    signed_on: date,
    starts_on: date,
    ends_on: date | None,
    training_months: int,
    content: bytes | BinaryIO,
    name: str,
    by: Person,
    at: datetime,
) -> Convention:
    """Keep a signed convention with an authority. Raises WrongMoment, KnownReference."""
    if signed_on > legal_date(at):
        raise WrongMoment("La convention ne peut pas être signée dans le futur.", field="signed_on")
    if starts_on < signed_on or (ends_on is not None and ends_on < starts_on):
        raise WrongMoment(
            "La convention commence après sa signature et finit après son début : vérifiez les "
            "dates.",
            field="starts_on",
        )
    if Convention.objects.filter(authority=authority, reference=reference).exists():
        raise KnownReference(
            f"La convention {reference} de « {authority} » est déjà enregistrée.", field="reference"
        )
    kept = files.keep_piece(content, name=name, by=by, at=at)
    convention = Convention.objects.create(
        authority=authority,
        reference=reference,
        signed_on=signed_on,
        starts_on=starts_on,
        ends_on=ends_on,
        training_months=training_months,
        document=kept.pk,
        document_sha256=kept.sha256,
        recorded_at=at,
        recorded_by=by,
    )
    _journal("ra.convention_recorded", convention, by, at, convention=str(convention))
    return convention


@transaction.atomic
def name_operator(
    *,
    convention: Convention,
    person: Person,
    powers: Iterable[str],
    trained_on: date,
    charter_signed_on: date,
    starts_on: date,
    ends_on: date | None = None,
    by: Person,
    at: datetime,
) -> Operator:
    """Put a trained person on a convention with these powers.

    Raises SamePerson, NeedsReason without a power, WrongMoment, AlreadyNamed.
    """
    if same_person(by, person):
        raise policies.SamePerson(
            "Personne ne s’accrédite soi-même : un autre administrateur doit le faire.",
            field="person",
        )
    given = [power.value for power in Power if power in set(powers)]
    if not given:
        raise NeedsReason("Cochez au moins un pouvoir.", field="powers")
    if trained_on > legal_date(at) or charter_signed_on > legal_date(at) or trained_on > starts_on:
        raise WrongMoment(
            "La formation et la charte précèdent l’accréditation : vérifiez les dates.",
            field="trained_on",
        )
    operator = Operator(
        convention=convention,
        person=person,
        powers=given,
        trained_on=trained_on,
        charter_signed_on=charter_signed_on,
        starts_on=starts_on,
        ends_on=ends_on,
        named_at=at,
        named_by=by,
    )
    try:
        with transaction.atomic():
            operator.save(force_insert=True)
    except IntegrityError as clash:
        raise AlreadyNamed(
            f"{person} figure déjà sur cette convention : retirez d’abord cette accréditation.",
            field="person",
        ) from clash
    told = ", ".join(Power(power).label.lower() for power in given)
    _journal("ra.operator_named", operator, by, at, person=str(person), powers=told)
    return operator


@transaction.atomic
def remove_operator(*, operator_id: int, reason: str, by: Person, at: datetime) -> Operator:
    """Take every power of one convention away, with immediate effect; twice is once.

    Powers are asked of the database at each action: a session under way can do nothing more.
    Raises NeedsReason, SecretInText.
    """
    operator = (
        Operator.objects.select_for_update(of=("self",))
        .select_related("person", "convention")
        .get(pk=operator_id)
    )
    told = check_reason(reason)
    if operator.removed_at is None:
        operator.removed_at, operator.removed_by, operator.removal_reason = at, by, told
        operator.save(update_fields=["removed_at", "removed_by", "removal_reason"])
        who = str(operator.person)
        _journal("ra.operator_removed", operator, by, at, person=who, reason=told)
    return operator


@transaction.atomic
def deny(
    *,
    person: Person,
    power: Power,
    reason: str,
    by: Person,
    at: datetime,
    authority: CertificationAuthority | None = None,
) -> Denial:
    """Forbid a power to a person, for one authority or all: it beats every grant. NeedsReason."""
    told = check_reason(reason)
    denial, made = Denial.objects.get_or_create(
        person=person,
        power=power,
        authority=authority,
        lifted_at=None,
        defaults={"reason": told, "denied_at": at, "denied_by": by},
    )
    if made:
        _journal(
            "ra.power_denied",
            denial,
            by,
            at,
            person=str(person),
            power=Power(power).label,
            reason=told,
        )
    return denial


@transaction.atomic
def lift_denial(*, denial_id: int, by: Person, at: datetime) -> Denial:
    """Give back what was forbidden; not to oneself. Raises SamePerson."""
    denial = (
        Denial.objects.select_for_update(of=("self",)).select_related("person").get(pk=denial_id)
    )
    if same_person(by, denial.person):
        raise policies.SamePerson(
            "Personne ne lève l’interdiction qui la vise : un autre administrateur doit le faire."
        )
    if denial.lifted_at is None:
        denial.lifted_at, denial.lifted_by = at, by
        denial.save(update_fields=["lifted_at", "lifted_by"])
        who, power = str(denial.person), Power(denial.power).label
        _journal("ra.denial_lifted", denial, by, at, person=who, power=power)
    return denial


def _journal(event: str, subject: Any, by: Person, at: datetime, **detail: str) -> None:
    record(event=event, subject=subject, by=by, at=at, detail=detail, schema=PUBLIC)
