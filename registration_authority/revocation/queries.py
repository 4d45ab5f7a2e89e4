"""Questions about revocations, representatives and what a person has under way."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from registration_authority.dossier.models import MandateKind
from registration_authority.dossier.profiles import profile_of
from registration_authority.dossier.queries import mandates_in_force
from registration_authority.models import (
    OPEN_STATES,
    Certificate,
    CertificateFile,
    CertificateState,
    Offer,
)
from registration_authority.revocation.models import (
    PENDING,
    RevocationRequest,
    RevocationState,
)
from socle.accounts.capabilities import Capability, Role
from socle.accounts.models import Person
from socle.actes.models import Act, ActState
from socle.core import fences
from socle.core.clock import legal_date
from socle.core.text import fold
from socle.directory import queries as directory
from socle.directory.models import Grant, Organisation
from socle.helios.models import FlowState, PesFlow

WAITING_FLOWS = (FlowState.DEPOSITED, FlowState.READY)


def in_force(at: datetime) -> QuerySet[Certificate]:
    """Certificates not revoked and not expired at `at`, with whose they are."""
    return (
        Certificate.objects.filter(state=CertificateState.VALID, not_after__gt=at)
        .select_related("file__organisation", "file__holder", "file__offer__profile", "hand_over")
        .order_by("-not_after", "pk")
    )


def requests() -> QuerySet[RevocationRequest]:
    """Requests with everything their list shows, the newest first."""
    return RevocationRequest.objects.select_related(
        "certificate__file__holder",
        "certificate__file__organisation",
        "certificate__file__offer__profile",
        "certificate__file__offer__authority",
        "asked_by",
        "decided_by",
        "reviewed_by",
    )


def pending() -> QuerySet[RevocationRequest]:
    """Requests somebody must decide, the most urgent first."""
    return requests().filter(state__in=PENDING).order_by("-urgent", "received_at")


def to_review() -> QuerySet[RevocationRequest]:
    """Urgent revocations asked and decided by one officer, that nobody else looked at."""
    return requests().filter(
        state=RevocationState.ACCEPTED, urgent=True, asker="officer", reviewed_at=None
    )


def unpublished(at: datetime) -> QuerySet[RevocationRequest]:
    """Accepted requests we have not seen the authority publish, the first to be late first.

    An expired certificate may be left out of a list (RFC 5280 §3.3): it is not waited for.
    """
    waiting = requests().filter(
        state=RevocationState.ACCEPTED, published_at=None, certificate__not_after__gt=at
    )
    return waiting.order_by("deadline")


def to_watch(at: datetime) -> list[int]:
    """Requests nobody decided, or the authority did not publish: their delay runs."""
    running = Q(state__in=PENDING) | Q(
        state=RevocationState.ACCEPTED, published_at=None, certificate__not_after__gt=at
    )
    return list(
        RevocationRequest.objects.filter(running, overdue_at=None)
        .order_by("deadline")
        .values_list("pk", flat=True)
    )


def representatives(organisation: Organisation, at: datetime) -> list[Person]:
    """The legal representatives of a body today, as accounts.

    Those of its mandates in force, where it has one; else its elected signatories. A mandate
    written down without an account is that of the signatory of the same name: another signatory,
    of a former council for instance, represents nobody.
    """
    today = legal_date(at)
    mandates = mandates_in_force(organisation, MandateKind.LEGAL, on=today).select_related("person")
    elected = signatories(organisation, today)
    named = list(mandates)
    if not named:
        return elected
    found: dict[int, Person] = {}
    for one in named:
        same_name = [who for who in elected if fold(str(who)) == fold(str(one))]
        for who in [one.person] if one.person else same_name:
            found[who.pk] = who
    return list(found.values())


def signatories(organisation: Organisation, today: date) -> list[Person]:
    """Who signs for a body on a day, says the directory."""
    grants = (
        Grant.objects.filter(organisation=organisation, starts_on__lte=today)
        .filter(Q(ends_on=None) | Q(ends_on__gte=today), roles__contains=[Role.SIGNATORY.value])
        .select_related("person")
    )
    return [one.person for one in grants]


def officers(at: datetime, capability: Capability = Capability.RA_REVOKE) -> list[Person]:
    """Who may do this at the counter today."""
    today = legal_date(at)
    grants = (
        Grant.objects.filter(organisation=directory.syndicat(), starts_on__lte=today)
        .filter(Q(ends_on=None) | Q(ends_on__gte=today))
        .select_related("person")
    )
    return [one.person for one in grants if capability in one.capabilities]


def colleagues(organisation: Organisation, leaving: Person, at: datetime) -> list[Person]:
    """Who may take over from somebody who leaves a body."""
    today = legal_date(at)
    grants = (
        Grant.objects.filter(organisation=organisation, starts_on__lte=today)
        .filter(Q(ends_on=None) | Q(ends_on__gte=today))
        .exclude(person=leaving)
        .select_related("person")
        .order_by("person__last_name")
    )
    return [one.person for one in grants if Capability.CERTIFICATES_OWN in one.capabilities]


def hand_on(leaving: Person, organisation: Organisation, successor: Person | None) -> int:
    """Give what a person had under way in a body to her successor; how many things there were.

    Files at the counter, drafts of acts, PES that have not left. Without a successor nothing
    changes hands: files are nobody's, the rest is found by whoever prepares acts and flows there.
    Who deposited a flow stays written in words.
    """
    files = CertificateFile.objects.filter(
        assigned_to=leaving, organisation=organisation, state__in=OPEN_STATES
    )
    if successor is not None:
        files = files.exclude(holder=successor)
    moved = files.update(assigned_to=successor)
    tenant = getattr(organisation, "tenant", None)
    if tenant is None:
        return moved
    with fences.inside(tenant.schema_name):
        drafts = Act.objects.filter(state=ActState.DRAFT, created_by=leaving)
        flows = PesFlow.objects.filter(state__in=WAITING_FLOWS, deposited_by=leaving)
        if successor is None:
            return moved + drafts.count() + flows.count()
        moved += drafts.update(created_by=successor)
        return moved + flows.update(deposited_by=successor)


@dataclass(frozen=True, slots=True)
class Delay:
    """How long revocations took, in hours, from the request to the authority's list."""

    offer: str
    count: int
    median: float
    p95: float
    hours: int
    late: int


def delays(since: datetime) -> list[Delay]:
    """The delays of the revocations received from `since` and published, by offer."""
    found = requests().filter(
        state=RevocationState.ACCEPTED, received_at__gte=since, published_at__isnull=False
    )
    by_offer: dict[Offer, list[RevocationRequest]] = {}
    for one in found:
        by_offer.setdefault(one.certificate.file.offer, []).append(one)
    return [
        Delay(
            offer=offer.name,
            count=len(several),
            median=statistics.median(_hours(several)),
            p95=percentile(_hours(several)),
            hours=profile_of(offer).revocation_hours,
            late=sum(one.published_at > one.deadline for one in several if one.published_at),
        )
        for offer, several in sorted(by_offer.items(), key=lambda pair: pair[0].name)
    ]


def percentile(values: Iterable[float], share: float = 0.95) -> float:
    """The value that `share` of `values` do not exceed (nearest rank); 0 of nothing."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1] if ordered else 0.0


def _hours(several: Iterable[RevocationRequest]) -> list[float]:
    hour = timedelta(hours=1)
    return [(one.published_at - one.received_at) / hour for one in several if one.published_at]
