"""What happens to a flow before it leaves, and to a budget: one function per event."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO, cast

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import F

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery import actions as delivery
from socle.directory.models import Protocol
from socle.documents import actions as documents
from socle.documents import antivirus
from socle.documents.models import StoredFile
from socle.helios import ground, permissions, policies, queries
from socle.helios.models import (
    Budget,
    FlowState,
    PesAttachment,
    PesBordereau,
    PesFlow,
    SendingDay,
)
from socle.helios.protocol import names
from socle.helios.protocol.aller import Aller, Attachment, Bordereau, DomainTotal
from socle.helios.protocol.aller_reader import read_aller
from socle.helios.protocol.deposit import (
    AlreadyDeposited,
    Finding,
    check_deposit,
    check_identity,
)
from socle.journal.actions import record

BATCH = 1000
_IDENTITY = ("unknown_siret", "other_cod_col", "other_cod_bud", "other_id_post")


class BudgetTaken(Refusal):
    """Two budgets of one accounting post cannot have the same codes."""

    code = "helios.budget_taken"


@transaction.atomic
def deposit(*, file: File, by: Person, at: datetime) -> PesFlow:  # type: ignore[type-arg]
    """Take in one PES aller as the finance software wrote it; its findings say what to look at.

    Raises what `antivirus.check` raises, an `UnreadableFile`, a `DepositRefusal` or
    `permissions.NotAllowed`; nothing is kept then.
    """
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.FLOWS_PREPARE, organisation=organisation, at=at)
    file.seek(0)
    content = cast(BinaryIO, file)
    antivirus.check(content, name=file.name or "PES")
    aller = read_aller(content)
    findings = check_deposit(aller, queries.circumstances(aller, organisation=organisation))
    stored = documents.store(
        content=content,
        name=file.name or aller.header.nom_fic,
        by=str(by),
        at=at,
        media_type="application/xml",
    )
    flow = _write(aller, findings, stored=stored, by=by, at=at)
    record(
        event="helios.deposited",
        subject=flow,
        by=by,
        at=at,
        detail={"nom_fic": flow.nom_fic, "sha256": flow.sha256, "budget": flow.budget_label},
    )
    return flow


@transaction.atomic
def transmit(*, flow_id: int, by: Person, at: datetime, confirmed: bool = False) -> PesFlow:
    """Hand a ready flow to the corridor, under the name it will keep at every attempt.

    `confirmed`: the person read what makes a rejection likely. Raises a Refusal: the person's
    right, the state of the flow, the convention (R2131-3, R2131-4 CGCT) or the certificate.
    """
    flow = PesFlow.objects.select_for_update(of=("self",)).get(pk=flow_id)
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.FLOWS_TRANSMIT, organisation=organisation, at=at)
    policies.check_transmittable(flow.state, flow.found, confirmed=confirmed)
    operator = ground.operator_for(organisation=organisation, by=by, at=at)
    today = legal_date(at)
    flow.transmitted_name = names.transmitted_name(
        siren=organisation.siren, sent_on=today, sequence=_next_sequence(today)
    )
    flow.state, flow.transmitted_at = FlowState.SENDING, at
    flow.transmitted_by, flow.transmitted_by_label = by, str(by)
    flow.save()
    _record_transmitted(flow, by=by, at=at)
    delivery.enqueue(
        organisation=organisation,
        protocol=Protocol.HELIOS,
        operator=operator,
        name=flow.transmitted_name,
        payload=flow.stored,
        subject_id=flow.pk,
        by=by,
        at=at,
    )
    return flow


def _record_transmitted(flow: PesFlow, *, by: Person, at: datetime) -> None:
    facts = {"nom_fic": flow.nom_fic, "name": flow.transmitted_name, "sha256": flow.sha256}
    findings = sorted({one.code for one in flow.found})
    record(
        event="helios.transmitted",
        subject=flow,
        by=by,
        at=at,
        detail={**facts, "findings": findings},
    )


@transaction.atomic
def withdraw(*, flow_id: int, by: Person, at: datetime) -> PesFlow:
    """Give up a flow that has not left. Raises CannotWithdraw or NotAllowed."""
    flow = PesFlow.objects.select_for_update(of=("self",)).get(pk=flow_id)
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.FLOWS_PREPARE, organisation=organisation, at=at)
    policies.check_withdrawable(flow.state)
    flow.state = FlowState.WITHDRAWN
    flow.save(update_fields=["state"])
    record(event="helios.withdrawn", subject=flow, by=by, at=at, detail={"nom_fic": flow.nom_fic})
    return flow


@transaction.atomic
def settle(*, flow_id: int, by: Person, at: datetime) -> PesFlow:
    """Say that what was refused in a flow has been put right. Raises CannotSettle, NotAllowed."""
    flow = PesFlow.objects.select_for_update(of=("self",)).get(pk=flow_id)
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.FLOWS_PREPARE, organisation=organisation, at=at)
    policies.check_settleable(flow.state)
    if flow.settled_at is None:
        flow.settled_at = at
        flow.save(update_fields=["settled_at"])
        record(event="helios.settled", subject=flow, by=by, at=at, detail={"nom_fic": flow.nom_fic})
    return flow


@transaction.atomic
def record_budget(
    *,
    label: str,
    siret: str,
    cod_col: str,
    cod_bud: str,
    id_post: str,
    by: Person,
    at: datetime,
    budget_id: int | None = None,
) -> Budget:
    """Write down a budget of the commune, or correct one; flows that waited for it become ready.

    Raises WrongBudget, InvalidIdentifier or BudgetTaken, whose `field` is the one at fault.
    """
    organisation = queries.organisation_here()
    facts = policies.check_budget(
        siret=siret,
        cod_col=cod_col,
        cod_bud=cod_bud,
        id_post=id_post,
        siren=organisation.siren,
        organisation=organisation.name,
    )
    _check_free(facts, budget_id=budget_id)
    budget = Budget.objects.get(pk=budget_id) if budget_id else Budget()
    for name, value in facts.items():
        setattr(budget, name, value)
    budget.label = label.strip()
    budget.save()
    detail = {"label": budget.label, **facts}
    record(event="helios.budget_recorded", subject=budget, by=by, at=at, detail=detail)
    _release_held(by=by, at=at)
    return budget


def _check_free(facts: dict[str, str], *, budget_id: int | None) -> None:
    codes = {name: facts[name] for name in ("id_post", "cod_col", "cod_bud")}
    holder = Budget.objects.exclude(pk=budget_id).filter(**codes).first()
    if holder is not None:
        raise BudgetTaken(
            f"Le budget « {holder.label} » porte déjà ces codes auprès de ce poste comptable : "
            "corrigez le code budget, ou modifiez plutôt ce budget.",
            field="cod_bud",
        )


def _release_held(*, by: Person, at: datetime) -> None:
    """Compare the flows that wait for a budget with the budgets as they now are."""
    budgets = queries.declared_budgets()
    held = PesFlow.objects.select_for_update(of=("self",)).filter(state=FlowState.DEPOSITED)
    for flow in held:
        others = [one for one in flow.found if one.code not in _IDENTITY]
        found = (*check_identity(flow.header, budgets, held_elsewhere=False), *others)
        flow.findings, flow.budget = _as_json(found), queries.budget_of(flow.header)
        flow.state = policies.first_state(found)
        flow.save(update_fields=["findings", "budget", "state"])
        if flow.state == FlowState.READY:
            record(
                event="helios.completed",
                subject=flow,
                by=by,
                at=at,
                detail={"nom_fic": flow.nom_fic, "budget": flow.budget_label},
            )


def _next_sequence(day: date) -> int:
    """The next number of the day; the row stays locked until the transaction ends."""
    SendingDay.objects.get_or_create(day=day)
    SendingDay.objects.filter(day=day).update(last=F("last") + 1)
    return SendingDay.objects.get(day=day).last


def _write(
    aller: Aller, findings: tuple[Finding, ...], *, stored: StoredFile, by: Person, at: datetime
) -> PesFlow:
    header = aller.header
    flow = PesFlow(
        stored=stored,
        sha256=aller.sha256,
        nom_fic=header.nom_fic,
        typ_fic=header.typ_fic[:100],
        id_post=header.id_post,
        libelle_poste=header.libelle_poste[:200],
        id_coll=header.id_coll,
        cod_col=header.cod_col,
        cod_bud=header.cod_bud,
        libelle_col_bud=header.libelle_col_bud[:200],
        dated=header.dated,
        editor=header.editor[:100],
        software=header.software[:200],
        budget=queries.budget_of(header),
        domains=[domain.value for domain in aller.domains],
        totals=[_total(one) for one in aller.totals],
        signature=aller.signature.value,
        attachments_count=len(aller.attachments),
        attachments_size=sum(one.compressed_size for one in aller.attachments),
        findings=_as_json(findings),
        expects_acquit=aller.expects_acquit,
        state=policies.first_state(findings),
        deposited_at=at,
        deposited_by=by,
        deposited_by_label=str(by),
    )
    _save_once(flow)
    PesBordereau.objects.bulk_create(_bordereaux(flow, aller.bordereaux), batch_size=BATCH)
    PesAttachment.objects.bulk_create(_attachments(flow, aller.attachments), batch_size=BATCH)
    return flow


def _save_once(flow: PesFlow) -> None:
    """Save a new flow, unless another hand deposited the same at the same moment."""
    try:
        with transaction.atomic():
            flow.save()
    except IntegrityError as clash:
        if not queries.is_taken(flow):
            raise
        raise AlreadyDeposited(
            "Ce fichier, ou un flux du même nom, vient d’être déposé : retrouvez-le dans vos flux."
        ) from clash


def _as_json(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    return [
        {"level": one.level.value, "code": one.code, "sentence": one.sentence}
        for one in findings[: policies.KEPT_FINDINGS]
    ]


def _total(total: DomainTotal) -> dict[str, object]:
    return {
        "domain": total.domain.value,
        "dematerialised": total.dematerialised,
        "bordereaux": total.bordereaux,
        "pieces": total.pieces,
        "lines": total.lines,
        "ht": str(total.total_ht),
        "tva": str(total.total_tva),
    }


def _bordereaux(flow: PesFlow, found: tuple[Bordereau, ...]) -> Iterator[PesBordereau]:
    for one in found:
        yield PesBordereau(
            flow=flow,
            domain=one.domain.value,
            exercice=one.exercice[:20],
            type_code=one.type_code[:20],
            number=one.number[:50],
            issued_on=one.issued_on,
            pieces=one.pieces,
            lines=one.lines,
            total_ht=one.total_ht,
            total_tva=one.total_tva,
            signed=one.signed,
        )


def _attachments(flow: PesFlow, found: tuple[Attachment, ...]) -> Iterator[PesAttachment]:
    for one in found:
        yield PesAttachment(
            flow=flow,
            id_unique=one.id_unique[:100],
            name=one.name[:200],
            mime_type=one.mime_type[:100],
            size=one.compressed_size,
        )
