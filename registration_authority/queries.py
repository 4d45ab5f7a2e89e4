"""Questions about files and certificates, for the counter, the commune and the rooms above."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from registration_authority import portal
from registration_authority.models import (
    LIVE_REQUESTS,
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
from socle.core.clock import legal_date
from socle.core.text import fold
from socle.directory import queries as directory
from socle.directory.models import Grant, Organisation

EXPIRING: Final = timedelta(days=60)


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
        "organisation", "holder", "offer__authority", "assigned_to"
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
        "certificate__revoked_by",
        "certificate__hand_over__officer",
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


def expiring(at: datetime) -> QuerySet[Certificate]:
    """Certificates in use that expire within 60 days and that no newer one replaces."""
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
            not_after__lte=at + EXPIRING,
        )
        .annotate(newer=Subquery(newer.values("pk")[:1]))
        .filter(newer=None)
    )


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


def requests_to_settle() -> list[int]:
    """Answered requests whose authority was not told yet what became of its certificate."""
    waiting = CertificateRequest.objects.filter(
        state__in=(RequestState.ISSUED, RequestState.QUARANTINED), settled_at=None
    ).exclude(answer="")
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
