"""Questions about mandates, batches, policies and what waits for one officer."""

from datetime import date, datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from registration_authority import queries
from registration_authority.dossier.models import (
    Mandate,
    MandateKind,
    OpeningBatch,
    OpeningLine,
)
from registration_authority.models import (
    OPEN_STATES,
    Certificate,
    CertificateFile,
    CertificateState,
    FileState,
    Offer,
    RequestState,
)
from socle.accounts.capabilities import Capability, Role, capabilities_of
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.directory.models import Grant, Organisation

WAITS = (
    FileState.SUBMITTED,
    FileState.PIECES_CHECKED,
    FileState.FACE_TO_FACE_DONE,
    FileState.ISSUED,
)


def waiting_for(officer: Person, at: datetime) -> QuerySet[CertificateFile]:
    """What this officer can move now, the longest waiting first.

    Not her own file, not one on hold, not one a colleague has taken, not one where the commune or
    the authority has the next word.
    """
    taken = Q(locked_until__gt=at) & ~Q(assigned_to=officer) & Q(assigned_to__isnull=False)
    theirs = Q(state=FileState.SUBMITTED, pending=0) | Q(
        state=FileState.FACE_TO_FACE_DONE,
        request_state=RequestState.APPROVED,
        offer__authority__adapter__in=("training", "cmp"),
    )
    return (
        queries.files()
        .filter(state__in=WAITS, on_hold_since=None)
        .exclude(holder=officer)
        .exclude(taken)
        .exclude(theirs)
        .order_by("submitted_at", "pk")
    )


def mandates(organisation: Organisation) -> QuerySet[Mandate]:
    """Every mandate of a body, those in force first."""
    return (
        Mandate.objects.filter(organisation=organisation)
        .select_related("person", "recorded_by")
        .order_by(F("ends_on").desc(nulls_first=True), "kind", "surname")
    )


def mandates_in_force(
    organisation: Organisation, *kinds: MandateKind, on: date
) -> QuerySet[Mandate]:
    """The mandates of these kinds that hold on a day."""
    return Mandate.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=on),
        organisation=organisation,
        kind__in=kinds,
        starts_on__lte=on,
    ).order_by("surname", "given_name")


def proxy_of(person: Person, organisation_id: int, on: date) -> Mandate | None:
    """The mandate by which a person deals with the certificates of her body, if she has one."""
    return Mandate.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=on),
        person=person,
        organisation_id=organisation_id,
        kind=MandateKind.PROXY,
        starts_on__lte=on,
    ).first()


def files_through(proxy: Mandate) -> QuerySet[CertificateFile]:
    """The open files of her body that go through a « mandataire », never her own."""
    return (
        queries.files()
        .filter(proxy=proxy, organisation_id=proxy.organisation_id, state__in=OPEN_STATES)
        .exclude(holder_id=proxy.person_id)
    )


def batches() -> QuerySet[OpeningBatch]:
    """Every batch with how many lines it has, and how many reached the hand-over."""
    return OpeningBatch.objects.select_related("offer", "opened_by").annotate(
        size=Count("lines"),
        refused=Count("lines", filter=Q(lines__file=None)),
        done=Count("lines", filter=Q(lines__file__state=FileState.HANDED_OVER)),
    )


def lines(batch: OpeningBatch) -> QuerySet[OpeningLine]:
    """The lines of a batch, by commune."""
    return OpeningLine.objects.filter(batch=batch).select_related("organisation", "holder")


def without_certificate(at: datetime, text: str = "") -> QuerySet[Grant]:
    """People granted a role that goes with a certificate, who have neither one nor a file."""
    roles = [
        role.value for role in Role if Capability.CERTIFICATES_OWN in capabilities_of([role.value])
    ]
    today = legal_date(at)
    same = {"holder": OuterRef("person"), "organisation": OuterRef("organisation")}
    in_force = {f"file__{name}": value for name, value in same.items()}
    found = (
        Grant.objects.filter(Q(ends_on=None) | Q(ends_on__gte=today), starts_on__lte=today)
        .filter(roles__overlap=roles)
        .exclude(Exists(CertificateFile.objects.filter(state__in=OPEN_STATES, **same)))
        .exclude(
            Exists(
                Certificate.objects.filter(
                    state=CertificateState.VALID, not_after__gt=at, **in_force
                )
            )
        )
        .select_related("person", "organisation")
        .order_by("organisation__sort_key", "person__last_name", "pk")
    )
    if text.strip():
        bodies = queries.members_named(text).values("pk")
        found = found.filter(organisation__in=bodies)
    return found


def offers() -> QuerySet[Offer]:
    """Every offer with its authority and its policy."""
    return Offer.objects.select_related("authority", "profile").order_by("authority__name", "name")
