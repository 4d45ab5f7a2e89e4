"""Questions about slots."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from registration_authority.models import CertificateFile
from registration_authority.slots.models import Appointment, Slot


def free_slots(file: CertificateFile, at: datetime) -> QuerySet[Slot]:
    """The slots a file may take, the soonest first: at the counter or in its commune."""
    taken = Appointment.objects.filter(slot=OuterRef("pk"), cancelled_at=None)
    within_reach = Q(organisation=None) | Q(organisation_id=file.organisation_id)
    return (
        Slot.objects.filter(within_reach, ~Exists(taken), closed_at=None, starts_at__gt=at)
        .select_related("officer")
        .order_by("starts_at", "pk")
    )


def appointment_of(file: CertificateFile) -> Appointment | None:
    """The appointment a file has, if any."""
    return (
        Appointment.objects.filter(file=file, cancelled_at=None, honoured_at=None)
        .select_related("slot__officer")
        .first()
    )


def coming(at: datetime) -> QuerySet[Slot]:
    """The slots of today and later with who took them, the soonest first."""
    return (
        Slot.objects.filter(closed_at=None, ends_at__gt=at - timedelta(hours=12))
        .select_related("officer", "organisation")
        .order_by("starts_at", "pk")
    )


def taken_in(slots: list[Slot]) -> dict[int, Appointment]:
    """The appointment of each slot that is taken, in one query."""
    found = Appointment.objects.filter(slot__in=slots, cancelled_at=None).select_related(
        "file__holder", "file__organisation"
    )
    return {one.slot_id: one for one in found}
