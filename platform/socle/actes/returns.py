"""What comes back from the préfecture: matched to what was sent, then told to whoever sent it."""

import logging
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction

from socle.accounts.capabilities import Capability
from socle.actes import letters, parcels, permissions, policies, proofs, queries, sending, signed
from socle.actes.explanations import queries as explanations
from socle.actes.ground import Ground
from socle.actes.models import (
    Act,
    ActState,
    ClassificationVersion,
    Kind,
    Transaction,
    TransactionState,
)
from socle.actes.protocol.classification import Classification
from socle.actes.protocol.codes import Nature
from socle.actes.protocol.identifiers import parse_acte_id
from socle.actes.protocol.names import parse_business_name, parse_envelope_name
from socle.actes.protocol.values import (
    Acknowledgement,
    ActeData,
    Anomaly,
    CancellationAck,
    ClassificationUnchanged,
    EnvelopeAnomaly,
    PrefectureLetter,
    ReplyAcknowledgement,
    ReturnEnvelope,
)
from socle.actes.reception import PREFECTURE, Returned, journal, keep, move, notify, prefecture
from socle.core import fences, sweeps
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.delivery import queries as corridor
from socle.delivery.handlers import Unmatched
from socle.delivery.models import Outbound
from socle.delivery.origin import Origin
from socle.journal.actions import record

log = logging.getLogger(__name__)

# The four handles of the corridor (`delivery.handlers.Room`).


def sent(outbound: Outbound, at: datetime) -> None:
    """The operator holds the file. An answer may have come first: it is not undone."""
    ours = Transaction.objects.select_related("act").get(pk=outbound.subject_id)
    Transaction.objects.filter(pk=ours.pk, sent_at=None).update(sent_at=at)
    if move(ours, TransactionState.SENT) and ours.act:
        journal(ours.act, "actes.sent", at=at, by="Socle", what=ours.get_kind_display())
        letters.sent(ours)


def refused(outbound: Outbound, why: str, at: datetime) -> None:
    """The operator does not take the file. The syndicat may have it sent again."""
    ours = Transaction.objects.select_related("act").get(pk=outbound.subject_id)
    if not move(ours, TransactionState.REFUSED):
        return
    if ours.act is None:
        _classification_refused(ours, why, at=at)
        return
    if ours.kind in letters.OURS:
        letters.not_taken(ours, why, at=at)
        return
    journal(ours.act, "actes.operator_refused", at=at, by="Socle", why=why)
    _tell(
        ours,
        "operator_refused",
        f"L’acte {ours.act.number} n’est pas parti",
        f"L’opérateur de transmission n’a pas pris l’acte « {ours.act.objet} » : {why} "
        "Votre syndicat le voit et peut relancer l’envoi.",
        at=at,
    )


def check(outbound: Outbound, at: datetime) -> None:
    """Look once more whether the message may go: still unsent, its sender still entitled.

    Raises NothingToSend or NotAllowed.
    """
    ours = Transaction.objects.get(pk=outbound.subject_id)
    policies.check_unsent(ours.state)
    permissions.check_may(
        outbound.asked_by,
        Capability.ACTS_TRANSMIT,
        organisation=outbound.organisation,
        at=at,
    )


def receive(name: str, raw: bytes, at: datetime, origin: Origin) -> int:
    """Act on one return; the key of the organisation it was for.

    `raw` is what the operator gave (see `mails.files_in`). The same return twice changes nothing.
    Raises Unmatched when nothing here was sent that it answers, and the refusals of a hostile or
    unreadable return.
    """
    with parcels.opened(name, raw) as parcel:
        return _receive(parcel, name, raw, origin, at=at)


def _receive(parcel: parcels.Parcel, name: str, raw: bytes, origin: Origin, *, at: datetime) -> int:
    returned = _read(parcel, name, raw, origin)
    answers = [one for one in returned if not _is_envelope(one)]
    if not answers:
        return _paper_reminder(name, parcel.reminder, origin, at=at)
    places = _by_siren([one.message for one in returned if _is_envelope(one)], answers)
    if len(places) > 1 and any(isinstance(one.message, PrefectureLetter) for one in answers):
        raise Unmatched(
            f"Le retour « {name} » porte un courrier parmi les réponses de plusieurs "
            "collectivités : demandez à l’opérateur de les remettre séparément."
        )
    reached = [_hand_on(name, siren, mine, at=at) for siren, mine in places.items()]
    return reached[0]


def _by_siren(envelopes: list[Any], answers: list[Returned]) -> dict[str, list[Returned]]:
    """The answers of each collectivité; an envelope speaks for all only when it is alone."""
    if len({one.siren for one in envelopes}) == 1:
        return {_siren(envelopes[0], answers): answers}
    places: dict[str, list[Returned]] = {}
    for one in answers:
        places.setdefault(_siren(None, [one]), []).append(one)
    return places


def _hand_on(name: str, siren: str, answers: list[Returned], *, at: datetime) -> int:
    """Give a collectivité her answers, and hers only; her key. Raises Unmatched."""
    tenant = corridor.tenant_of_siren(siren)
    if tenant is None:
        raise Unmatched(
            f"Le retour « {name} » est destiné au SIREN {siren or 'inconnu'}, qui n’est celui "
            "d’aucune collectivité d’ici."
        )
    with fences.inside(tenant.schema_name):
        answers[0].origin.check(says=_says(answers))
        _answer_all(answers, at=at)
    return int(tenant.organisation_id)


def _read(parcel: parcels.Parcel, name: str, raw: bytes, origin: Origin) -> list[Returned]:
    """The messages that can be read. Raises when none can, with the sentence of the first."""
    files = parcel.files
    found = [
        Returned(file, files[file], message, origin, files=files, raw=raw, parcel=name)
        for file, message in parcel.messages
    ]
    if parcel.unknown and all(map(_is_envelope, found)):
        raise Unmatched(parcel.unknown[0])
    return found


def _paper_reminder(name: str, identifier: str, origin: Origin, *, at: datetime) -> int:
    """Note a reminder of pieces sent on paper; the act stays as it is. Raises Unmatched."""
    tenant = corridor.tenant_of_siren(parse_acte_id(identifier).siren) if identifier else None
    if tenant is None:
        raise Unmatched(f"Le retour « {name} » ne contient aucun message de la préfecture.")
    with fences.inside(tenant.schema_name):
        ours = queries.act_sent(parse_acte_id(identifier), sent=queries.carried_by(origin))
        if ours is None or ours.act is None:
            raise Unmatched(f"Aucun acte transmis d’ici ne porte l’identifiant {identifier}.")
        origin.answers(ours.pk)
        journal(ours.act, "actes.paper_reminder", at=at, by=prefecture(ours))
    return int(tenant.organisation_id)


def _is_envelope(returned: Returned) -> bool:
    return isinstance(returned.message, ReturnEnvelope)


def _siren(envelope: Any, answers: Iterable[Returned]) -> str:
    if envelope is not None and envelope.siren:
        return str(envelope.siren)
    return next((siren for returned in answers if (siren := _own_siren(returned))), "")


def _own_siren(returned: Returned) -> str:
    """The collectivité a message names when it came without its envelope."""
    match returned.message:
        case (
            Acknowledgement(acte=acte)
            | CancellationAck(acte=acte)
            | PrefectureLetter(acte=acte)
            | ReplyAcknowledgement(acte=acte)
        ):
            return acte.siren
        case EnvelopeAnomaly(envelope_name=name, envelope=echoed):
            parsed = parse_envelope_name(name)
            return parsed.siren if parsed else echoed.emitter.siren if echoed else ""
        case _:
            named = parse_business_name(returned.name)
            return named.siren if named else ""


def _says(answers: Iterable[Returned]) -> str:
    """What a person must know of a return to stand for it."""
    said = " ; ".join(
        f"accusé de réception du {_day(one.message.received_on)} pour l’acte {one.message.acte}"
        if isinstance(one.message, Acknowledgement | CancellationAck)
        else f"message « {one.name} »"
        for one in answers
    )
    return f"Contenu : {said}."


def _day(day: date) -> str:
    return f"{day:%d/%m}/{day.year:04}"


def _answer_all(answers: list[Returned], *, at: datetime) -> None:
    """Act on each message; one that answers nothing of ours does not lose the others."""
    lost: list[Unmatched] = []
    for returned in answers:
        try:
            with transaction.atomic():
                _answer(returned, at=at)
        except Unmatched as refusal:
            lost.append(refusal)
    if len(lost) == len(answers):
        raise lost[0]
    for one in lost:
        record(
            event="actes.unmatched",
            subject=("actes.return", "message"),
            by=PREFECTURE,
            at=at,
            detail={"why": str(one)},
        )


def _answer(returned: Returned, *, at: datetime) -> None:
    match returned.message:
        case Acknowledgement() as message:
            _acknowledged(returned, message, at=at)
        case Anomaly() as message:
            _refused_by_prefecture(returned, message, at=at)
        case EnvelopeAnomaly() as message:
            _envelope_refused(returned, message, at=at)
        case CancellationAck() as message:
            _cancelled(returned, message, at=at)
        case Classification() as message:
            _classification(returned, message, at=at)
        case ClassificationUnchanged():
            _classification_unchanged(returned, at=at)
        case PrefectureLetter() as message:
            letters.take_in(returned, message, at=at)
        case ReplyAcknowledgement() as message:
            letters.answer_acknowledged(returned, message, at=at)
        case _:
            raise Unmatched(
                f"Le message « {returned.name} » n’est pas une réponse de la préfecture."
            )


# One answer each.


def _acknowledged(returned: Returned, message: Acknowledgement, *, at: datetime) -> None:
    ours = queries.sent_by_identifier(message.acte, Kind.ACTE, sent=returned.sent())
    if ours is None or ours.act is None:
        raise Unmatched(f"Aucun acte transmis d’ici ne porte l’identifiant {message.acte}.")
    _check_number_is_free(ours.act)
    _check_plausible(returned, message.received_on, ours.act, message.data, at=at)
    moved = move(
        ours,
        TransactionState.ACKNOWLEDGED,
        act={"received_on": message.received_on, "identifier": str(message.acte)},
        received_on=message.received_on,
        answered_at=at,
    )
    if not moved:
        return
    keep(returned, Kind.ACKNOWLEDGEMENT, ours, at=at, received_on=message.received_on)
    act = Act.objects.get(pk=ours.act_id)
    journal(
        act,
        "actes.acknowledged",
        at=at,
        by=prefecture(ours),
        received_on=f"{message.received_on:%d/%m/%Y}",
        identifier=act.identifier,
        sha256=_digest(ours),
    )
    proofs.make(act, at=at)
    _tell_acknowledged(ours, act, at=at)
    _renew_classification(ours, message.classification_date, at=at)


def _refused_by_prefecture(returned: Returned, message: Anomaly, *, at: datetime) -> None:
    ours = _echoed(message.data, returned) or _named(returned)
    if ours is None or ours.act is None:
        raise Unmatched(
            f"L’anomalie « {returned.name} » ne correspond à aucun acte transmis d’ici : "
            f"{message.summary}"
        )
    _anomaly(returned, ours, Kind.ANOMALY, message.nature, message.detail, at=at)
    if message.is_stale_classification:
        _renew_classification(ours, message.classification_date, at=at)


def _envelope_refused(returned: Returned, message: EnvelopeAnomaly, *, at: datetime) -> None:
    echoed = message.envelope.messages if message.envelope else ()
    ours = queries.sent_in_envelope(message.envelope_name, echoed, sent=returned.sent())
    if ours is None:
        raise Unmatched(
            f"L’anomalie « {returned.name} » ne correspond à aucune enveloppe partie d’ici : "
            f"{message.summary}"
        )
    _anomaly(returned, ours, Kind.ENVELOPE_ANOMALY, message.nature, message.detail, at=at)


def _anomaly(
    returned: Returned, ours: Transaction, kind: Kind, nature: str, detail: str, *, at: datetime
) -> None:
    known = ours.state == TransactionState.ANOMALY
    moved = move(
        ours,
        TransactionState.ANOMALY,
        anomaly_nature=nature[:10],
        anomaly_detail=detail,
        answered_at=at,
    )
    if known:
        return
    keep(returned, kind, ours, at=at)
    if ours.act is None:
        _classification_refused(ours, f"{nature} {detail}".strip(), at=at)
        return
    if ours.kind in letters.OURS:
        letters.refused(ours, f"{nature} {detail}".strip(), at=at)
        return
    event = _ANOMALY_EVENTS[Kind(ours.kind)] if moved else "actes.late_anomaly"
    journal(
        ours.act,
        event,
        at=at,
        by=prefecture(ours),
        nature=nature,
        detail=detail or "sans précision",
    )
    if moved:
        _tell_anomaly(ours, nature, detail, at=at)


_ANOMALY_EVENTS: Final = {
    Kind.ACTE: "actes.anomaly",
    Kind.CANCELLATION: "actes.cancellation_failed",
}


def _cancelled(returned: Returned, message: CancellationAck, *, at: datetime) -> None:
    ours = queries.sent_by_identifier(message.acte, Kind.CANCELLATION, sent=returned.sent())
    if ours is None or ours.act is None:
        raise Unmatched(f"Aucune annulation n’a été demandée d’ici pour l’acte {message.acte}.")
    _check_plausible(returned, message.received_on, ours.act, None, at=at)
    moved = move(
        ours,
        TransactionState.ACKNOWLEDGED,
        act={"cancelled_on": message.received_on},
        received_on=message.received_on,
        answered_at=at,
    )
    if not moved:
        return
    keep(returned, Kind.CANCELLATION_ACK, ours, at=at, received_on=message.received_on)
    act = Act.objects.get(pk=ours.act_id)
    journal(
        act,
        "actes.cancelled",
        at=at,
        by=prefecture(ours),
        received_on=f"{message.received_on:%d/%m/%Y}",
    )
    proofs.make(act, at=at)
    _tell(
        ours,
        "cancelled",
        f"L’acte {act.number} est annulé",
        f"La préfecture a reçu le {message.received_on:%d/%m/%Y} l’annulation de l’acte "
        f"« {act.objet} ».",
        at=at,
    )


def _classification(returned: Returned, message: Classification, *, at: datetime) -> None:
    ours = _classification_asked(returned, at=at)
    if ours is None:
        raise Unmatched("Une classification est arrivée sans avoir été demandée d’ici.")
    kept = keep(returned, Kind.CLASSIFICATION, ours, at=at)
    ClassificationVersion.objects.create(date=message.date, content=kept.message, received_at=at)
    record(
        event="actes.classification_received",
        subject=ours,
        by=prefecture(ours),
        at=at,
        detail={"date": f"{message.date:%d/%m/%Y}"},
    )
    _let_waiting_go(at=at)


def _classification_asked(returned: Returned, *, at: datetime) -> Transaction | None:
    """The request an answer is for, answered: the answer names none, so it ends all that wait."""
    waiting = list(queries.pending_classification_requests(returned.sent()).order_by("pk"))
    for ours in waiting:
        move(ours, TransactionState.ACKNOWLEDGED, answered_at=at)
        returned.origin.answers(ours.pk)
    return waiting[-1] if waiting else None


def _classification_unchanged(returned: Returned, *, at: datetime) -> None:
    ours = _classification_asked(returned, at=at)
    if ours is None:
        raise Unmatched("Une réponse sur la classification est arrivée sans avoir été demandée.")
    keep(returned, Kind.CLASSIFICATION_UNCHANGED, ours, at=at)


def _renew_classification(ours: Transaction, current: Any, *, at: datetime) -> None:
    """Ask for the classification again when the State says that ours is not its latest."""
    held = queries.held_classification()
    if current is None or (held is not None and held.date == current):
        return
    try:
        sending.ask_classification(ground=Ground(by=ours.asked_by, at=at))
    except Refusal as refusal:
        record(
            event="actes.classification_not_asked",
            subject=ours,
            by="Socle",
            at=at,
            detail={"why": str(refusal)},
        )


def _let_waiting_go(*, at: datetime) -> None:
    for act in _waiting():
        try:
            _let_go(act, at=at)
        except sweeps.PASSING:
            raise
        except Exception as fault:  # the others leave
            log.warning("act %s does not leave", act.pk, exc_info=True)
            _give_back(act, sweeps.cause(fault), at=at)


@transaction.atomic
def _let_go(act: Act, *, at: datetime) -> None:
    ground = Ground(by=act.deposited_by, at=at)
    files = queries.files_of(act)
    signed.verify_again(files)
    acte = sending.acceptable(act, files, ground=ground)
    sending.send_act(act, acte, files, ground=ground)


def _classification_refused(ours: Transaction, why: str, *, at: datetime) -> None:
    record(
        event="actes.classification_refused",
        subject=ours,
        by=prefecture(ours),
        at=at,
        detail={"why": why},
    )
    for act in _waiting():
        _give_back(act, f"la demande de classification a été refusée ({why}).", at=at)


def _waiting() -> list[Act]:
    return list(
        Act.objects.select_for_update(of=("self",)).filter(state=ActState.WAITING).order_by("pk")
    )


def _give_back(act: Act, why: str, *, at: datetime) -> None:
    """An act that could not leave is a draft again, and its sender knows why."""
    Act.objects.filter(pk=act.pk).update(state=ActState.DRAFT)
    journal(act, "actes.given_back", at=at, by="Socle", why=why)
    notify(
        act,
        act.deposited_by,
        key=f"actes.given_back:{act.pk}:{at:%Y%m%d%H%M%S}",
        subject=f"L’acte {act.number} n’est pas parti",
        body=f"L’acte « {act.objet} » est redevenu un brouillon : {why}",
        at=at,
    )


# What every answer does.


def _check_number_is_free(act: Act) -> None:
    """A refused act gave its number back: an acknowledgement that comes after cannot take it."""
    if act.state == ActState.ANOMALY and queries.holder_of(act.number, but=act.pk):
        raise Unmatched(
            f"L’acte {act.number}, d’abord refusé, est acquitté alors qu’un autre acte porte "
            "maintenant son numéro : demandez à la préfecture lequel elle garde."
        )


def _check_plausible(
    returned: Returned, received_on: date, act: Act, echo: ActeData | None, *, at: datetime
) -> None:
    """Have a person look at an acknowledgement that cannot be right. Raises Doubtful."""
    doubts = (
        policies.date_doubt(received_on, decided_on=act.decided_on, today=legal_date(at)),
        policies.echo_doubt(echo, act),
    )
    returned.origin.check(
        *doubts,
        says=f"Accusé de réception du {_day(received_on)} pour l’acte {act.identifier} "
        f"(« {act.objet[:100]} »), remis par {returned.origin.operator}.",
    )


def _echoed(data: Any, returned: Returned) -> Transaction | None:
    if data is None:
        return None
    return queries.sent_by_facts(
        number=data.number,
        decided_on=data.decided_on,
        nature=data.nature,
        sent=returned.sent(),
    )


def _named(returned: Returned) -> Transaction | None:
    named = parse_business_name(returned.name)
    if named is None:
        return None
    return queries.sent_by_facts(
        number=named.number,
        decided_on=named.decided_on,
        nature=Nature.of_abbreviation(named.nature),
        sent=returned.sent(),
    )


def _digest(ours: Transaction) -> str:
    return ours.answers.get(kind=Kind.ACKNOWLEDGEMENT).message.sha256


def _tell_acknowledged(ours: Transaction, act: Act, *, at: datetime) -> None:
    next_step = (
        f"Il est exécutoire depuis le {act.enforceable_on:%d/%m/%Y}."
        if act.enforceable_on
        else "Indiquez sa date de publication : il deviendra exécutoire."
    )
    _tell(
        ours,
        "acknowledged",
        f"L’acte {act.number} est acquitté",
        f"La préfecture a reçu le {act.received_on:%d/%m/%Y} l’acte « {act.objet} ». {next_step}",
        at=at,
    )


def _tell_anomaly(ours: Transaction, nature: str, detail: str, *, at: datetime) -> None:
    act, what = ours.act, "L’annulation de l’acte" if ours.kind == Kind.CANCELLATION else "L’acte"
    hint = explanations.of(nature, detail).sentence
    _tell(
        ours,
        "anomaly",
        f"{what} {act.number} est refusé{'e' if ours.kind == Kind.CANCELLATION else ''}"
        " par la préfecture",
        f"« {act.objet} » : {detail or 'sans précision de la préfecture.'} {hint}",
        at=at,
    )


def _tell(ours: Transaction, what: str, subject: str, body: str, *, at: datetime) -> None:
    notify(
        ours.act,
        ours.asked_by,
        key=f"actes.{what}:{ours.pk}",
        subject=subject,
        body=body,
        at=at,
    )
