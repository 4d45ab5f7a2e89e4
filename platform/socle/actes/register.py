"""The public register of the commune: what a person puts there, and what anybody finds there.

Reform of 1 July 2022 (CGCT L2131-1, R2131-1): the whole text, that nobody can change, free, with
the day it was posted and the name and quality of its author, for two months at least.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import actions, permissions, policies, queries, register_texts
from socle.actes.models import Act, ActFile, ActState, FileRole, Posting
from socle.core import queue
from socle.core.clock import legal_date
from socle.journal.actions import record


@dataclass(frozen=True, slots=True)
class Author:
    """Who signed the act: first name and name, and in what quality."""

    name: str
    quality: str


@transaction.atomic
def post(
    *, act_id: int, author: Author, annexes: Collection[int] = (), by: Person, at: datetime
) -> Posting:
    """Put an act in the public register, with the annexes a person chose (keys).

    An act without publication date takes that of the day. Raises NotAllowed or CannotPost.
    """
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
    act = Act.objects.select_for_update(of=("self",)).get(pk=act_id)
    files = _chosen(act, annexes)
    policies.check_postable(act.state, act.nature, kinds=[file.stored.media_type for file in files])
    if act.postings.filter(withdrawn_at=None).exists():
        raise policies.CannotPost("Cet acte est déjà au registre public : il n’y a rien à refaire.")
    posting = Posting.objects.create(
        act=act,
        author_name=author.name,
        author_quality=author.quality,
        posted_on=legal_date(at),
        posted_at=at,
        posted_by=by,
        posted_by_label=str(by),
    )
    posting.files.set(files)
    said = {"number": act.number, "author": f"{author.name}, {author.quality}"}
    record(event="actes.posted", subject=act, by=by, at=at, detail=said)
    queue.after_commit("actes.read_text", posting_id=posting.pk)
    if act.published_on is None:
        actions.set_published(act_id=act.pk, on=legal_date(at), by=by, at=at)
    return posting


@transaction.atomic
def withdraw(*, act_id: int, by: Person, at: datetime) -> Posting:
    """Take an act out of the public register. Raises NotAllowed or CannotWithdraw."""
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.ACTS_PREPARE, organisation=organisation, at=at)
    found = Posting.objects.select_for_update(of=("self",)).select_related("act")
    posting = found.filter(act=act_id, withdrawn_at=None).first()
    if posting is None:
        raise policies.CannotWithdraw("Cet acte n’est pas au registre public.")
    policies.check_withdrawable(posting.posted_on, today=legal_date(at))
    posting.withdrawn_at, posting.withdrawn_by, posting.withdrawn_by_label = at, by, str(by)
    posting.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_by_label"])
    detail = {"number": posting.act.number}
    record(event="actes.withdrawn", subject=posting.act, by=by, at=at, detail=detail)
    return posting


def live() -> QuerySet[Posting]:
    """What anybody may read now; an act that is being cancelled is out at once."""
    return (
        Posting.objects.filter(
            withdrawn_at=None,
            act__state=ActState.ACKNOWLEDGED,
            act__nature__in=policies.PUBLIC_NATURES,
        )
        .select_related("act")
        .defer("words")
    )


def search(
    *, text: str = "", nature: int | None = None, year: int | None = None
) -> QuerySet[Posting]:
    """Posted acts, newest first; `text` is looked for in the number, the objet and what they say.

    Their text comes along only where it is asked for: a page of acts is some megabytes of it.
    """
    found = live()
    if text:
        number = Q(act__number__icontains=policies.tidy_number(text))
        said = Q(act__objet__icontains=text) | Q(words=register_texts.query(text))
        found = found.filter(number | said)
    else:
        found = found.defer("text")
    if nature:
        found = found.filter(act__nature=nature)
    if year:
        found = found.filter(act__decided_on__year=year)
    return found.order_by("-posted_on", "-pk")


def at_address(identifier: str) -> tuple[Posting | None, bool]:
    """(the posting of the act with this `IDActe`, whether it was ever posted)."""
    return (
        live().filter(act__identifier=identifier).first(),
        Posting.objects.filter(act__identifier=identifier).exists(),
    )


def years() -> list[int]:
    """The years of the posted acts, newest first."""
    return [day.year for day in live().dates("act__decided_on", "year", order="DESC")]


def last_author() -> Author | None:
    """Who signed the act posted last: most often who signs the next one."""
    found = Posting.objects.first()
    return Author(found.author_name, found.author_quality) if found else None


def posting_of(act: Act) -> Posting | None:
    """The present posting of an act."""
    return act.postings.filter(withdrawn_at=None).first()


def _chosen(act: Act, annexes: Collection[int]) -> Sequence[ActFile]:
    wanted = Q(role=FileRole.MAIN) | Q(pk__in=list(annexes))
    return list(act.files.filter(wanted).select_related("stored").order_by("rank"))
