"""Questions about the flows of the commune whose schema is the current one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django_tenants.utils import get_tenant_model

from socle.core.clock import legal_date
from socle.delivery.models import Outbound
from socle.delivery.origin import Origin
from socle.directory.models import Organisation, Protocol
from socle.helios import policies
from socle.helios.models import (
    FREED,
    Budget,
    FlowState,
    PesAcquit,
    PesAttachment,
    PesBordereau,
    PesFlow,
    PesRetour,
)
from socle.helios.protocol.acquit import AckElement, Corrector
from socle.helios.protocol.aller import Aller, BordereauKey, Domain
from socle.helios.protocol.deposit import Circumstances, DeclaredBudget, EarlierFlux
from socle.helios.protocol.header import Header
from socle.helios.protocol.matching import Candidate
from socle.notices.todos import Todo

TO_CORRECT = Q(state__in=policies.TO_CORRECT, settled_at=None)


def organisation_here() -> Organisation:
    """The organisation whose schema is the current one."""
    return Organisation.objects.get(tenant__schema_name=connection.schema_name)


def address_of(flow: PesFlow) -> str:
    """The whole address of the flow's page on its commune's host, for a mail."""
    tenant = get_tenant_model().objects.get(schema_name=connection.schema_name)
    port = f":{settings.BASE_PORT}" if settings.BASE_PORT else ""
    path = reverse("helios:flow", args=[flow.pk], urlconf=settings.ROOT_URLCONF)
    return f"{settings.BASE_SCHEME}://{tenant.get_primary_domain().domain}{port}{path}"


def has_acknowledged() -> bool:
    """Whether the trésorerie has accepted at least one flow of this commune, or part of one."""
    accepted = (FlowState.ACCEPTED, FlowState.PARTIAL)
    return PesFlow.objects.filter(state__in=accepted).exists()


def search(
    *, state: str = "", budget: Budget | None = None, text: str = "", at: datetime
) -> QuerySet[PesFlow]:
    """Flows, newest first. `state` is a state, « a-corriger » or « sans-reponse »."""
    found = PesFlow.objects.select_related("budget")
    if state == "a-corriger":
        found = found.filter(TO_CORRECT)
    elif state == "sans-reponse":
        found = found.filter(_silent(at))
    elif state:
        found = found.filter(state=state)
    if budget is not None:
        found = found.filter(budget=budget)
    if text:
        found = found.filter(Q(nom_fic__icontains=text) | Q(libelle_col_bud__icontains=text))
    return found.order_by("-pk")


def budgets() -> QuerySet[Budget]:
    """The budgets of the commune, by code."""
    return Budget.objects.order_by("cod_col", "cod_bud", "pk")


def retours() -> QuerySet[PesRetour]:
    """What the trésorerie sent by itself, newest first."""
    return PesRetour.objects.select_related("stored").order_by("-received_at", "-pk")


def acquits(flow: PesFlow) -> QuerySet[PesAcquit]:
    """The acquits of a flow, newest first."""
    return flow.acquits.select_related("stored", "flow").order_by("-received_at", "-pk")


def outbound_of(flow: PesFlow) -> Outbound | None:
    """Where a flow stands in the corridor."""
    found = Outbound.objects.select_related("operator").filter(
        schema=connection.schema_name, protocol=Protocol.HELIOS, subject_id=flow.pk
    )
    return found.first()


def declared_budgets() -> tuple[DeclaredBudget, ...]:
    """The budgets as the rules of deposit look at them."""
    return tuple(budget.declared for budget in budgets())


def budget_of(header: Header) -> Budget | None:
    """The budget a flow names: by its SIRET and codes, else by its SIRET if only one has it."""
    same = list(budgets().filter(siret=header.id_coll))
    exact = [one for one in same if (one.cod_col, one.cod_bud) == (header.cod_col, header.cod_bud)]
    if exact:
        return exact[0]
    return same[0] if len(same) == 1 else None


def circumstances(aller: Aller, *, organisation: Organisation) -> Circumstances:
    """What must be known, outside the file, to decide about its deposit: four queries."""
    siren = organisation.siren
    return Circumstances(
        budgets=policies.budgets_to_compare(aller.header, declared_budgets(), siren=siren),
        siret_held_elsewhere=not aller.header.id_coll.startswith(siren),
        earlier=tuple(_earlier(aller)),
        accepted_bordereaux=_accepted_bordereaux(aller),
        accepted_attachments=_accepted_attachments(aller),
    )


def twins(*, sha256: str, nom_fic: str, cod_col: str) -> QuerySet[PesFlow]:
    """The flows, not freed, that hold this content or bear this name for this collectivity."""
    same = Q(sha256=sha256) | Q(nom_fic=nom_fic, cod_col=cod_col)
    return PesFlow.objects.exclude(state__in=FREED).filter(same)


def is_taken(flow: PesFlow) -> bool:
    """Whether another flow now stands in the place of a freed one."""
    found = twins(sha256=flow.sha256, nom_fic=flow.nom_fic, cod_col=flow.cod_col)
    return found.exclude(pk=flow.pk).exists()


def candidates(nom_fic: str, origin: Origin) -> list[Candidate[int]]:
    """The flows this operator carried under this NomFic: an acquit finds its own among them."""
    return [
        Candidate(
            flux=flow.pk,
            nom_fic=flow.nom_fic,
            cod_col=flow.cod_col,
            awaiting=flow.state in policies.AWAITING,
            deposited_at=flow.deposited_at,
        )
        for flow in PesFlow.objects.filter(
            nom_fic=nom_fic, state__in=policies.GONE, pk__in=origin.carried()
        )
    ]


def exercices(flow: PesFlow) -> list[str]:
    """The years the bordereaux of a flow belong to."""
    found = flow.bordereaux.exclude(exercice="").order_by("exercice")
    return list(found.values_list("exercice", flat=True).distinct())


def todos(request: HttpRequest) -> Iterator[Todo]:
    """What waits for those who prepare flows: one query."""
    counts = PesFlow.objects.aggregate(
        correct=Count("pk", filter=TO_CORRECT),
        held=Count("pk", filter=Q(state=FlowState.DEPOSITED)),
        silent=Count("pk", filter=_silent(timezone.now())),
    )
    yield from _lines(_TO_PREPARE, counts)


def todos_to_transmit(request: HttpRequest) -> Iterator[Todo]:
    """What waits for those who transmit: one query."""
    ready = PesFlow.objects.filter(state=FlowState.READY).count()
    yield from _lines(_TO_TRANSMIT, {"ready": ready})


_TO_PREPARE = (
    (
        "correct",
        "flux refusé, en tout ou partie, est à corriger",
        "flux refusés, en tout ou partie, sont à corriger",
        "a-corriger",
        "Corriger",
        "danger",
    ),
    (
        "silent",
        "flux attend son acquit depuis plus de 24 heures",
        "flux attendent leur acquit depuis plus de 24 heures",
        "sans-reponse",
        "Voir",
        "warning",
    ),
    (
        "held",
        "flux déposé est à compléter avant l’envoi",
        "flux déposés sont à compléter avant l’envoi",
        FlowState.DEPOSITED.value,
        "Compléter",
        "progress",
    ),
)
_TO_TRANSMIT = (
    (
        "ready",
        "flux est à transmettre à la trésorerie",
        "flux sont à transmettre à la trésorerie",
        FlowState.READY.value,
        "Transmettre",
        "progress",
    ),
)


def _lines(
    lines: Iterable[tuple[str, str, str, str, str, str]], counts: Mapping[str, int]
) -> Iterator[Todo]:
    for key, one, many, state, button, tone in lines:
        url = f"{reverse('helios:list')}?{urlencode({'state': state})}"
        yield Todo(counts[key], one if counts[key] == 1 else many, url, button, tone)


def _silent(at: datetime) -> Q:
    before = at - policies.PATIENCE
    return Q(state=FlowState.SENT, expects_acquit=True, sent_at__lt=before)


def _earlier(aller: Aller) -> Iterator[EarlierFlux]:
    same = Q(sha256=aller.sha256) | Q(nom_fic=aller.header.nom_fic)
    for flow in PesFlow.objects.exclude(state__in=FREED).filter(same):
        yield EarlierFlux(
            sha256=flow.sha256,
            nom_fic=flow.nom_fic,
            cod_col=flow.cod_col,
            deposited_on=legal_date(flow.deposited_at),
            ours=True,
        )


def _of_same_budget(header: Header) -> dict[str, Any]:
    return {
        "accepted": True,
        "flow__id_post": header.id_post,
        "flow__cod_col": header.cod_col,
        "flow__cod_bud": header.cod_bud,
    }


def _accepted_bordereaux(aller: Aller) -> dict[BordereauKey, date]:
    """When the trésorerie accepted bordereaux that the new flow carries again."""
    numbers = {bordereau.number for bordereau in aller.bordereaux}
    known = PesBordereau.objects.filter(number__in=numbers, **_of_same_budget(aller.header))
    return {
        BordereauKey(Domain(one.domain), one.exercice, one.type_code, one.number): one.answered_on
        for one in known
        if one.answered_on is not None
    }


def _accepted_attachments(aller: Aller) -> dict[str, date]:
    """When the trésorerie accepted attachments that the new flow carries again."""
    carried = {attachment.id_unique for attachment in aller.attachments} - {""}
    known = PesAttachment.objects.filter(id_unique__in=carried, **_of_same_budget(aller.header))
    return {one.id_unique: one.answered_on for one in known if one.answered_on is not None}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One line of an acquit in words: where, why, who can put it right."""

    place: str
    reason: str
    remedy: str


def anomalies(acquit: PesAcquit) -> list[Anomaly]:
    """Every refusal of an acquit, in the order of the file."""
    return [found for element in acquit.read_elements() for found in _anomalies_of(element)]


def _anomalies_of(element: AckElement) -> Iterator[Anomaly]:
    for error in element.errors:
        yield Anomaly(element.place(error), error.reason, error.corrector.label)
    if element.accepted is False and not element.errors:
        yield Anomaly(element.name, "refus sans motif", Corrector.TRESORERIE.label)
