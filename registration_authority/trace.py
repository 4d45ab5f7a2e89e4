"""Where what happens to a file is written, and how its holder is told."""

from datetime import datetime
from typing import Any

from registration_authority.models import CertificateFile
from socle.accounts.models import Person
from socle.directory import queries as directory
from socle.journal.actions import record
from socle.notices.actions import tell


def journal(
    file: CertificateFile,
    event: str,
    by: Person | str,
    at: datetime,
    *,
    outcome: str = "done",
    **detail: Any,
) -> None:
    """In the journal of the commune when it has its space, else in the syndicat's."""
    record(
        event=event,
        subject=file,
        by=by,
        at=at,
        detail=detail,
        outcome=outcome,
        schema=directory.journal_of(file.organisation),
    )


def tell_holder(file: CertificateFile, key: str, subject: str, at: datetime, body: str) -> None:
    """Leave the holder a notice about her file; the same `key` is told once."""
    tell(
        people=(file.holder,),
        organisation=file.organisation,
        key=f"ra:{file.pk}:{key}"[:120],
        subject=subject,
        body=body,
        at=at,
    )
