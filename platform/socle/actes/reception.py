"""What every return of the préfecture does: change a state once, keep the file, tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from socle.accounts.models import Person
from socle.actes import policies, queries
from socle.actes.models import Act, Kind, Transaction, TransactionState
from socle.actes.protocol.values import Message
from socle.delivery.origin import Origin
from socle.documents import actions as documents
from socle.journal.actions import record
from socle.notices.actions import tell

PREFECTURE: Final = "Préfecture"
EXERCISE: Final = "Préfecture d’exercice"
XML: Final = "application/xml"


@dataclass(frozen=True, slots=True)
class Returned:
    """One message of a return: its file, byte for byte, and what it says.

    `files` are all the files it came with; `raw` is the whole return, called `parcel`.
    """

    name: str
    data: bytes
    message: Message
    origin: Origin
    files: Mapping[str, bytes] = field(default_factory=dict)
    raw: bytes = b""
    parcel: str = ""

    def sent(self) -> QuerySet[Transaction]:
        """What of ours it may answer."""
        return queries.carried_by(self.origin)


def move(
    ours: Transaction,
    to: TransactionState,
    *,
    act: Mapping[str, Any] | None = None,
    **facts: Any,
) -> bool:
    """Change the state of a transaction and of its act if its present state allows; say whether."""
    allowed = Transaction.objects.filter(pk=ours.pk, state__in=policies.sources(to))
    if not allowed.update(state=to, **facts):
        return False
    state = policies.act_state(Kind(ours.kind), to)
    if state is not None and ours.act_id:
        Act.objects.filter(pk=ours.act_id).update(state=state, **(act or {}))
    return True


def keep(
    returned: Returned, kind: Kind, ours: Transaction, *, at: datetime, **facts: Any
) -> Transaction:
    """Keep a returned message, byte for byte, as the answer to `ours`."""
    returned.origin.answers(ours.pk)
    stored = documents.store(
        content=returned.data, name=returned.name, by=PREFECTURE, at=at, media_type=XML
    )
    return Transaction.objects.create(
        act_id=ours.act_id,
        parent=ours,
        kind=kind,
        state=TransactionState.RECEIVED,
        created_at=at,
        message_name=returned.name[:255],
        message=stored,
        operator=ours.operator,
        exercise=ours.exercise,
        identifier=ours.identifier,
        **facts,
    )


def prefecture(ours: Transaction) -> str:
    """Who answers a message of ours, in words."""
    return EXERCISE if ours.exercise else PREFECTURE


def journal(act: Act, event: str, *, at: datetime, by: str, **detail: Any) -> None:
    """Write what happened in the history of the act."""
    record(event=event, subject=act, by=by, at=at, detail={"number": act.number, **detail})


def notify(
    act: Act, person: Person | None, *, key: str, subject: str, body: str, at: datetime
) -> None:
    """Tell one person about an act, with the address of its page."""
    tell(
        people=[person] if person else [],
        organisation=queries.organisation_here(),
        key=key,
        subject=subject,
        body=body,
        at=at,
        url=queries.address_of(act),
    )
