"""What the counter writes down by itself: a certificate never ends without its request."""

from datetime import datetime

from registration_authority.dossier.profiles import profile_of
from registration_authority.models import Certificate, RevocationReason
from registration_authority.revocation.models import (
    PENDING,
    Asker,
    RevocationRequest,
    RevocationState,
)
from socle.accounts.models import Person


def note_end(
    certificate: Certificate, *, reason: RevocationReason, by: Person | None, at: datetime
) -> None:
    """Write down why a certificate ends, unless a request already says so; twice is once."""
    known = RevocationRequest.objects.filter(certificate=certificate)
    if known.filter(state=RevocationState.ACCEPTED).exists():
        return
    waiting = known.filter(state__in=PENDING)
    if waiting.exists():  # somebody was quicker, or the authority was
        waiting.update(state=RevocationState.ACCEPTED, four_eyes=False, decided_at=at)
        return
    asker = _asker(certificate, by)
    RevocationRequest.objects.create(
        certificate=certificate,
        asker=asker,
        asked_by=by,
        proof="liste de l’autorité" if by is None else "session ouverte avec deux facteurs",
        reason=reason,
        received_at=at,
        deadline=at + profile_of(certificate.file.offer).revocation_delay,
        state=RevocationState.ACCEPTED,
        decided_at=at,
        decided_by=by,
    )


def note_published(
    serials: dict[str, datetime], *, authority_id: int, by: str, at: datetime
) -> None:
    """The authority was seen saying that these serials (hexadecimal) are revoked."""
    RevocationRequest.objects.filter(
        certificate__serial__in=serials,
        certificate__file__offer__authority_id=authority_id,
        state=RevocationState.ACCEPTED,
        published_at=None,
    ).update(published_at=at, published_by=by)


def _asker(certificate: Certificate, by: Person | None) -> Asker:
    if by is None:
        return Asker.AUTHORITY
    return Asker.HOLDER if by.pk == certificate.file.holder_id else Asker.OFFICER
