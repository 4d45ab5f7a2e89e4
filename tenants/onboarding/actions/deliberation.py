"""The délibération: written, voted, signed, transmitted (step A3)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, BinaryIO

from django.db import transaction

from socle.accounts.models import Person
from socle.directory import queries as directory
from tenants.onboarding import files, guards, policies
from tenants.onboarding.actions.common import lock, move_on, note, take_turn, today
from tenants.onboarding.facts import collect
from tenants.onboarding.guards import Missing
from tenants.onboarding.models import Channel, Deliberation, OnboardingCase
from tenants.onboarding.papers import deliberation as paper

_SESSION = tuple(policies.Session.__dataclass_fields__)
_AFTER_SIGNATURE = ("transmission", "PDF")


@transaction.atomic
def write(*, case_id: int, values: Mapping[str, Any], by: Person, at: datetime) -> Deliberation:
    """Write down what is known of the délibération and make its document anew.

    Before the session the votes are None. Raises OutOfTurn, WrongDate, VotesDoNotAddUp,
    AlreadySigned.
    """
    case = lock(case_id)
    take_turn(case, "A3", at)
    one = getattr(case, "deliberation", None) or Deliberation(case=case)
    policies.check_unsigned(one.signed_copy, what="La délibération")
    for field, value in values.items():
        setattr(one, field, value)
    session = policies.Session(**{field: getattr(one, field) for field in _SESSION})
    policies.check_session(session, today=today(at))
    document = paper.build(case, one, syndicat=directory.syndicat(), at=at)
    one.generated_pdf, one.generated_odt = files.keep_generated(
        document, stem=files.stem("deliberation", case.organisation), by=str(by), at=at
    )
    one.generated_at = at
    one.save()
    note(case.organisation, "deliberation_written", by=by, at=at, number=one.number)
    move_on(case_id, by=by, at=at)
    return one


@transaction.atomic
def sign(*, case_id: int, copy: BinaryIO, name: str, by: Person, at: datetime) -> Deliberation:
    """Keep the signed copy; `name` is what its file was called. The same copy twice is one.

    Raises OutOfTurn while something is blank, AlreadySigned once it was transmitted, and what
    `check_pdf` raises.
    """
    case = lock(case_id)
    take_turn(case, "A3", at)
    policies.check_signable(_blanks(case, at), what="La délibération")
    one = case.deliberation
    if files.same_content(one.signed_copy, copy):
        return one
    policies.check_unsigned(one.transmitted_on, what="La délibération transmise")
    one.signed_copy = files.keep_signed(copy, name=name, by=str(by), at=at)
    one.save(update_fields=["signed_copy"])
    note(case.organisation, "deliberation_signed", by=by, at=at, number=one.number)
    move_on(case_id, by=by, at=at)
    return one


def _blanks(case: OnboardingCase, at: datetime) -> list[Missing]:
    """What the délibération itself lacks, its signed copy and its transmission apart."""
    missing = guards.missing("A3", collect(case, at))
    return [one for one in missing if not any(word in one.what for word in _AFTER_SIGNATURE)]


@transaction.atomic
def record_transmission(
    *,
    case_id: int,
    on: date,
    channel: Channel,
    proof: BinaryIO,
    name: str,
    by: Person,
    at: datetime,
) -> Deliberation:
    """Keep the day and the proof of the transmission to the préfecture (CGCT L2131-1).

    Raises OutOfTurn without signed copy, WrongDate, and what `check_pdf` raises.
    """
    case = lock(case_id)
    take_turn(case, "A3", at)
    policies.check_signable(
        (one for one in guards.missing("A3", collect(case, at)) if "transmission" not in one.what),
        what="La délibération",
    )
    one = case.deliberation
    if one.transmitted_on == on and files.same_content(one.transmission_proof, proof):
        return one
    convention = getattr(case, "convention", None)
    policies.check_unsigned(
        convention and convention.signed_by_collectivite_on, what="La convention qui s’y réfère"
    )
    policies.check_not_future(on, today=today(at), field="on")
    policies.check_not_before(
        on,
        what="La transmission",
        earliest=one.session_on,
        event="la séance",
        field="on",
    )
    one.transmission_proof = files.keep_signed(proof, name=name, by=str(by), at=at)
    one.transmitted_on, one.transmitted_by = on, channel
    one.save(update_fields=["transmitted_on", "transmitted_by", "transmission_proof"])
    note(case.organisation, "deliberation_transmitted", by=by, at=at, on=str(on))
    move_on(case_id, by=by, at=at)
    return one
