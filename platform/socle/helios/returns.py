"""The part HELIOS takes in the corridor: what became of a flow, and what the trésorerie says."""

import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.core import apart, fences, plain
from socle.core.clock import legal_date
from socle.core.names import safe_name
from socle.delivery.handlers import Unmatched
from socle.delivery.models import Outbound
from socle.delivery.origin import Origin
from socle.delivery.queries import tenant_of_siren
from socle.documents import actions as documents
from socle.helios import permissions, policies, queries
from socle.helios.models import (
    FlowState,
    PesAcquit,
    PesAttachment,
    PesBordereau,
    PesFlow,
    PesRetour,
)
from socle.helios.protocol import reading
from socle.helios.protocol.acquit import AckElement, Acquit
from socle.helios.protocol.aller import Domain
from socle.helios.protocol.matching import match_acquit
from socle.helios.protocol.retour import Retour
from socle.journal.actions import record
from socle.notices import actions as notices

TRESORERIE: Final = "Trésorerie"
_READER: Final = apart.Reader("socle.helios.protocol.reading", memory=512 * 1024**2)
"""A file is read in constant memory; its verdicts, two hundred thousand at most, are not."""
_DOMAINS: Final = {"5": Domain.DEPENSE, "6": Domain.RECETTE, "7": Domain.RECETTE}
"""DomaineAck of the elements that answer a bordereau."""

Subject = tuple[str, ...]


def check(outbound: Outbound, at: datetime) -> None:
    """Look once more, just before sending, whether the flow may still go. Raises a Refusal."""
    flow = PesFlow.objects.get(pk=outbound.subject_id)
    policies.check_may_still_go(flow.state, taken=queries.is_taken(flow))


def sent(outbound: Outbound, at: datetime) -> None:
    """Write down that the operator holds the flow; an acquit may have come before."""
    flow = PesFlow.objects.select_for_update(of=("self",)).get(pk=outbound.subject_id)
    if flow.sent_at is not None:
        return
    PesFlow.objects.filter(pk=flow.pk).update(sent_at=at)
    _move(flow, FlowState.SENT, error="")
    record(
        event="helios.sent",
        subject=flow,
        by="Socle",
        at=at,
        detail={"nom_fic": flow.nom_fic, "operator": outbound.operator.name},
    )


def refused(outbound: Outbound, why: str, at: datetime) -> None:
    """Write down that the operator did not take the flow, and tell who transmitted it."""
    flow = PesFlow.objects.select_for_update(of=("self",)).get(pk=outbound.subject_id)
    if not _move(flow, FlowState.FAILED, error=why[:500]):
        return
    record(
        event="helios.failed",
        subject=flow,
        by="Socle",
        at=at,
        detail={"nom_fic": flow.nom_fic, "why": why},
    )
    _tell(flow, "failed", f"Le flux {flow.nom_fic} n’a pas été pris par l’opérateur : {why}", at)


def receive(name: str, raw: bytes, at: datetime, origin: Origin) -> int:
    """Give an acquit or a PES retour to the commune whose SIRET it names; returns her key.

    Runs in the public schema. Raises Unmatched, with a sentence for the desk of the syndicat.
    """
    found = _understand(name, raw)
    header = found.header
    tenant = tenant_of_siren(header.id_coll[:9]) if header.id_coll else None
    if tenant is None:
        raise Unmatched(
            f"Le retour « {name} » est adressé au SIRET « {header.id_coll[:14]} », qui n’est celui "
            "d’aucune commune raccordée : vérifiez l’annuaire, puis relisez ce retour."
        )
    with fences.inside(tenant.schema_name):
        if not origin.serves(tenant.organisation_id):
            raise Unmatched(
                f"Le retour « {name} » vient de l’opérateur {origin.operator}, par qui cette "
                "commune ne transmet pas."
            )
        if isinstance(found, Retour):
            _keep_retour(name, raw, found, at)
        else:
            _keep_acquit(name, raw, found, at, origin)
    return int(tenant.organisation_id)


@transaction.atomic
def take(*, retour_id: int, by: Person, at: datetime) -> bool:
    """The finance software took a PES_Retour away; once is enough. Raises NotAllowed."""
    organisation = queries.organisation_here()
    permissions.check_may(by, Capability.FLOWS_PREPARE, organisation=organisation, at=at)
    if not PesRetour.objects.filter(pk=retour_id, taken_at=None).update(taken_at=at):
        return False
    retour = PesRetour.objects.select_related("stored").get(pk=retour_id)
    record(event="helios.retour_taken", subject=retour, by=by, at=at, detail={"name": str(retour)})
    return True


def _understand(name: str, raw: bytes) -> Acquit | Retour:
    """What came, read by a process apart. Raises Unmatched and CannotRead."""
    said = _READER.read(io.BytesIO(raw), called=safe_name(name), name=name)
    if "own" in said:
        raise Unmatched(f"« {name} » porte le nom d’un de nos envois : ce n’est pas un retour.")
    if "fault" in said:
        doctype = said["fault"] == reading.DOCTYPE
        why = (
            "il contient une déclaration DOCTYPE"
            if doctype
            else ("ce n’est ni un acquit ni un PES retour")
        )
        raise Unmatched(
            f"Le retour « {name} » ne peut pas être lu ({why}) : demandez à l’opérateur de le "
            "remettre à disposition."
        )
    try:
        found: Acquit | Retour = plain.rebuilt(Acquit | Retour, said.get("found"))
    except (TypeError, ValueError) as fault:
        raise apart.CannotRead(f"« {safe_name(name)} » n’a pas pu être lu.") from fault
    return found


def _keep_retour(name: str, raw: bytes, retour: Retour, at: datetime) -> None:
    digest = hashlib.sha256(raw).hexdigest()
    if PesRetour.objects.filter(sha256=digest).exists():
        return
    kept = PesRetour.objects.create(
        stored=documents.store(content=raw, name=name, by=TRESORERIE, at=at),
        sha256=digest,
        nom_fic=retour.header.nom_fic[:200],
        kinds=[label[:100] for label in retour.labels],
        dated=retour.header.dated,
        cod_bud=retour.header.cod_bud[:20],
        received_at=at,
    )
    record(
        event="helios.retour_received",
        subject=kept,
        by=TRESORERIE,
        at=at,
        detail={"name": name[:200], "kinds": ", ".join(kept.kinds), "sha256": digest},
    )


def _keep_acquit(name: str, raw: bytes, acquit: Acquit, at: datetime, origin: Origin) -> None:
    flow = _flow_answered(name, acquit, origin)
    origin.answers(flow.pk)
    digest = hashlib.sha256(raw).hexdigest()
    if flow.acquits.filter(sha256=digest).exists():
        return
    PesAcquit.objects.create(
        flow=flow,
        stored=documents.store(content=raw, name=name, by=TRESORERIE, at=at),
        sha256=digest,
        verdict=acquit.state.value,
        elements=[asdict(element) for element in acquit.elements],
        received_at=at,
    )
    _mark(flow, acquit, on=legal_date(at))
    verdict = policies.VERDICTS.get(acquit.state)
    moved = verdict is not None and _answer(flow, verdict, at)
    record(
        event="helios.acquit_received" if moved else "helios.acquit_kept",
        subject=flow,
        by=TRESORERIE,
        at=at,
        detail={
            "nom_fic": flow.nom_fic,
            "verdict": acquit.state.label.lower(),
            "errors": len(acquit.errors),
            "sha256": digest,
        },
    )
    if moved:
        _tell_verdict(flow, acquit, at)


def _flow_answered(name: str, acquit: Acquit, origin: Origin) -> PesFlow:
    nom_fic = acquit.header.nom_fic
    match = match_acquit(acquit.header, queries.candidates(nom_fic, origin))
    if match is None:
        raise Unmatched(
            f"L’acquit « {name} » répond au flux « {nom_fic[:100]} », que la commune n’a pas "
            "transmis par Socle : cherchez par quel autre outil il est parti."
        )
    return PesFlow.objects.select_for_update(of=("self",)).get(pk=match.flux)


def _answer(flow: PesFlow, verdict: FlowState, at: datetime) -> bool:
    """Move to the verdict, unless that would say less than is known already.

    A refused flow whose place another deposit has taken keeps its state: the acquit is kept all
    the same.
    """
    if policies.is_freed(flow.state) and not policies.is_freed(verdict) and queries.is_taken(flow):
        return False
    return _move(flow, verdict, answered_at=at, error="", settled_at=None)


def _move(flow: PesFlow, to: FlowState, **facts: Any) -> bool:
    """Move the flow if its current state allows it, in one statement; whether it moved."""
    allowed = PesFlow.objects.filter(pk=flow.pk, state__in=policies.states_before(to))
    if not allowed.update(state=to, **facts):
        return False
    flow.refresh_from_db()
    return True


def _mark(flow: PesFlow, acquit: Acquit, *, on: date) -> None:
    """Write the verdict beside each bordereau and attachment; what was accepted stays so."""
    verdicts = {_subject(one): one.accepted for one in acquit.elements if one.accepted is not None}
    _write_verdicts(
        PesBordereau, flow.bordereaux.exclude(accepted=True), verdicts, on=on, key=_bordereau_key
    )
    _write_verdicts(
        PesAttachment, flow.attachments.exclude(accepted=True), verdicts, on=on, key=_attachment_key
    )


def _write_verdicts(
    model: Any,
    rows: Iterable[Any],
    verdicts: dict[Subject, bool | None],
    *,
    on: date,
    key: Callable[[Any], Subject],
) -> None:
    changed = []
    for row in rows:
        verdict = verdicts.get(key(row))
        if verdict is not None:
            row.accepted, row.answered_on = verdict, on
            changed.append(row)
    model.objects.bulk_update(changed, ["accepted", "answered_on"], batch_size=500)


def _subject(element: AckElement) -> Subject:
    if element.id_unique:
        return ("pj", element.id_unique)
    domain = _DOMAINS.get(element.domain, "")
    return (domain, element.exercice, element.bordereau.lstrip("0"))


def _bordereau_key(row: PesBordereau) -> Subject:
    return (row.domain, row.exercice, row.number.lstrip("0"))


def _attachment_key(row: PesAttachment) -> Subject:
    return ("pj", row.id_unique)


def _tell_verdict(flow: PesFlow, acquit: Acquit, at: datetime) -> None:
    lines = [f"Flux {flow.nom_fic} ({flow.budget_label}) : {acquit.state.label.lower()}."]
    lines += [f"- {line}" for line in acquit.explanations()[:20]]
    _tell(flow, flow.state, "\n".join(lines), at)


def _tell(flow: PesFlow, what: str, body: str, at: datetime) -> None:
    if flow.transmitted_by is None:
        return
    notices.tell(
        people=[flow.transmitted_by],
        organisation=queries.organisation_here(),
        key=f"helios.{what}:{flow.pk}",
        subject=f"Flux {flow.nom_fic} : {flow.state_label.lower()}"[:200],
        body=body,
        at=at,
        url=queries.address_of(flow),
    )
