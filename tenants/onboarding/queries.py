"""Questions about cases."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from socle.core.clock import legal_date
from socle.core.text import fold
from socle.directory import queries as directory
from socle.directory.models import Organisation, OrganisationKind
from socle.notices.todos import Todo
from tenants.onboarding.models import (
    ActesConvention,
    CaseBatch,
    CaseState,
    ConventionState,
    OnboardingCase,
    RowState,
    StepRecord,
    StepState,
)
from tenants.onboarding.steps import STEPS, Owner, Track

OPEN_STEPS = (StepState.CURRENT, StepState.BLOCKED)
PAPERS = ("deliberation", "route", "convention", "helios")
_OPEN = ~Q(state=CaseState.CLOSED)
_ORDER = {step.code: rank for rank, step in enumerate(STEPS)}


def case(case_id: int) -> OnboardingCase:
    """One case with its papers, its steps and its organisation. Raises DoesNotExist."""
    return _whole().get(pk=case_id)


def case_of(organisation: Organisation) -> OnboardingCase | None:
    """The case of a body: the open one, else the last closed one."""
    found = _whole().filter(organisation=organisation)
    return found.filter(_OPEN).first() or found.order_by("-closed_at").first()


def _whole() -> QuerySet[OnboardingCase]:
    return OnboardingCase.objects.select_related(
        "organisation__tenant", "organisation__accounting_office", "operator", *PAPERS
    ).prefetch_related("steps__done_by", "organisation__contacts")


def cases(
    *,
    text: str = "",
    state: str = "",
    track: str = "",
    owner: str = "",
    late_on: date | None = None,
) -> QuerySet[OnboardingCase]:
    """The cases that answer all the filters, their open steps at hand as `open_steps`.

    `track`, `owner` and `late_on` (due before that day) want one open step that answers them all.
    """
    steps = StepRecord.objects.filter(state__in=OPEN_STEPS)
    found = OnboardingCase.objects.filter(_OPEN)
    if state:
        found = OnboardingCase.objects.filter(state=state)
    if text.strip():
        found = found.filter(organisation__sort_key__contains=fold(text))
    wanted = _wanted(track=track, owner=owner, late_on=late_on)
    if wanted:
        found = found.filter(pk__in=steps.filter(wanted).values("case"))
    return found.select_related("organisation").prefetch_related(
        Prefetch("steps", queryset=steps.order_by("due_on", "pk"), to_attr="open_steps")
    )


def _wanted(*, track: str, owner: str, late_on: date | None) -> Q:
    wanted = Q()
    if track:
        wanted &= Q(code__in=[step.code for step in STEPS if step.track == track])
    if owner:
        wanted &= Q(waits_for=owner)
    if late_on is not None:
        wanted &= Q(due_on__lt=late_on)
    return wanted


def by_state() -> list[tuple[str, int]]:
    """How many cases stand at each state, in the order of the work; empty states left out."""
    counts = dict(
        OnboardingCase.objects.values_list("state").annotate(n=Count("pk")).order_by("state")
    )
    return [(state.label, counts[state]) for state in CaseState if state in counts]


def steps_of(case: OnboardingCase, track: Track) -> list[StepRecord]:
    """The records of one track, in the order of the steps; those without object left out."""
    wanted = {step.code for step in STEPS if step.track is track}
    found = (one for one in case.steps.all() if one.code in wanted)
    shown = [one for one in found if one.state != StepState.SKIPPED or one.set_aside]
    return sorted(shown, key=lambda one: _ORDER[one.code])


def open_steps(case: OnboardingCase, owner: Owner | None = None) -> list[StepRecord]:
    """The steps whose turn it is, the most urgent first; of one owner when named."""
    found = (one for one in case.steps.all() if one.state in OPEN_STEPS)
    mine = [one for one in found if owner is None or one.waits_for == owner]
    return sorted(mine, key=lambda one: (_ORDER[one.code], one.pk))


SIGNED: Final[dict[str, str]] = {
    "deliberation": "signed_copy",
    "route": "commune_copy",
    "convention": "collectivite_copy",
    "helios": "signed_copy",
}
"""The field of each paper that holds the copy the body signed."""
_SIGNED_AT: Final = {"deliberation": "A3", "route": "M1", "convention": "A4", "helios": "H3"}


def to_sign(case: OnboardingCase) -> list[str]:
    """The papers made, complete, and not signed by the body yet."""
    turns = {one.code for one in open_steps(case)}
    return [
        paper
        for paper, field in SIGNED.items()
        if _SIGNED_AT[paper] in turns and _is_ready(case, paper, field)
    ]


def _is_ready(case: OnboardingCase, paper: str, field: str) -> bool:
    one = getattr(case, paper, None)
    if one is None or one.generated_at is None or getattr(one, field) is not None:
        return False
    return paper != "deliberation" or bool(one.number and one.votes_for is not None)


def progress(case: OnboardingCase) -> tuple[int, int]:
    """(steps done, steps that concern this body)."""
    states = [one.state for one in case.steps.all()]
    return states.count(StepState.DONE), len(states) - states.count(StepState.SKIPPED)


def epcis() -> QuerySet[Organisation]:
    """The EPCI that have members of the syndicat without an open case."""
    waiting = without_case().values("epci")
    return Organisation.objects.filter(kind=OrganisationKind.EPCI, closed_on=None, pk__in=waiting)


def without_case() -> QuerySet[Organisation]:
    """The members of the syndicat that have no open case."""
    open_cases = OnboardingCase.objects.filter(_OPEN).values("organisation")
    return directory.members().exclude(pk__in=open_cases)


def communes_to_open(epci: Organisation) -> QuerySet[Organisation]:
    """The communes of an EPCI that belong to the syndicat."""
    return directory.members().filter(epci=epci, kind=OrganisationKind.COMMUNE)


def batch_progress(batch: CaseBatch) -> tuple[int, int]:
    """(rows handled, rows in all)."""
    counts = batch.rows.aggregate(all=Count("pk"), done=Count("pk", filter=~Q(state=RowState.TODO)))
    return counts["done"], counts["all"]


def officer_todos(request: HttpRequest) -> Iterable[Todo]:
    """What waits for the syndicat: its own steps, late ones, conventions to send."""
    today = legal_date(timezone.now())
    list_url = reverse("onboarding:cases")
    counts = StepRecord.objects.filter(_open_case(), state__in=OPEN_STEPS).aggregate(
        mine=Count("case", filter=Q(waits_for=Owner.SYNDICAT), distinct=True),
        late=Count("case", filter=Q(due_on__lt=today), distinct=True),
    )
    to_send = ActesConvention.objects.filter(
        _open_case(), state=ConventionState.SIGNED_BY_COLLECTIVITE
    ).count()
    yield Todo(
        to_send,
        _agree(to_send, "convention signée est à envoyer", "conventions signées sont à envoyer")
        + " à la préfecture",
        f"{list_url}?track=actes&owner=syndicat",
        "Envoyer",
        "warning",
    )
    yield Todo(
        counts["late"],
        _agree(counts["late"], "raccordement est en retard", "raccordements sont en retard"),
        f"{list_url}?late=1",
        "Voir qui bloque",
        "danger",
    )
    yield Todo(
        counts["mine"],
        _agree(counts["mine"], "raccordement attend", "raccordements attendent")
        + " une action du syndicat",
        f"{list_url}?owner=syndicat",
        "Continuer",
    )


def commune_todos(request: HttpRequest) -> Iterable[Todo]:
    """What waits for the commune in its own connection: papers to sign, steps to do."""
    home = reverse("onboarding_commune:home")
    case = case_of(request.tenant.organisation)  # type: ignore[attr-defined]
    if case is None or case.closed_at is not None:
        return
    papers, count = len(to_sign(case)), len(open_steps(case, Owner.COMMUNE))
    yield Todo(
        papers,
        _agree(papers, "document est à signer et à", "documents sont à signer et à")
        + " retourner au syndicat",
        home,
        "Signer",
        "warning",
    )
    yield Todo(
        count,
        _agree(
            count, "étape de votre raccordement attend", "étapes de votre raccordement attendent"
        )
        + " la commune",
        home,
        "Continuer",
    )


def _open_case() -> Q:
    return ~Q(case__state=CaseState.CLOSED)


def _agree(count: int, one: str, several: str) -> str:
    return one if count < 2 else several
