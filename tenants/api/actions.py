"""Open and close the access of a software."""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import permissions
from socle.core.refusals import Refusal
from socle.core.text import slug_host
from socle.directory.models import Organisation
from socle.journal.actions import record
from tenants.api.models import SoftwareAccess


class NotYours(Refusal):
    """The access acts in somebody else's name, and this person may not transmit here."""

    code = "api.not_yours"


@transaction.atomic
def open_access(
    *, organisation: Organisation, software: str, by: Person, at: datetime
) -> tuple[SoftwareAccess, str]:
    """Open an access in the name of `by`; returns it with its secret, which is kept nowhere.

    Raises NotAllowed when she may not even prepare acts here.
    """
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
    secret = secrets.token_urlsafe(32)
    access = SoftwareAccess.objects.create(
        organisation=organisation,
        person=by,
        software=software,
        login=f"{organisation.siren}-{slug_host(software)[:24]}-{secrets.token_hex(3)}",
        secret_digest=digest(secret),
        opened_at=at,
    )
    _record("api.access_opened", access, by=by, at=at)
    return access, secret


@transaction.atomic
def close_access(*, access_id: int, by: Person, at: datetime) -> SoftwareAccess:
    """Close an access at once; closing it twice is closing it once.

    Whoever opened it may, and whoever may transmit for the commune. Raises NotYours.
    """
    access = SoftwareAccess.objects.select_for_update(of=("self",)).get(pk=access_id)
    may = permissions.can(by, Capability.ACTS_TRANSMIT, organisation=access.organisation, at=at)
    if access.person_id != by.pk and not may:
        raise NotYours(
            f"L’accès de « {access} » est au nom de {access.person} : seule cette personne, ou une "
            "personne qui transmet pour la commune, peut le fermer."
        )
    if access.closed_at is None:
        access.closed_at = at
        access.save(update_fields=["closed_at"])
        _record("api.access_closed", access, by=by, at=at)
    return access


def note_use(access: SoftwareAccess, *, at: datetime) -> None:
    """Remember, to the hour, that the software came: a call every ten minutes writes no more."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    stale = Q(last_used_at=None) | Q(last_used_at__lt=hour)
    SoftwareAccess.objects.filter(stale, pk=access.pk).update(last_used_at=at)


def digest(secret: str) -> str:
    """What is kept of a secret, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(event: str, access: SoftwareAccess, *, by: Person, at: datetime) -> None:
    detail = {"software": access.software, "login": access.login, "who": str(access.person)}
    record(event=event, subject=access, by=by, at=at, detail=detail)
