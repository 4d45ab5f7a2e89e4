"""The commune's own desk: what has not moved about her acts, why, and who can do something.

Only her rows: the fence of the database holds here as everywhere. She may have the same bytes sent
again where that can help; what an operator refused is for the syndicat to look at first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import permissions, policies, queries
from socle.actes.models import Act, ActState, Letter, LetterState, Transaction, TransactionState
from socle.core.clock import legal_date
from socle.delivery import actions as delivery
from socle.delivery import diagnosis
from socle.delivery.diagnosis import Actor
from socle.delivery.models import Outbound
from socle.delivery.queries import STUCK
from socle.directory.models import Protocol
from socle.notices.todos import Todo

SYNDICAT: Final = "Votre syndicat"
NOBODY: Final = "Personne : Socle réessaie de lui-même"
YOU: Final = "Vous"
_WHO: Final = {Actor.NOBODY: NOBODY, Actor.SYNDICAT: SYNDICAT, Actor.COMMUNE: YOU}
_DAY: Final = timedelta(days=1)
_PER_KIND: Final = 200
"""Items of one kind on the desk: beyond, the operator is down and one sentence says it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that stands still. `retry` is the file she may have sent again, None otherwise."""

    what: str
    about: str
    url: str
    since: datetime
    why: str
    who: str
    retry: int | None = None


def items(*, at: datetime) -> list[Item]:
    """Everything that stands still at `at`, oldest first."""
    found = [*_files(at), *_silent(at), *_waiting(at), *_receipts()]
    return sorted(found, key=lambda item: item.since)


@transaction.atomic
def retry(*, outbound_id: int, by: Person, at: datetime) -> Outbound:
    """Have the same bytes sent again now. Raises NotAllowed, CannotRetry, or why it cannot go."""
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_TRANSMIT, organisation=organisation, at=at)
    outbound = _ours().select_related("organisation", "operator", "asked_by").get(pk=outbound_id)
    policies.check_retry(outbound.state)
    delivery.check_may_go(outbound, at=at)
    return delivery.retry(outbound_id=outbound.pk, by=by, at=at)


def todos(request: HttpRequest) -> Iterator[Todo]:
    """The line of her to-do list about what has not left; silence has a line of its own."""
    count = _ours().filter(STUCK).count()
    sentence = "envoi d’acte n’est pas parti" if count == 1 else "envois d’actes ne sont pas partis"
    yield Todo(count, sentence, reverse("actes:stuck"), "Voir pourquoi", "warning")


def _ours() -> QuerySet[Outbound]:
    return Outbound.objects.filter(schema=connection.schema_name, protocol=Protocol.ACTES)


def _files(at: datetime) -> Iterator[Item]:
    """Files the operator does not have, and what to do about each."""
    rows = list(
        _ours()
        .filter(STUCK)
        .select_related("organisation", "operator", "asked_by")
        .order_by("created_at", "pk")[:_PER_KIND]
    )
    messages = Transaction.objects.select_related("act").in_bulk([row.subject_id for row in rows])
    for row in rows:
        message = messages.get(row.subject_id)
        about = message.act if message else None
        found = diagnosis.of(row, at=at)
        yield Item(
            what=message.get_kind_display() if message else row.name,
            about=str(about or row.name),
            url=about.get_absolute_url() if about else "",
            since=row.created_at,
            why=found.why,
            who=_WHO[found.who],
            retry=row.pk if found.may_retry else None,
        )


def _silent(at: datetime) -> Iterator[Item]:
    """What the préfecture has not answered for more than two working days."""
    late = policies.overdue_before(legal_date(at))
    rows = Transaction.objects.filter(
        Q(kind="1-1", act__state=ActState.SENT) | Q(kind="6-1", act__state=ActState.CANCELLING),
        state=TransactionState.SENT,
        sent_at__date__lt=late,
    ).select_related("act")
    for one in rows.order_by("sent_at")[:_PER_KIND]:
        assert one.act is not None and one.sent_at is not None  # noqa: S101, PT018 -- filtered
        yield Item(
            what=one.get_kind_display(),
            about=str(one.act),
            url=one.act.get_absolute_url(),
            since=one.sent_at,
            why="La préfecture n’a pas encore répondu, et elle le fait d’ordinaire sous deux jours "
            "ouvrés. Ne déposez pas l’acte une seconde fois.",
            who=SYNDICAT,
        )


def _waiting(at: datetime) -> Iterator[Item]:
    """Acts ready to leave since yesterday, for want of the classification."""
    rows = Act.objects.filter(state=ActState.WAITING, deposited_at__lt=at - _DAY)
    for act in rows.order_by("deposited_at")[:_PER_KIND]:
        assert act.deposited_at is not None  # noqa: S101 -- filtered
        yield Item(
            what="Transmission de l’acte",
            about=str(act),
            url=act.get_absolute_url(),
            since=act.deposited_at,
            why="La préfecture n’a pas encore envoyé la liste de ses matières.",
            who=SYNDICAT,
        )


def _receipts() -> Iterator[Item]:
    """Acknowledgements of letters that wait for a person who may transmit."""
    rows = Letter.objects.filter(state=LetterState.RECEIPT_DUE, receipt=None)
    for letter in rows.select_related("act").order_by("received_at")[:_PER_KIND]:
        yield Item(
            what=f"Accusé de réception : {letter}",
            about=str(letter.act),
            url=letter.get_absolute_url(),
            since=letter.received_at,
            why="Il part de lui-même dès qu’une personne de la commune peut télétransmettre.",
            who=SYNDICAT,
        )
