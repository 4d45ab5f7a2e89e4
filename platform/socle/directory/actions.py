"""What changes in the directory: one function per event."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.directory.models import (
    Contact,
    Grant,
    Membership,
    Organisation,
    OrganisationKind,
    Protocol,
    SpaceStop,
    TransmissionRight,
)
from socle.journal.actions import record


class NothingToJoin(Refusal):
    """The EPCI has no commune in the directory."""

    code = "directory.nothing_to_join"


@transaction.atomic
def join_members_of(*, epci: Organisation, by: Person, at: datetime) -> list[Organisation]:
    """Make every commune of an EPCI a member of the syndicat; returns those that were not yet.

    Raises NothingToJoin.
    """
    communes = Organisation.objects.filter(epci=epci, kind=OrganisationKind.COMMUNE, closed_on=None)
    if not communes.exists():
        raise NothingToJoin(
            f"Aucune commune de « {epci} » n’est dans l’annuaire : importez d’abord les communes."
        )
    new = list(communes.filter(membership=None).order_by("sort_key"))
    joined_on = legal_date(at)
    Membership.objects.bulk_create(
        (Membership(organisation=commune, joined_on=joined_on) for commune in new),
        ignore_conflicts=True,
    )
    record(
        event="directory.members_joined",
        subject=epci,
        by=by,
        at=at,
        detail={"epci": epci.siren, "communes": [commune.siren for commune in new]},
    )
    return new


@transaction.atomic
def grant(
    *, person: Person, organisation: Organisation, roles: Iterable[Role], by: Person, at: datetime
) -> Grant:
    """Give a person these roles in an organisation, replacing those she had there."""
    given, _ = Grant.objects.update_or_create(
        person=person,
        organisation=organisation,
        defaults={
            "roles": sorted({Role(role).value for role in roles}),
            "starts_on": legal_date(at),
            "ends_on": None,
        },
    )
    record(
        event="directory.granted",
        subject=organisation,
        by=by,
        at=at,
        detail={"person": person.pk, "who": str(person), "roles": given.roles},
    )
    return given


@transaction.atomic
def end_grant(*, person: Person, organisation: Organisation, by: Person, at: datetime) -> bool:
    """Take away what a person may do in an organisation, from now on; twice is once.

    True when she may do nothing anywhere any more: her account is closed.
    """
    today = legal_date(at)
    given = Grant.objects.select_for_update(of=("self",)).filter(
        person=person, organisation=organisation
    )
    ended = [one for one in given if one.is_current(today)]
    for one in ended:
        if one.starts_on < today:
            one.ends_on = today - timedelta(days=1)
        else:  # a grant of this very day ends with it, and allows nothing until then
            one.roles, one.ends_on = [], today
        one.save(update_fields=["roles", "ends_on"])
    if ended:
        record(
            event="directory.grant_ended",
            subject=organisation,
            by=by,
            at=at,
            detail={"person": person.pk, "who": str(person)},
        )
    others = Grant.objects.filter(person=person).exclude(organisation=organisation)
    if person.is_active and not any(one.is_current(today) for one in others):
        person.is_active = False
        person.save(update_fields=["is_active"])
    return not person.is_active


@transaction.atomic
def open_right(
    *,
    organisation: Organisation,
    protocol: Protocol,
    operator: str,
    reference: str,
    starts_on: date,
    by: Person,
    at: datetime,
    natures: Iterable[str] = (),
) -> TransmissionRight:
    """Let a body transmit under a signed convention; a new convention replaces the former one."""
    right, _ = TransmissionRight.objects.update_or_create(
        organisation=organisation,
        protocol=protocol,
        defaults={
            "operator": operator,
            "reference": reference,
            "starts_on": starts_on,
            "natures": sorted(natures),
            "suspended_on": None,
            "suspension_reason": "",
        },
    )
    record(
        event="directory.right_opened",
        subject=organisation,
        by=by,
        at=at,
        detail={"protocol": protocol, "reference": reference, "starts_on": str(starts_on)},
    )
    return right


@transaction.atomic
def suspend_right(
    *, right: TransmissionRight, reason: str, on: date, by: Person, at: datetime
) -> None:
    """Suspend a right as the préfet notified it (CGCT R2131-4)."""
    right.suspended_on, right.suspension_reason = on, reason
    right.save(update_fields=["suspended_on", "suspension_reason"])
    record(
        event="directory.right_suspended",
        subject=right.organisation,
        by=by,
        at=at,
        detail={"protocol": right.protocol, "reason": reason, "on": str(on)},
    )


@transaction.atomic
def resume_right(*, right: TransmissionRight, by: Person, at: datetime) -> None:
    """End a suspension."""
    right.suspended_on, right.suspension_reason = None, ""
    right.save(update_fields=["suspended_on", "suspension_reason"])
    record(
        event="directory.right_resumed",
        subject=right.organisation,
        by=by,
        at=at,
        detail={"protocol": right.protocol},
    )


@transaction.atomic
def edit(
    *, organisation_id: int, changes: Mapping[str, Any], by: Person, at: datetime
) -> Organisation:
    """Write the given fields of an organisation, and which ones changed in the journal."""
    organisation = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation_id)
    for field, value in changes.items():
        setattr(organisation, field, value)
    organisation.save()
    record(
        event="directory.edited",
        subject=organisation,
        by=by,
        at=at,
        detail={"fields": sorted(changes)},
    )
    return organisation


@transaction.atomic
def add_contact(
    *, organisation_id: int, facts: Mapping[str, Any], by: Person, at: datetime
) -> Contact:
    """Write down a contact; a new legal representative takes the place of the former one."""
    organisation = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation_id)
    if facts.get("is_legal_representative"):
        organisation.contacts.update(is_legal_representative=False)
    contact = Contact.objects.create(organisation=organisation, **facts)
    record(
        event="directory.contact_added",
        subject=organisation,
        by=by,
        at=at,
        detail={"contact": contact.pk, "function": contact.function},
    )
    return contact


def stop_space(*, organisation: Organisation, reason: str, at: datetime) -> None:
    """Let nothing be sent for a body, nor its tasks run, until `start_space`; twice is once.

    Part of the caller's event and transaction, which the caller journals.
    """
    SpaceStop.objects.get_or_create(
        organisation=organisation, defaults={"since": at, "reason": reason[:300]}
    )


def close_space(*, organisation: Organisation) -> None:
    """Let nothing enter a stopped space any more; part of the caller's event, as above."""
    SpaceStop.objects.filter(organisation=organisation).update(is_final=True)


def start_space(*, organisation: Organisation) -> None:
    """Undo `stop_space`; part of the caller's event, as above."""
    SpaceStop.objects.filter(organisation=organisation).delete()
