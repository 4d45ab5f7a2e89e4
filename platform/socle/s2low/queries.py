"""Questions about accounts and transactions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Max, Q, QuerySet, When
from django.http import HttpRequest
from django.urls import reverse

from socle.delivery.models import Inbound, TransmissionOperator
from socle.directory.models import Organisation
from socle.notices.todos import Todo
from socle.s2low import policies
from socle.s2low.models import S2lowAccount, S2lowState, S2lowTransaction, What


def account_of(operator: TransmissionOperator, organisation: Organisation) -> S2lowAccount | None:
    """The account that transmits for an organisation, or None."""
    return accounts(operator).filter(organisation=organisation).first()


def obstacle(operator: TransmissionOperator, organisation: Organisation, protocol: str) -> str:
    """Why an organisation cannot transmit through this S²LOW; "" when it can."""
    if account_of(operator, organisation) is None:
        return (
            f"« {organisation} » n’a pas encore de compte {operator} : ajoutez-le à l’écran des "
            "comptes S²LOW."
        )
    return ""


def shared_row(operator: TransmissionOperator) -> S2lowAccount | None:
    """The certificate the accounts of an operator share, or None."""
    return S2lowAccount.objects.filter(operator=operator, organisation=None).first()


def accounts(operator: TransmissionOperator) -> QuerySet[S2lowAccount]:
    """The accounts that transmit, those called longest ago first."""
    return (
        S2lowAccount.objects.filter(operator=operator, organisation__isnull=False)
        .select_related("operator", "organisation")
        .order_by(F("called_at").asc(nulls_first=True), "pk")
    )


def accounts_shown() -> QuerySet[S2lowAccount]:
    """The accounts of organisations, those in trouble first, then by name."""
    return (
        S2lowAccount.objects.filter(organisation__isnull=False)
        .select_related("operator", "organisation")
        .order_by(Case(When(problem="", then=1), default=0), "organisation__sort_key", "pk")
    )


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched through one account."""

    transactions: int
    open: int
    letters: int
    last_letter: datetime | None
    classification: datetime | None
    stamped: int
    unstamped: int
    """Acknowledged acts S²LOW gave no stamped copy of that is really stamped."""


def fetched(account: S2lowAccount) -> Fetched:
    """What came back through an account: answers, letters, classification, stamped copies."""
    ours = S2lowTransaction.objects.filter(
        operator=account.operator_id, organisation=account.organisation_id
    )
    waiting = (S2lowState.ASKED, S2lowState.OPEN, S2lowState.UNNUMBERED)
    acts = ours.filter(what=What.ACTE, state=S2lowState.ANSWERED).exclude(status=-1)
    letters = Inbound.objects.filter(
        operator=account.operator_id,
        organisation=account.organisation_id,
        external_id__startswith=f"letter-{account.pk}-",
    ).aggregate(count=Count("pk"), last=Max("received_at"))
    classification = ours.filter(what=What.CLASSIFICATION, state=S2lowState.ANSWERED)
    return Fetched(
        transactions=ours.count(),
        open=ours.filter(state__in=waiting).count(),
        letters=letters["count"],
        last_letter=letters["last"],
        classification=classification.aggregate(last=Max("answered_at"))["last"],
        stamped=acts.filter(papers_kept=True).count(),
        unstamped=acts.filter(papers_kept=False, papers_at__isnull=False).count(),
    )


def transaction_named(operator: TransmissionOperator, name: str) -> S2lowTransaction | None:
    """What is known of an outbound file, or None."""
    return S2lowTransaction.objects.filter(operator=operator, name=name).first()


def transmitted(
    operator: TransmissionOperator, organisation: Organisation, identifier: str
) -> S2lowTransaction | None:
    """The act we transmitted under this IDActe and whose number is known; the newest."""
    return (
        S2lowTransaction.objects.filter(
            operator=operator, organisation=organisation, what=What.ACTE, identifier=identifier
        )
        .exclude(number="")
        .order_by("pk")
        .last()
    )


def known_numbers(operator: TransmissionOperator, protocol: str) -> set[str]:
    """The numbers that are some transaction's already."""
    found = S2lowTransaction.objects.filter(operator=operator, protocol=protocol)
    return set(found.exclude(number="").values_list("number", flat=True))


def due(account: S2lowAccount, *, at: datetime) -> Iterator[S2lowTransaction]:
    """The transactions of an account to ask about now, those asked longest ago first."""
    waiting = S2lowTransaction.objects.filter(
        operator=account.operator_id,
        organisation=account.organisation_id,
        state__in=(S2lowState.OPEN, S2lowState.UNNUMBERED),
    ).order_by(F("polled_at").asc(nulls_first=True), "pk")
    for row in waiting:
        if policies.is_due(asked_at=row.asked_at, polled_at=row.polled_at, at=at):
            yield row


def awaiting_papers(*, at: datetime) -> QuerySet[S2lowTransaction]:
    """The acknowledged acts whose bordereau or stamped copies are still to be fetched."""
    asked_long_ago = Q(papers_at=None) | Q(papers_at__lte=at - policies.PAPERS_EVERY)
    return (
        S2lowTransaction.objects.filter(
            asked_long_ago,
            what=What.ACTE,
            state=S2lowState.ANSWERED,
            papers_kept=False,
            answered_at__gte=at - policies.PAPERS_FOR,
        )
        .exclude(number="")
        .exclude(status=-1)
        .select_related("operator", "organisation")
        .order_by("answered_at", "pk")
    )


def in_trouble() -> QuerySet[S2lowTransaction]:
    """Transactions somebody must look at: refused late, without number, or held up at S²LOW."""
    return (
        S2lowTransaction.objects.filter(
            Q(state=S2lowState.UNNUMBERED) | (Q(state=S2lowState.OPEN) & ~Q(problem=""))
        )
        .select_related("operator", "organisation")
        .order_by("asked_at", "pk")
    )


def accounts_in_trouble() -> QuerySet[S2lowAccount]:
    """Accounts S²LOW did not let in at the last call."""
    return (
        S2lowAccount.objects.exclude(problem="")
        .select_related("operator", "organisation")
        .order_by("pk")
    )


def todos(request: HttpRequest) -> Iterator[Todo]:
    """The line of the portal's to-do list about accounts that do not open any more."""
    count = accounts_in_trouble().count()
    one = "compte S²LOW n’ouvre plus" if count == 1 else "comptes S²LOW n’ouvrent plus"
    yield Todo(count, one, reverse("s2low:accounts"), "Voir pourquoi", "danger")
