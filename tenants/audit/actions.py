"""What is done when a journal is no longer what was written in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django_tenants.utils import get_public_schema_name

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.directory import queries as directory
from socle.directory.models import Grant
from socle.journal.actions import record
from socle.notices.actions import tell

SHOWN: Final = 5
"""Faults named in the mail; the command `verify_journal` shows them all."""


@transaction.atomic
def tell_altered(*, journal_of: str, faults: Sequence[str], at: datetime) -> None:
    """Write in the portal's journal that one was altered, and tell who answers for journals.

    `faults` are the sentences of `integrity.check`. People are told once a day for one journal.
    """
    record(
        event="journal.altered",
        subject=("journal", journal_of),
        by="Socle",
        at=at,
        detail={"journal": journal_of, "fault": faults[0], "faults": list(faults[:SHOWN])},
        schema=get_public_schema_name(),
    )
    more = f" Et {len(faults) - SHOWN} autres." if len(faults) > SHOWN else ""
    tell(
        people=_who_answers(at),
        organisation=directory.syndicat(),
        key=f"journal:{journal_of}:{legal_date(at)}",
        subject=f"Le journal « {journal_of} » a été altéré",
        body=(
            f"{' '.join(faults[:SHOWN])}{more} Un export de ce journal ne se vérifie plus. "
            "N’écrivez rien dans la base, gardez les sauvegardes et comparez avec la dernière."
        ),
        at=at,
    )


def _who_answers(at: datetime) -> list[Person]:
    """Those who may export journals or settle spaces at the syndicat today."""
    today = legal_date(at)
    grants = (
        Grant.objects.filter(organisation=directory.syndicat(), starts_on__lte=today)
        .filter(Q(ends_on=None) | Q(ends_on__gte=today))
        .select_related("person")
    )
    wanted = {Capability.JOURNAL_EXPORT, Capability.SPACES_ARCHIVE}
    return list({one.person: None for one in grants if wanted & set(one.capabilities)})
