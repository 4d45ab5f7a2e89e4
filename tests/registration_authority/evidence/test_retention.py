"""What is kept, how long, and what remains."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from registration_authority import actions as counter_actions
from registration_authority import files, tasks
from registration_authority.evidence import retention
from registration_authority.evidence.models import Tombstone
from registration_authority.models import (
    IDENTITY_KINDS,
    Certificate,
    CertificateFile,
    FileState,
    Piece,
    RevocationReason,
)
from socle.documents.models import StoredFile
from socle.journal.models import Entry
from tests.registration_authority.counter import NOON, Counter, open_counter
from tests.registration_authority.policy import policy


@pytest.fixture
def held(counter: Counter) -> Counter:
    """A certificate in use."""
    return counter.bring_to(FileState.HANDED_OVER)


def when(counter: Counter) -> datetime | None:
    return retention.purge_at(CertificateFile.objects.get(pk=counter.file.pk))


def blobs(vault: Path) -> int:
    return sum(one.is_file() for one in vault.rglob("*"))


def test_case_c61_after_its_time_no_byte_remains(
    held: Counter, vault: Path, django_capture_on_commit_callbacks: Any
) -> None:
    policy(held, identity_copy_days=None)
    ends = Certificate.objects.get().not_after
    due = when(held)
    assert due is not None
    assert due.year == ends.year + 7
    hashes = set(Piece.objects.values_list("sha256", flat=True))
    assert retention.due(due - timedelta(hours=1)) == []
    later = due + timedelta(hours=1)
    assert retention.due(later) == [held.file.pk]
    assert blobs(vault) > 0
    with django_capture_on_commit_callbacks(execute=True):
        assert retention.purge(held.file.pk, at=later) == 6  # pieces, attestation, receipt
    retention.sweep(at=later)
    assert blobs(vault) == 0
    assert not StoredFile.objects.exists()
    kept = Tombstone.objects.all()
    assert hashes <= {one.sha256 for one in kept}
    assert {piece.name for piece in Piece.objects.all()} == {retention.PURGED}
    assert Entry.objects.filter(event="ra.purged").count() <= 2
    assert retention.due(later) == []
    assert retention.purge(held.file.pk, at=later) == 0


def test_invariant_i16_only_hashes_and_dates_remain(held: Counter) -> None:
    due = when(held)
    assert due is not None
    retention.purge(held.file.pk, at=due + timedelta(hours=1))
    retention.sweep(at=due + timedelta(hours=1))
    assert not StoredFile.objects.exists()
    kept = {one.name for one in Tombstone._meta.concrete_fields}
    assert kept == {
        "id",
        "file",
        "what",
        "content",
        "sha256",
        "size",
        "clock",
        "kept_from",
        "purged_at",
    }


def test_purging_too_early_takes_nothing(held: Counter) -> None:
    policy(held, identity_copy_days=None)
    assert retention.purge(held.file.pk, at=NOON + timedelta(days=400)) == 0
    assert not Tombstone.objects.exists()


def test_an_open_file_is_never_purged(counter: Counter) -> None:
    counter.submit()
    assert when(counter) is None
    assert retention.due(NOON + timedelta(days=9999)) == []


def test_a_revoked_certificate_counts_from_its_revocation(held: Counter) -> None:
    counter_actions.revoke(
        certificate_id=Certificate.objects.get().pk,
        reason=RevocationReason.KEY_COMPROMISE,
        by=held.officer,
        at=NOON,
    )
    assert when(held) == NOON.replace(year=NOON.year + 7)


def test_the_years_are_a_rule_of_the_offer(held: Counter) -> None:
    policy(held, retention_years=10)
    ends = Certificate.objects.get().not_after
    due = when(held)
    assert due is not None
    assert due.year == ends.year + 10


def test_where_the_authority_archives_ours_is_a_working_copy(held: Counter) -> None:
    policy(held, archive_location="authority", working_copy_days=60)
    assert when(held) == NOON + timedelta(days=60)


def test_a_file_without_a_certificate_is_a_working_copy(counter: Counter) -> None:
    counter.submit()
    counter_actions.close(
        file_id=counter.file.pk,
        to=FileState.CANCELLED,
        reason="Départ de l’agent",
        by=counter.officer,
        at=NOON,
    )
    assert when(counter) == NOON + timedelta(days=60)


def test_the_same_bytes_elsewhere_stay(held: Counter, syndicat: Any, town: Any) -> None:
    # The tests' pieces are one PDF: another file that holds it still opens it.
    connection.set_schema_to_public()
    other = open_counter(town.organisation, syndicat)
    other.submit()
    due = when(held)
    assert due is not None
    retention.purge(held.file.pk, at=due + timedelta(hours=1))
    retention.sweep(at=due + timedelta(hours=1))
    kept = other.file.pieces.exclude(kind__in=IDENTITY_KINDS).first()
    assert files.read(kept.content)


def test_the_task_purges_what_is_due(held: Counter) -> None:
    long_ago = NOON - timedelta(days=400)
    policy(held, archive_location="authority", working_copy_days=1, identity_copy_days=None)
    receipt = Certificate.objects.get().hand_over
    type(receipt).objects.filter(pk=receipt.pk).update(
        prepared_at=long_ago, signed_at=long_ago, accepted_at=long_ago
    )
    tasks.purge()
    assert Tombstone.objects.count() == 6
