"""The numbers of acts: patterns of each service, the next one, those nobody bears."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from django.db import connection, transaction

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import policies, queries
from socle.actes.ground import Ground
from socle.actes.models import Act, Habits, NumberPattern
from socle.core.clock import legal_date
from socle.documents.stamp import Corner
from socle.journal.actions import record


def lock() -> None:
    """Give numbers alone until the transaction ends: two deposits at once never propose the same.

    Raises RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("numbers are given inside a transaction")
    name = f"socle.actes.numbers:{connection.schema_name}".encode()
    with connection.cursor() as cursor:
        key = int.from_bytes(sha256(name).digest()[:8], signed=True)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def next_number(pattern: NumberPattern | None, *, at: datetime) -> str:
    """The number to propose for the next act of a service; of the commune without pattern."""
    if pattern is None:
        return queries.next_number(at)
    numbering = policies.numbering(pattern.pattern, year=legal_date(at).year)
    return numbering.next(_used(numbering))


def number_like(number: str, *, at: datetime) -> str:
    """The next number of the service whose pattern gave `number`; of the commune for any other."""
    year = legal_date(at).year
    for one in NumberPattern.objects.all():
        if any(
            policies.numbering(one.pattern, year=year - ago).serials([number]) for ago in _YEARS
        ):
            return next_number(one, at=at)
    return queries.next_number(at)


_YEARS = range(5)


def skipped(number: str, *, at: datetime) -> list[str]:
    """The numbers left without an act just below `number`, in its service's pattern of the year."""
    for one in NumberPattern.objects.all():
        numbering = policies.numbering(one.pattern, year=legal_date(at).year)
        if numbering.serials([number]):
            return [gap for gap in numbering.gaps([*_used(numbering), number]) if gap < number]
    return []


def proposals(*, at: datetime) -> list[tuple[NumberPattern, str]]:
    """Each service with its next number."""
    return [(one, next_number(one, at=at)) for one in NumberPattern.objects.all()]


def gaps(pattern: NumberPattern, *, at: datetime) -> list[str]:
    """The numbers of this year that no act of the service bears, drafts included."""
    numbering = policies.numbering(pattern.pattern, year=legal_date(at).year)
    return numbering.gaps(_used(numbering))


@transaction.atomic
def set_patterns(
    *, patterns: Sequence[tuple[str, str]], corner: Corner, by: Person, at: datetime
) -> None:
    """Choose how the services number their acts, and where the stamp stands.

    `patterns` are (service, pattern) pairs; a service that is not there any more has none.
    Acts keep their numbers, stamped copies their stamp. Raises NotAllowed or InvalidPattern.
    """
    Ground(by=by, at=at).check_may(Capability.ACTS_TRANSMIT)
    for _, pattern in patterns:
        policies.numbering(pattern, year=legal_date(at).year)
    lock()
    NumberPattern.objects.exclude(service__in=[service for service, _ in patterns]).delete()
    for service, pattern in patterns:
        NumberPattern.objects.update_or_create(service=service, defaults={"pattern": pattern})
    habits, _ = Habits.objects.update_or_create(only=True, defaults={"stamp_corner": corner.value})
    said = ", ".join(f"{service} : {pattern}" for service, pattern in patterns) or "aucun"
    record(
        event="actes.habits_set",
        subject=habits,
        by=by,
        at=at,
        detail={"patterns": said, "corner": corner.label},
    )


def corner() -> Corner:
    """Where the commune wants the stamp."""
    habits = Habits.objects.first()
    return Corner(habits.stamp_corner) if habits else Corner.TOP_RIGHT


def _used(numbering: policies.Numbering) -> list[str]:
    found = Act.objects.filter(number__startswith=numbering.before)
    return list(found.values_list("number", flat=True))
