"""Files opened together: each by itself, so that one refusal stops no other."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from registration_authority import actions
from registration_authority.accreditation.models import Power
from registration_authority.accreditation.permissions import check_power
from registration_authority.dossier.models import OpeningBatch, OpeningLine
from registration_authority.models import CertificateFile, Offer
from registration_authority.policies import NeedsReason, check_free_text
from socle.accounts.models import Person
from socle.core.refusals import Refusal
from socle.directory.models import Organisation
from socle.journal.actions import record


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to open."""

    organisation: Organisation
    holder: Person
    function: str


@transaction.atomic
def open_batch(
    *, label: str, offer: Offer, wanted: Iterable[Wanted], by: Person, at: datetime
) -> OpeningBatch:
    """Open as many files as can be; each line says which, or why not.

    Raises NeedsReason when nobody was chosen, SecretInText, NotAccredited, Denied.
    """
    chosen = list(wanted)
    if not chosen:
        raise NeedsReason("Cochez au moins une personne.", field="wanted")
    check_free_text(label=label)
    check_power(by, Power.CHECK_FILE, offer=offer, at=at)
    batch = OpeningBatch.objects.create(
        label=label.strip(), offer=offer, opened_at=at, opened_by=by
    )
    for one in chosen:
        opened = _attempt(one, offer, by, at)
        refused = str(opened)[:500] if isinstance(opened, Refusal) else ""
        OpeningLine.objects.get_or_create(
            batch=batch,
            organisation=one.organisation,
            holder=one.holder,
            defaults={
                "file": opened if isinstance(opened, CertificateFile) else None,
                "refusal": refused,
            },
        )
    record(
        event="ra.batch_opened",
        subject=batch,
        by=by,
        at=at,
        detail={"label": batch.label, "count": str(len(chosen))},
        schema="public",
    )
    return batch


def _attempt(one: Wanted, offer: Offer, by: Person, at: datetime) -> CertificateFile | Refusal:
    try:
        return actions.open_file(
            organisation=one.organisation,
            holder=one.holder,
            function=one.function,
            offer=offer,
            by=by,
            at=at,
        )
    except Refusal as refusal:
        return refusal
