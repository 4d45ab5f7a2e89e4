"""The papers of a session: convocation, sign-in sheet, certificate; and its calendar file."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.conf import settings

from socle.core.clock import PARIS
from socle.core.identifiers import format_siret
from socle.directory.models import Organisation
from socle.documents.model import (
    Block,
    Column,
    Document,
    Fields,
    Letterhead,
    PageBreak,
    Paragraph,
    Signatory,
    Signatures,
    Strong,
    Style,
    Table,
)
from training import ics, policies
from training.models import (
    AttendanceSlot,
    Registration,
    RegistrationState,
    SessionState,
    TrainingCertificate,
    TrainingSession,
)
from training.wording import duration, half_day, span

NBSP: Final = "\N{NO-BREAK SPACE}"
"""Alone on a line, it leaves room to sign."""
NATURE: Final = "Action de formation"


def letterhead(issuer: Organisation) -> Letterhead:
    """The head of the syndicat's papers."""
    lines = [issuer.address, issuer.postal_code]
    if issuer.siret:
        lines.append(f"SIRET {format_siret(issuer.siret)}")
    return Letterhead(issuer.name, tuple(line for line in lines if line))


def convocation(registration: Registration, issuer: Organisation, *, at: datetime) -> Document:
    """The convocation of one agent. Raises NotConvened for one without a seat."""
    session = registration.session
    policies.check_convened(registration.state, session.state)
    slots = list(session.slots.all())
    appointments = "\n".join(span(slot.starts_at, slot.ends_at) for slot in slots)
    fields = [
        ("Formation", Strong(session.programme.title)),
        ("Dates et heures", appointments),
        ("Lieu", session.where),
        ("Visioconférence", session.remote_link),
        ("Formateur", str(session.trainer)),
        ("Durée", duration(sum(slot.minutes for slot in slots))),
        ("Objectifs", session.programme.objectives),
        ("Prérequis et matériel", session.programme.prerequisites or "Aucun"),
    ]
    return Document(
        title="Convocation à une formation",
        issuer=letterhead(issuer),
        addressee=(str(registration.person), str(registration.organisation)),
        place_and_date=_on(at),
        blocks=(
            Paragraph(
                f"Bonjour {registration.person}, votre place est réservée. Présentez-vous dix "
                "minutes avant le début, avec cette convocation."
            ),
            Fields(tuple((label, _text(value)) for label, value in fields if value)),
            Paragraph(
                "Vous ne pouvez pas venir ? Désistez-vous en ligne, dans « Formations » : votre "
                "place ira à la première personne en attente.",
                Style.NOTE,
            ),
        ),
        at=at,
    )


def sheet(
    session: TrainingSession,
    registrations: Sequence[Registration],
    issuer: Organisation,
    *,
    at: datetime,
) -> Document:
    """The sign-in sheet to sign on paper, one page for each half-day."""
    blocks: list[Block] = []
    for slot in session.slots.all():
        if blocks:
            blocks.append(PageBreak())
        blocks += _half_day(session, slot, registrations)
    return Document(
        title="Feuille d’émargement",
        subtitle=session.programme.title,
        issuer=letterhead(issuer),
        blocks=blocks,
        reference=f"Session n° {session.pk}",
        at=at,
    )


def certificate(made: TrainingCertificate, issuer: Organisation) -> Document:
    """The « certificat de réalisation » (ministry of labour's model): hours really attended."""
    fields: tuple[tuple[str, str | tuple[Strong, ...]], ...] = (
        ("Stagiaire", (Strong(made.trainee),)),
        ("Organisme", made.body),
        ("Intitulé", made.title),
        ("Nature", NATURE),
        ("Objectifs", made.objectives),
        ("Demi-journées suivies", "\n".join(made.periods)),
        ("Durée effectivement suivie", (Strong(duration(made.minutes)),)),
        ("Formateur", made.trainer),
    )
    return Document(
        title="Certificat de réalisation",
        subtitle="Attestation de formation",
        issuer=letterhead(issuer),
        blocks=(
            Paragraph(
                f"{issuer.name} atteste que la personne désignée ci-dessous a suivi la formation "
                "suivante, d’après les feuilles d’émargement."
            ),
            Fields(fields),
            Signatures((Signatory(f"Pour {issuer.name}", made.trainer),), _on(made.issued_at)),
            Paragraph(
                f"Code de vérification : {made.code}. Le syndicat confirme sur demande que ce code "
                "répond à ce certificat.",
                Style.NOTE,
            ),
        ),
        verification=f"Vérification : {made.code}",
        at=made.issued_at,
    )


def invitation(registration: Registration, issuer: Organisation, *, at: datetime) -> bytes:
    """The calendar file of one agent: a request while the place stands, else a cancellation.

    Raises NotConvened for one who waits: she has no appointment.
    """
    session = registration.session
    stands = (
        registration.state == RegistrationState.CONFIRMED
        and session.state != SessionState.CANCELLED
    )
    if registration.state == RegistrationState.WAITING:
        policies.check_convened(registration.state, session.state)
    # A withdrawal comes after whatever the calendar was told of the session.
    withdrawn = registration.state == RegistrationState.WITHDRAWN
    method = ics.Method.REQUEST if stands else ics.Method.CANCEL
    return ics.calendar(
        method,
        [
            _event(registration, slot, issuer, sequence=session.sequence + withdrawn)
            for slot in session.slots.all()
        ],
        at=at,
    )


def _event(
    registration: Registration, slot: AttendanceSlot, issuer: Organisation, *, sequence: int
) -> ics.Event:
    session = registration.session
    return ics.Event(
        uid=f"{registration.uid}-{slot.rank}@{settings.BASE_HOST}",
        sequence=sequence,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        summary=f"Formation : {session.programme.title}",
        organizer=ics.Party(issuer.name, session.trainer.email),
        attendee=ics.Party(str(registration.person), registration.person.email),
        location=session.where,
        description=f"Formateur : {session.trainer}\n{session.programme.prerequisites}".strip(),
        url=session.remote_link,
    )


def _half_day(
    session: TrainingSession, slot: AttendanceSlot, registrations: Sequence[Registration]
) -> tuple[Block, ...]:
    return (
        Fields(
            (
                ("Demi-journée", (Strong(span(slot.starts_at, slot.ends_at)),)),
                ("Lieu", session.where),
                ("Formateur", str(session.trainer)),
            ),
            title=half_day(slot.starts_at),
        ),
        Table(
            (
                Column("Agent", share=2.2),
                Column("Organisme", share=2.2),
                Column("Heure", share=0.8),
                Column("Signature", share=2.4),
            ),
            tuple(
                (str(one.person), f"{one.organisation}\n{NBSP}", "", "") for one in registrations
            ),
        ),
        Signatures((Signatory("Le formateur", str(session.trainer)),)),
    )


def _text(value: str | Strong) -> str | tuple[Strong, ...]:
    return (value,) if isinstance(value, Strong) else value


def _on(at: datetime) -> str:
    return f"Le {at.astimezone(PARIS):%d/%m/%Y}"
