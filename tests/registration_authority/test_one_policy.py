"""What the migration to one policy keeps of the three tables of before."""

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from registration_authority.dossier import vault
from registration_authority.dossier.models import Clock, IdentityCopy, PolicyProfile
from registration_authority.evidence.models import RetentionRules, Tombstone
from registration_authority.models import PieceKind
from registration_authority.revocation.models import RevocationRules
from tests.registration_authority.counter import NOON, PDF, Counter
from tests.registration_authority.policy import policy

MIGRATION = import_module("registration_authority.migrations.0007_one_policy")


def copied(counter: Counter) -> PolicyProfile:
    MIGRATION.copy_rules(apps, None)
    return PolicyProfile.objects.get(offer=counter.file.offer)


def test_the_rules_of_revocation_are_copied(counter: Counter) -> None:
    RevocationRules.objects.create(
        offer=counter.file.offer,
        hours=12,
        warn_after_hours=6,
        identify_within_hours=1,
        four_eyes=False,
        may_ask=["holder"],
        wrong_codes=3,
        wrong_codes_minutes=30,
        falls_with_mandate=[],
    )
    kept = copied(counter)
    assert (kept.revocation_hours, kept.revocation_warn_hours) == (12, 6)
    assert (kept.revocation_identify_hours, kept.revocation_four_eyes) == (1, False)
    assert (kept.may_ask, kept.falls_with_mandate) == (["holder"], [])
    assert (kept.wrong_codes, kept.wrong_codes_by_address) == (3, 15)
    assert kept.wrong_codes_minutes == 30


@pytest.mark.parametrize(
    ("profile", "rules", "after"),
    [
        # The profile's clock was that of identity copies, the rules' that of everything else.
        (("authority", 45, 7), None, ("counter", 60, 7, 45)),
        (("authority", 45, 7), ("authority", 30, 5), ("authority", 30, 5, 45)),
        (("counter", 60, 10), None, ("counter", 60, 10, None)),
        (("counter", 60, 7), ("authority", 90, 9), ("counter", 90, 9, None)),
    ],
)
def test_nothing_is_destroyed_earlier_than_before(
    counter: Counter, profile: Any, rules: Any, after: Any
) -> None:
    place, days, years = profile
    policy(counter, archive_location=place, working_copy_days=days, retention_years=years)
    if rules:
        place, days, years = rules
        RetentionRules.objects.create(
            offer=counter.file.offer, place=place, working_copy_days=days, years_after_end=years
        )
    kept = copied(counter)
    assert (
        kept.archive_location,
        kept.working_copy_days,
        kept.retention_years,
        kept.identity_copy_days,
    ) == after


def test_the_renewals_without_face_to_face_are_copied(counter: Counter) -> None:
    type(counter.file.offer).objects.update(renewals_without_face_to_face=1)
    assert copied(counter).renewals_without_face_to_face == 1


def test_an_offer_without_a_policy_gets_what_held_for_it(counter: Counter) -> None:
    PolicyProfile.objects.filter(offer=counter.file.offer).delete()
    kept = copied(counter)
    assert not kept.accreditation_required
    assert (kept.archive_location, kept.identity_copy_days) == ("counter", 60)


def test_a_copy_destroyed_before_has_its_tombstone(counter: Counter) -> None:
    piece = counter.deposit(PieceKind.IDENTITY, content=PDF)
    copy = IdentityCopy.objects.get(pk=piece.content)
    vault.destroy(copy, clock=Clock.COUNTER, at=NOON + timedelta(days=61))
    for _ in range(2):
        MIGRATION.bury_copies(apps, None)
    stone = Tombstone.objects.get()
    assert (stone.content, stone.sha256, stone.clock) == (copy.pk, copy.sha256, "counter")
    assert (stone.purged_at, stone.what) == (copy.purged_at, "Pièce d’identité")
