"""What the page of an act shows besides its facts: history, messages, next step in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from socle.actes import policies, queries
from socle.actes.explanations import queries as explanations
from socle.actes.models import Act, ActFile, ActState, Kind, Transaction
from socle.actes.protocol.codes import STALE_CLASSIFICATION
from socle.core.clock import legal_date
from socle.delivery import banners
from socle.delivery.models import Outbound, OutboundState
from socle.directory.models import Protocol
from socle.journal import queries as journal
from socle.journal.models import Entry
from socle.web.items import Event, Tone


@dataclass(frozen=True, slots=True)
class NextStep:
    """Where the act stands and what she has to do, if anything; `kind` is a notice's."""

    kind: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Case:
    """Everything around one act."""

    files: Sequence[ActFile]
    messages: Sequence[Transaction]
    history: Sequence[Event]
    next_step: NextStep
    anomaly: Transaction | None
    failed_cancellation: Transaction | None
    exercise: bool


def of(act: Act, *, at: datetime) -> Case:
    """The case of one act, as it stands at `at`."""
    messages = list(act.transactions.select_related("archive", "message").order_by("pk"))
    sent = next((one for one in messages if one.kind == Kind.ACTE), None)
    refused = [one for one in messages if one.state == "anomaly"]
    return Case(
        files=queries.files_of(act),
        messages=messages,
        history=[_event(entry) for entry in reversed(list(journal.history(act)))],
        next_step=_next_step(act, messages, at=at),
        anomaly=next((one for one in refused if one.kind == Kind.ACTE), None),
        failed_cancellation=next((one for one in refused if one.kind == Kind.CANCELLATION), None)
        if act.state == ActState.ACKNOWLEDGED
        else None,
        exercise=bool(sent and sent.exercise),
    )


def _event(entry: Entry) -> Event:
    tone = "warning" if entry.outcome == "refused" else _TONES.get(entry.event, "neutral")
    return Event(at=entry.at, label=entry.sentence, who=entry.actor_label, tone=tone)


_TONES: Final[dict[str, Tone]] = {
    "actes.deposited": "progress",
    "actes.sent": "progress",
    "actes.letter_received": "warning",
    "actes.letter_paper_missing": "danger",
    "actes.reply_deposited": "progress",
    "actes.reply_acknowledged": "success",
    "actes.reply_not_taken": "warning",
    "actes.reply_refused": "danger",
    "actes.acknowledged": "success",
    "actes.published": "success",
    "actes.cancelled": "success",
    "actes.operator_refused": "warning",
    "actes.given_back": "warning",
    "actes.late_anomaly": "warning",
    "actes.cancellation_failed": "warning",
    "actes.anomaly": "danger",
    "actes.posted": "success",
    "actes.archive_asked": "progress",
    "actes.archive_deposited": "progress",
    "actes.archive_accepted": "success",
    "actes.archive_refused": "danger",
    "actes.archive_failed": "danger",
}


def _next_step(act: Act, messages: Sequence[Transaction], *, at: datetime) -> NextStep:
    if stopped := _stopped(messages):
        return NextStep(
            "warning",
            "L’envoi est arrêté",
            f"{stopped.last_error} Votre syndicat le voit et peut relancer l’envoi : ne déposez "
            "pas l’acte une seconde fois.",
        )
    if act.state == ActState.QUEUED and (leaves := _leaves_later(messages, at)):
        return leaves
    if act.state == ActState.SENT and _is_late(messages, at):
        return _LATE
    if act.state == ActState.ANOMALY:
        return _anomaly_step(act, messages)
    if act.state == ActState.ACKNOWLEDGED:
        return _acknowledged_step(act)
    return _STEPS[ActState(act.state)]


def _stopped(messages: Sequence[Transaction]) -> Outbound | None:
    """The corridor's row of a message that does not move by itself any more."""
    waiting = [one for one in messages if one.state in {"queued", "refused"}]
    outbound = queries.outbound_of(waiting[-1]) if waiting else None
    held = outbound and outbound.state in {OutboundState.HELD, OutboundState.REFUSED}
    return outbound if held else None


def _leaves_later(messages: Sequence[Transaction], at: datetime) -> NextStep | None:
    """When the operator takes nothing now: from when the act leaves."""
    if not messages:
        return None
    leaving = banners.leaves_later(
        "L’acte", operator=messages[-1].operator, protocol=Protocol.ACTES, at=at
    )
    return NextStep("info", leaving.title, leaving.sentence) if leaving else None


def _is_late(messages: Sequence[Transaction], at: datetime) -> bool:
    sent = next(one for one in messages if one.kind == Kind.ACTE)
    return policies.is_overdue(legal_date(sent.sent_at or sent.created_at), today=legal_date(at))


def _anomaly_step(act: Act, messages: Sequence[Transaction]) -> NextStep:
    sent = next(one for one in messages if one.kind == Kind.ACTE)
    text = explanations.of(sent.anomaly_nature, sent.anomaly_detail)
    said = text.sentence
    if STALE_CLASSIFICATION in sent.anomaly_detail:
        said = f"{text.meaning} {_about_classification(act)}"
    return NextStep("danger", "La préfecture a refusé cet acte", said)


def _about_classification(act: Act) -> str:
    held = queries.held_classification()
    if held is not None and held.date != act.classification_date:
        return "La nouvelle est arrivée : vérifiez la matière, puis renvoyez l’acte."
    return "La nouvelle lui est demandée : revenez renvoyer l’acte dans un moment."


def _acknowledged_step(act: Act) -> NextStep:
    if act.enforceable_on:
        return NextStep(
            "success",
            f"Exécutoire le {act.enforceable_on:%d/%m/%Y}",
            "L’acte est reçu en préfecture et publié : vous n’avez plus rien à faire. Gardez "
            "l’original signé.",
        )
    return NextStep(
        "info",
        "Reçu en préfecture, il reste à le publier",
        "L’acte devient exécutoire une fois publié : indiquez sa date de publication ci-dessous.",
    )


_LATE: Final = NextStep(
    "warning",
    "L’accusé de réception tarde",
    "La préfecture répond d’ordinaire sous deux jours ouvrés. Appelez votre syndicat, et ne "
    "déposez pas l’acte une seconde fois.",
)
_STEPS: Final[dict[ActState, NextStep]] = {
    ActState.DRAFT: NextStep("info", "Brouillon", "Cet acte n’est pas encore transmis."),
    ActState.WAITING: NextStep(
        "info",
        "L’acte est prêt, il va partir",
        "C’est le premier : la liste des matières de votre préfecture vient de lui être demandée. "
        "L’acte partira de lui-même dès qu’elle arrive. Vous n’avez rien à faire.",
    ),
    ActState.QUEUED: NextStep(
        "info",
        "L’acte est en cours d’envoi",
        "Il part dans la minute. Vous pouvez fermer cette page.",
    ),
    ActState.SENT: NextStep(
        "info",
        "La préfecture va accuser réception",
        "Elle ne le fait qu’aux heures de travail : comptez un à deux jours ouvrés. Un courriel "
        "vous préviendra, vous n’avez rien à faire.",
    ),
    ActState.REFUSED: NextStep(
        "warning",
        "L’opérateur de transmission n’a pas pris l’acte",
        "Votre syndicat le voit et peut relancer l’envoi : ne déposez pas l’acte une seconde fois.",
    ),
    ActState.CANCELLING: NextStep(
        "info",
        "L’annulation est demandée",
        "La préfecture en accuse réception aux heures de travail, comme pour un acte.",
    ),
    ActState.CANCELLED: NextStep(
        "info",
        "Cet acte est annulé",
        "La préfecture en a pris acte. Il reste ici avec ses preuves.",
    ),
}
