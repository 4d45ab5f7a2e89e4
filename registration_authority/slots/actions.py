"""Slots opened, taken, moved and given back: one function per event."""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from registration_authority import permissions
from registration_authority.accreditation.identity import same_person
from registration_authority.dossier.profiles import profile_of
from registration_authority.models import CertificateFile, FileState
from registration_authority.policies import (
    ForbiddenStep,
    NeedsReason,
    WrongMoment,
    check_free_text,
)
from registration_authority.slots.models import Appointment, Slot, SlotKind
from registration_authority.trace import journal, tell_holder
from socle.accounts.models import Person
from socle.core.clock import PARIS
from socle.core.refusals import Refusal
from socle.directory.models import Organisation
from socle.journal.actions import record

BOOKABLE: Final[frozenset[str]] = frozenset(
    {FileState.SUBMITTED, FileState.PIECES_CHECKED, FileState.ISSUED}
)
MOST_SLOTS: Final = 100


class SlotTaken(Refusal):
    """Somebody else was faster, or the slot was closed."""

    code = "ra.slot_taken"


class OfficerBusy(Refusal):
    """The officer has something else at that time."""

    code = "ra.officer_busy"


@transaction.atomic
def open_slots(
    *,
    kind: SlotKind,
    organisation: Organisation | None,
    officer: Person,
    place: str,
    day: date,
    first: time,
    last: time,
    minutes: int,
    by: Person,
    at: datetime,
) -> list[Slot]:
    """Offer slots of `minutes` between two hours (of Paris) of a day.

    A visit takes with it the check-list of the policies of the files it is for. Raises NeedsReason,
    WrongMoment, OfficerBusy, SecretInText.
    """
    if (kind == SlotKind.VISIT) != (organisation is not None):
        raise NeedsReason("Une visite se fait dans une commune : choisissez-la.", field="commune")
    check_free_text(place=place)
    start, end = (datetime.combine(day, hour, PARIS) for hour in (first, last))
    if start <= at:
        raise WrongMoment("Choisissez un moment à venir.", field="day")
    length = timedelta(minutes=minutes)
    starts = [start + length * rank for rank in range(int((end - start) / length))]
    if not starts or len(starts) > MOST_SLOTS:
        raise WrongMoment(
            "Entre ces heures il n’y a la place d’aucun rendez-vous, ou de plus de cent : "
            "vérifiez-les.",
            field="last",
        )
    Person.objects.select_for_update().get(pk=officer.pk)  # one who opens at a time
    _check_officer_free(officer, start, end)
    checklist = _checklist(organisation) if organisation is not None else []
    made = [
        Slot.objects.create(
            kind=kind,
            organisation=organisation,
            officer=officer,
            place=place.strip(),
            starts_at=one,
            ends_at=one + length,
            opened_at=at,
            checklist=checklist,
        )
        for one in starts
    ]
    record(
        event="ra.slots_opened",
        subject=made[0],
        by=by,
        at=at,
        detail={"count": str(len(made)), "place": place.strip(), "day": day.isoformat()},
        schema="public",
    )
    return made


@transaction.atomic
def book(*, file_id: int, slot_id: int, by: Person, at: datetime) -> Appointment:
    """Take a slot for a file, in place of the one it had. Raises SlotTaken, ForbiddenStep, OwnFile.

    Two that come together: the database gives the slot to one.
    """
    file = _locked(file_id)
    slot = _bookable(file, slot_id, at)
    if same_person(slot.officer, file.holder):
        raise permissions.OwnFile(
            "Ce créneau est tenu par la personne titulaire : choisissez-en un autre."
        )
    former = Appointment.objects.filter(file=file, cancelled_at=None, honoured_at=None).first()
    if former is not None and former.slot_id == slot.pk:
        return former
    if former is not None:
        _cancel(former, by, at)
    booked = Appointment(slot=slot, file=file, booked_at=at, booked_by=by)
    try:
        with transaction.atomic():
            booked.save(force_insert=True)
    except IntegrityError as clash:
        raise _taken() from clash
    when = f"{slot.starts_at.astimezone(PARIS):%d/%m/%Y à %H h %M}"
    journal(
        file,
        "ra.appointment_moved" if former else "ra.appointment_booked",
        by,
        at,
        holder=str(file.holder),
        when=when,
        place=slot.place,
    )
    tell_holder(
        file,
        f"appointment:{booked.pk}",
        f"Rendez-vous le {when}",
        at,
        f"{slot.place}, avec {slot.officer}. Venez avec l’original de votre pièce d’identité en "
        "cours de validité.",
    )
    return booked


@transaction.atomic
def cancel(*, file_id: int, by: Person, at: datetime) -> Appointment | None:
    """Give back the slot of a file; None when it has none."""
    file = _locked(file_id)
    current = Appointment.objects.filter(file=file, cancelled_at=None, honoured_at=None).first()
    if current is None:
        return None
    _cancel(current, by, at)
    when = f"{current.slot.starts_at.astimezone(PARIS):%d/%m/%Y à %H h %M}"
    journal(file, "ra.appointment_cancelled", by, at, holder=str(file.holder), when=when)
    tell_holder(
        file,
        f"appointment-cancelled:{current.pk}",
        f"Rendez-vous du {when} annulé",
        at,
        "Choisissez un autre moment dans votre espace, rubrique « Mon certificat ».",
    )
    return current


@transaction.atomic
def close_slot(*, slot_id: int, by: Person, at: datetime) -> Slot:
    """Withdraw a slot; whoever had taken it is told to choose another. Twice is once."""
    slot = Slot.objects.select_for_update(of=("self",)).get(pk=slot_id)
    if slot.closed_at is None:
        taken = Appointment.objects.filter(slot=slot, cancelled_at=None, honoured_at=None).first()
        if taken is not None:
            cancel(file_id=taken.file_id, by=by, at=at)
        slot.closed_at = at
        slot.save(update_fields=["closed_at"])
        record(
            event="ra.slot_closed",
            subject=slot,
            by=by,
            at=at,
            detail={"when": slot.starts_at.isoformat(), "place": slot.place},
            schema="public",
        )
    return slot


@transaction.atomic
def tick(*, slot_id: int, ticked: list[str], by: Person, at: datetime) -> Slot:
    """Write down what of the check-list is ready."""
    slot = Slot.objects.select_for_update(of=("self",)).get(pk=slot_id)
    slot.ticked = [one for one in slot.checklist if one in set(ticked)]
    slot.save(update_fields=["ticked"])
    return slot


def honour(*, file: CertificateFile, at: datetime) -> None:
    """The person came: her appointment of today is done. Called in the action of the meeting."""
    Appointment.objects.filter(
        file=file, cancelled_at=None, honoured_at=None, slot__starts_at__lte=at + timedelta(days=1)
    ).update(honoured_at=at)


def free(*, file: CertificateFile, at: datetime) -> None:
    """The file is over: a slot it still had is free again."""
    Appointment.objects.filter(file=file, cancelled_at=None, honoured_at=None).update(
        cancelled_at=at, cancelled_by=file.assigned_to or file.created_by
    )


def _bookable(file: CertificateFile, slot_id: int, at: datetime) -> Slot:
    """The slot, locked, if the file may take it. Raises ForbiddenStep, SlotTaken."""
    if file.state not in BOOKABLE:
        raise ForbiddenStep(
            "Ce dossier n’attend pas de rendez-vous : les pièces d’abord, ou il est terminé."
        )
    slot = (
        Slot.objects.select_for_update(of=("self",))
        .select_related("officer")
        .filter(pk=slot_id, closed_at=None, starts_at__gt=at)
        .first()
    )
    if slot is None or slot.organisation_id not in (None, file.organisation_id):
        raise _taken()
    return slot


def _check_officer_free(officer: Person, start: datetime, end: datetime) -> None:
    busy = Slot.objects.filter(
        officer=officer, closed_at=None, starts_at__lt=end, ends_at__gt=start
    ).first()
    if busy is not None:
        raise OfficerBusy(
            f"{officer} reçoit déjà le {busy.starts_at.astimezone(PARIS):%d/%m/%Y à %H h %M} "
            f"({busy.place}) : choisissez d’autres heures.",
            field="first",
        )


def _checklist(organisation: Organisation) -> list[str]:
    waiting = CertificateFile.objects.filter(
        organisation=organisation, state__in=BOOKABLE
    ).select_related("offer__profile")
    wanted: dict[str, None] = {}
    for file in waiting:
        wanted |= dict.fromkeys(profile_of(file.offer).visit_checklist)
    return list(wanted)


def _cancel(appointment: Appointment, by: Person, at: datetime) -> None:
    appointment.cancelled_at, appointment.cancelled_by = at, by
    appointment.save(update_fields=["cancelled_at", "cancelled_by"])


def _taken() -> SlotTaken:
    return SlotTaken(
        "Ce créneau n’est plus libre : choisissez-en un autre dans la liste.", field="slot"
    )


def _locked(file_id: int) -> CertificateFile:
    found: CertificateFile = (
        CertificateFile.objects.select_related("organisation", "holder", "assigned_to")
        .select_for_update(of=("self",))
        .get(pk=file_id)
    )
    return found
