"""Questions about files and certificates, for the counter, the commune and the rooms above."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, DateField, DurationField, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncMonth

from registration_authority import portal
from registration_authority.models import (
    LIVE_REQUESTS,
    OPEN_STATES,
    Certificate,
    CertificateFile,
    CertificateRequest,
    CertificateState,
    CertificationAuthority,
    FileState,
    HandOver,
    Piece,
    PieceState,
    RequestState,
)
from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core.clock import PARIS, legal_date
from socle.core.text import fold
from socle.directory import queries as directory
from socle.directory.models import Grant, Organisation

# For the rooms above


def valid_certificates(organisation: Organisation, at: datetime) -> QuerySet[Certificate]:
    """Certificates of a body handed over and in force at `at`, the last to expire first."""
    return (
        Certificate.objects.filter(
            file__organisation=organisation,
            state=CertificateState.VALID,
            hand_over__signed_at__lte=at,
            not_before__lte=at,
            not_after__gt=at,
        )
        .select_related("file__holder", "file__offer")
        .order_by("-not_after")
    )


def has_valid_certificate(organisation: Organisation, at: datetime) -> bool:
    """Whether somebody of the body holds a certificate in force at `at`."""
    return valid_certificates(organisation, at).exists()


@dataclass(frozen=True, slots=True)
class FileProgress:
    """How many files of a body stand at each point of the path."""

    preparing: int
    to_check: int
    to_receive: int
    to_issue: int
    to_hand_over: int
    handed_over: int

    @property
    def under_way(self) -> int:
        """Files opened and not handed over yet."""
        return self.preparing + self.to_check + self.to_receive + self.to_issue + self.to_hand_over


def file_progress(organisation: Organisation) -> FileProgress:
    """The progress of all files of a body, in one query."""
    states = {
        "preparing": FileState.DRAFT,
        "to_check": FileState.SUBMITTED,
        "to_receive": FileState.PIECES_CHECKED,
        "to_issue": FileState.FACE_TO_FACE_DONE,
        "to_hand_over": FileState.ISSUED,
        "handed_over": FileState.HANDED_OVER,
    }
    counts = {name: Count("pk", filter=Q(state=state)) for name, state in states.items()}
    found = CertificateFile.objects.filter(organisation=organisation).aggregate(**counts)
    return FileProgress(**found)


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One hand-over, as billing sees it."""

    organisation: Organisation
    person: Person
    offer_code: str
    price_code: str
    at: datetime
    certificate_id: int


def handed_over(since: datetime, until: datetime) -> Iterator[HandedOver]:
    """Every hand-over signed from `since` (included) to `until` (excluded), oldest first."""
    found = (
        HandOver.objects.filter(signed_at__gte=since, signed_at__lt=until)
        .select_related("holder", "certificate__file__organisation", "certificate__file__offer")
        .order_by("signed_at", "pk")
    )
    for one in found.iterator():
        file = one.certificate.file
        yield HandedOver(
            organisation=file.organisation,
            person=one.holder,
            offer_code=file.offer.code,
            price_code=file.offer.price_code,
            at=one.signed_at,
            certificate_id=one.certificate_id,
        )


# For the screens


def files() -> QuerySet[CertificateFile]:
    """Files with what their next step depends on: counts of pieces, state of the live request."""
    live = CertificateRequest.objects.filter(file=OuterRef("pk"), state__in=LIVE_REQUESTS)
    return CertificateFile.objects.select_related(
        "organisation", "holder", "offer__authority", "assigned_to", "signed_by"
    ).annotate(
        pending=_pieces(PieceState.PENDING),
        refused=_pieces(PieceState.REFUSED),
        request_state=Subquery(live.values("state")[:1]),
    )


def files_in_full() -> QuerySet[CertificateFile]:
    """The same with everybody and everything the page of one file shows."""
    return files().select_related(
        "created_by",
        "face_to_face__officer",
        "carried_face_to_face__officer",
        "certificate__revoked_by",
        "certificate__hand_over__officer",
        "certificate__hand_over__collected_by",
        "offer__profile",
        "proxy",
        "on_hold_by",
        "renews",
    )


def authorities() -> QuerySet[CertificationAuthority]:
    """The authorities with the last list of revoked certificates, by name."""
    return CertificationAuthority.objects.select_related("revocation_list").order_by("name")


def to_revoke_by_hand() -> QuerySet[Certificate]:
    """Certificates an operator must have revoked on the portal of their authority."""
    return (
        Certificate.objects.filter(
            state=CertificateState.REVOKED,
            revocation_confirmed_at=None,
            file__offer__authority__adapter=portal.ADAPTER,
        )
        .select_related("file__holder", "file__organisation", "file__offer__authority")
        .order_by("revoked_at")
    )


def search(found: QuerySet[CertificateFile], text: str) -> QuerySet[CertificateFile]:
    """Files whose body or holder answers to every word of `text`."""
    for word in text.split():
        found = found.filter(
            Q(organisation__sort_key__contains=fold(word))
            | Q(organisation__siren=word)
            | Q(holder__first_name__icontains=word)
            | Q(holder__last_name__icontains=word)
        )
    return found


def counts_by_state() -> dict[str, int]:
    """How many files stand in each state."""
    rows = CertificateFile.objects.order_by().values_list("state").annotate(Count("pk"))
    return dict(rows)


def inventory() -> QuerySet[Certificate]:
    """Every certificate with its holder, the first to expire first."""
    return Certificate.objects.select_related(
        "file__organisation", "file__holder", "file__offer", "hand_over"
    ).order_by("not_after", "pk")


def search_certificates(found: QuerySet[Certificate], text: str) -> QuerySet[Certificate]:
    """Certificates whose body or holder answers to every word of `text`."""
    if not text.strip():
        return found
    named = search(CertificateFile.objects.order_by(), text)
    return found.filter(file__in=named.values("pk"))


def possible_holders(organisation: Organisation, at: datetime) -> list[Person]:
    """The people granted in a body with a role that goes with a certificate, by name."""
    today = legal_date(at)
    grants = (
        Grant.objects.filter(organisation=organisation, starts_on__lte=today)
        .filter(Q(ends_on=None) | Q(ends_on__gte=today))
        .select_related("person")
        .order_by("person__last_name", "person__first_name")
    )
    return [one.person for one in grants if Capability.CERTIFICATES_OWN in one.capabilities]


def own_files(person: Person, organisation_id: int) -> QuerySet[CertificateFile]:
    """The files of one person in one body, the newest first."""
    return files().filter(holder=person, organisation_id=organisation_id).order_by("-pk")


class Days(Func):
    """A number of days as a length of time."""

    template = "make_interval(days => %(expressions)s)"
    output_field = DurationField()


def expiring(at: datetime) -> QuerySet[Certificate]:
    """Certificates in use in their renewal window, that no newer one replaces."""
    newer = Certificate.objects.filter(
        file__holder=OuterRef("file__holder"),
        file__organisation=OuterRef("file__organisation"),
        state=CertificateState.VALID,
        hand_over__signed_at__isnull=False,
        not_after__gt=OuterRef("not_after"),
    )
    return (
        Certificate.objects.filter(
            state=CertificateState.VALID,
            hand_over__signed_at__isnull=False,
            not_after__gt=at,
            not_after__lte=at + Days("file__offer__profile__renewal_window_days"),
        )
        .annotate(newer=Subquery(newer.values("pk")[:1]))
        .filter(newer=None)
    )


def to_renew(at: datetime) -> QuerySet[Certificate]:
    """Certificates in their renewal window that nothing replaces, with the file that will."""
    renewing = CertificateFile.objects.filter(renews=OuterRef("pk"), state__in=OPEN_STATES)
    return (
        expiring(at)
        .annotate(renewing=Subquery(renewing.values("pk")[:1]))
        .select_related("file__holder", "file__organisation", "file__offer", "renewal", "hand_over")
        .order_by("not_after", "pk")
    )


def expiries_by_month(at: datetime, months: int = 12) -> list[tuple[str, int]]:
    """How many certificates in use end in each of the next months, this one first."""
    first = legal_date(at).replace(day=1)
    names = [_month_after(first, rank) for rank in range(months + 1)]
    counted = (
        Certificate.objects.filter(
            state=CertificateState.VALID,
            hand_over__signed_at__isnull=False,
            not_after__gt=at,
            not_after__lt=datetime.combine(names[-1], time.min, PARIS),
        )
        .annotate(month=TruncMonth("not_after", tzinfo=PARIS, output_field=DateField()))
        .order_by()
        .values_list("month")
        .annotate(Count("pk"))
    )
    found = dict(counted)
    return [(f"{month:%m/%Y}", found.get(month, 0)) for month in names[:-1]]


def _month_after(first: date, rank: int) -> date:
    index = first.month - 1 + rank
    return first.replace(year=first.year + index // 12, month=index % 12 + 1)


@dataclass(frozen=True, slots=True)
class Delay:
    """How long one step took, in days: half the files were faster than `median`."""

    step: str
    files: int
    median: float
    p95: float


def delays(since: datetime) -> list[Delay]:
    """The time of each step over the files handed over from `since`, in one query."""
    signed = CertificateFile.objects.filter(certificate__hand_over__signed_at__gte=since)
    spans = {
        "Pièces déposées": ("created_at", "submitted_at"),
        "Pièces vérifiées": ("submitted_at", "checked_at"),
        "Certificat établi": ("checked_at", "certificate__issued_at"),
        "Remise en main propre": ("certificate__issued_at", "certificate__hand_over__signed_at"),
        "En tout": ("created_at", "certificate__hand_over__signed_at"),
    }
    rows = list(signed.values_list(*{name: None for span in spans.values() for name in span}))
    columns = list({name: None for span in spans.values() for name in span})
    told = []
    for step, (start, end) in spans.items():
        first, last = columns.index(start), columns.index(end)
        days = sorted((row[last] - row[first]) / timedelta(days=1) for row in rows)
        if days:
            rank = math.ceil(len(days) * 0.95) - 1
            told.append(Delay(step, len(days), statistics.median(days), days[rank]))
    return told


def members_named(text: str) -> QuerySet[Organisation]:
    """The bodies a file may be opened for, that answer to `text`."""
    return directory.search(text).filter(grants__isnull=False).distinct()


# For the sweep


def requests_to_send(at: datetime) -> list[int]:
    """Approved requests whose certificate is not stored yet and due to be asked, oldest first."""
    waiting = CertificateRequest.objects.filter(
        Q(ask_again_at=None) | Q(ask_again_at__lte=at), state=RequestState.APPROVED
    )
    return list(waiting.order_by("approved_at").values_list("pk", flat=True))


def requests_unanswered(at: datetime) -> list[int]:
    """Requests an authority keeps longer than their policy says, that nobody was told of."""
    late = CertificateRequest.objects.filter(
        state=RequestState.APPROVED,
        late_told_at=None,
        approved_at__lt=at - Days("file__offer__profile__answer_days"),
    )
    return list(late.order_by("approved_at").values_list("pk", flat=True))


def requests_to_settle() -> list[int]:
    """Answered requests whose authority was not told yet what became of its certificate."""
    waiting = CertificateRequest.objects.filter(
        state__in=(RequestState.ISSUED, RequestState.QUARANTINED), settled_at=None
    ).exclude(answer="")
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def files_uncollected() -> list[int]:
    """Files whose certificate waits for its holder, under a policy that says until when."""
    waiting = CertificateFile.objects.filter(
        state=FileState.ISSUED, offer__profile__uncollected_days__isnull=False
    )
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def revocations_to_confirm() -> list[int]:
    """Revoked certificates the authority was not asked to revoke yet, oldest first."""
    waiting = Certificate.objects.filter(
        state=CertificateState.REVOKED, revocation_confirmed_at=None, revocation_sent_at=None
    )
    return list(waiting.order_by("revoked_at").values_list("pk", flat=True))


def _pieces(state: PieceState) -> Coalesce:
    """How many current pieces of a file are in a state, without a join that would group."""
    current = Piece.objects.filter(file=OuterRef("pk"), replaced_at=None, state=state)
    counted = current.order_by().values("file").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)
