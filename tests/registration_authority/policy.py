"""The policy of the file of a counter, changed for one test."""

from datetime import date
from typing import Any

from registration_authority.accreditation import actions as accreditation
from registration_authority.accreditation.models import Convention, Operator, Power
from registration_authority.dossier import actions as file_actions
from registration_authority.dossier.models import (
    Mandate,
    MandateKind,
    PieceRule,
    PolicyProfile,
)
from registration_authority.models import PieceKind
from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.directory import queries as directory
from tests.people import person
from tests.registration_authority.counter import NOON, PDF, Counter


def policy(counter: Counter, **changes: Any) -> PolicyProfile:
    """Write these values in the policy of the counter's offer."""
    PolicyProfile.objects.filter(offer=counter.file.offer).update(**changes)
    counter.file.refresh_from_db()
    return PolicyProfile.objects.get(offer=counter.file.offer)


def typed(**changes: Any) -> dict[str, Any]:
    """What an administrator types in the page of a policy: what holds at first, but `changes`."""
    return {
        "document": "",
        "support": "Clé USB",
        "approvals_required": 1,
        "lock_hours": 4,
        "face_to_face_max_age_days": "",
        "identity_documents": ["cni", "passport", "permit"],
        "identity_features": "",
        "visit_checklist": "",
        "answer_days": 5,
        "uncollected_days": "",
        "renewals_without_face_to_face": 0,
        "renewal_window_days": 90,
        "reminders": "90, 60, 30, 15, 7",
        "may_ask": ["holder", "representative", "officer", "caller", "authority"],
        "revocation_four_eyes": "on",
        "revocation_identify_hours": 2,
        "revocation_warn_hours": 12,
        "revocation_hours": 24,
        "wrong_codes": 5,
        "wrong_codes_by_address": 25,
        "wrong_codes_minutes": 60,
        "falls_with_mandate": ["signature", "dual"],
        "archive_location": "counter",
        "working_copy_days": 60,
        "identity_copy_days": 60,
        "retention_years": 7,
    } | changes


def rule(counter: Counter, kind: PieceKind, **fields: Any) -> PieceRule:
    """Ask for a piece in a certain way."""
    profile = PolicyProfile.objects.get(offer=counter.file.offer)
    made, _ = PieceRule.objects.update_or_create(profile=profile, kind=kind, defaults=fields)
    return made


def colleague(**fields: Any) -> Person:
    """Another operator of the syndicat."""
    made = person(Role.RA_OPERATOR, at=directory.syndicat(), **fields)
    made.grants.update(starts_on=date(2026, 1, 1))
    return made


def administrator() -> Person:
    """Who names operators."""
    made = person(Role.ADMINISTRATOR, at=directory.syndicat(), last_name="Administrateur")
    made.grants.update(starts_on=date(2026, 1, 1))
    return made


def convention(counter: Counter, **changes: Any) -> Convention:
    """A convention with the authority of the counter's offer."""
    given = {
        "authority": counter.file.offer.authority,
        "reference": "AED-2026-01",
        "signed_on": date(2026, 1, 2),
        "starts_on": date(2026, 1, 5),
        "ends_on": None,
        "training_months": 24,
        "content": PDF,
        "name": "convention.pdf",
        "by": administrator(),
        "at": NOON,
    }
    return accreditation.record_convention(**(given | changes))


def accredited(counter: Counter, who: Person, *powers: Power, **changes: Any) -> Operator:
    """Put `who` on the convention, made now if there is none."""
    known = Convention.objects.filter(authority=counter.file.offer.authority).first()
    given = {
        "convention": known or convention(counter),
        "person": who,
        "powers": powers or tuple(Power),
        "trained_on": date(2026, 1, 3),
        "charter_signed_on": date(2026, 1, 4),
        "starts_on": date(2026, 1, 5),
        "by": administrator(),
        "at": NOON,
    }
    return accreditation.name_operator(**(given | changes))


def mandate(counter: Counter, kind: MandateKind, **changes: Any) -> Mandate:
    """Somebody who may sign for the body of the counter."""
    given = {
        "organisation": counter.organisation,
        "kind": kind,
        "given_name": "Jeanne",
        "surname": "Maire",
        "starts_on": date(2026, 3, 28),
        "ends_on": None,
        "proof": "Procès-verbal du 28 mars 2026",
        "by": counter.officer,
        "at": NOON,
    }
    return file_actions.record_mandate(**(given | changes))
