"""What waits for an account at S²LOW: answers to our transactions, letters, PES retour."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from socle.core import sweeps
from socle.delivery.adapters import Return
from socle.directory.models import Protocol
from socle.s2low import actions, policies, queries, sending
from socle.s2low.client import S2lowClient, Unreachable
from socle.s2low.models import S2lowAccount, S2lowTransaction, What
from socle.s2low.protocol import returns
from socle.s2low.protocol.answers import ActeState, Letter, Retour
from socle.s2low.protocol.outcomes import AccountFault, Forbidden, NotAnAnswer, Refused
from socle.s2low.protocol.statuses import (
    ACTE_ANSWERED,
    FLOW_ANSWERED,
    HELD_UP,
    ActeStatus,
    HeliosStatus,
    LetterType,
    acte_label,
    flow_label,
)

log = logging.getLogger(__name__)
TRANSACTION: Final = "tr"
LETTER: Final = "letter"
RETOUR: Final = "retour"
Listed = TypeVar("Listed", Letter, Retour)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One return and its bytes, already known to be what they should be."""

    announced: Return
    content: bytes


def poll(account: S2lowAccount, client: S2lowClient, *, at: datetime) -> Iterator[Waiting]:
    """What waits for one account. One answer that cannot be read does not hide the others.

    Raises Unreachable when the conversation breaks off and AccountFault when S²LOW no longer lets
    the account in: there is no use in asking on.
    """
    for row in queries.due(account, at=at):
        if (found := _asked_about(row, client, at=at)) is not None:
            yield found
    if policies.is_past(account.listed_at, policies.LIST_EVERY, at=at):
        yield from _listed(account, client)
        actions.note_listed(account, at=at)


def _asked_about(row: S2lowTransaction, client: S2lowClient, *, at: datetime) -> Waiting | None:
    ask = _flow if row.what == What.FLOW else _acte
    try:
        return ask(row, client, at)
    except (NotAnAnswer, Refused) as fault:
        if _ends_the_round(fault):
            actions.note_poll(row, at=at, problem=str(fault))
            raise
        actions.note_poll(row, at=at, problem=f"S²LOW : {fault}" if row.number else row.problem)
    except sweeps.PASSING:
        raise
    except Exception as fault:  # what a strange answer does, it does to its own transaction
        log.exception("%s: not asked about", row)
        actions.note_poll(row, at=at, problem=sweeps.cause(fault))
    return None


def _ends_the_round(fault: Exception) -> bool:
    """Whether an account need not be asked on: nobody answers, or it is not let in at all.

    One transaction, or one module, that is not its own says nothing of the others.
    """
    return isinstance(fault, (Unreachable, AccountFault)) and not isinstance(fault, Forbidden)


# @CTES


def _acte(row: S2lowTransaction, client: S2lowClient, at: datetime) -> Waiting | None:
    state = _acte_state(row, client)
    if state is None:
        actions.note_poll(row, at=at, problem=row.problem)
        return None
    if state.status == ActeStatus.TRANSMITTED and returns.is_final_once_sent(row.message_name):
        actions.settle(transaction_id=row.pk, at=at)
        return None
    found = _acte_answer(row, state, client)
    problem = "" if state.status in set(ActeStatus) else f"{acte_label(state.status)}."
    if found is None and state.status in HELD_UP:
        problem = HELD_UP[ActeStatus(state.status)]
    actions.note_poll(row, at=at, status=state.status, problem=problem)
    return found


def _acte_state(row: S2lowTransaction, client: S2lowClient) -> ActeState | None:
    """The state of a transaction; None while an unnumbered one cannot be found."""
    if not row.number and row.what == What.CLASSIFICATION:
        return ActeState(ActeStatus.ACKNOWLEDGED, b"", b"")
    if not row.number and (number := sending.look_up(row, client).number):
        actions.number(row, number)
    if row.number:
        return client.status(row.number)
    return client.status_of(row.identifier) if row.what == What.ACTE else None


def _acte_answer(row: S2lowTransaction, state: ActeState, client: S2lowClient) -> Waiting | None:
    if state.status == ActeStatus.ERROR:
        archive = returns.anomaly_archive(state.reason, state.raw, _sent(row))
        return _waiting(row, f"anomalie-{row.pk}.tar.gz", archive)
    if state.status not in ACTE_ANSWERED:
        return None
    if row.what == What.CLASSIFICATION:
        return _classification(row, state, client)
    if row.what == What.REPLY:
        name, content = returns.reply_receipt(state.content, message_name=row.message_name)
        return _waiting(row, name, content)
    return _acknowledgement(row, state, client)


def _acknowledgement(row: S2lowTransaction, state: ActeState, client: S2lowClient) -> Waiting:
    """The AR that came with the state, else asked for by itself (after an act was cancelled)."""
    cancellation = row.what == What.CANCELLATION
    raw = state.content
    if not returns.is_acknowledgement(raw, cancellation=cancellation) and row.number:
        raw = client.acknowledgement(row.number)
    content = returns.check_acknowledgement(
        raw, identifier=row.identifier, cancellation=cancellation
    )
    name = returns.acknowledgement_name(row.identifier, cancellation=cancellation)
    return _waiting(row, name, content)


def _classification(row: S2lowTransaction, state: ActeState, client: S2lowClient) -> Waiting:
    name = row.message_name.replace("-7-1_", "-7-2_")
    raw = state.raw or f"{row.name}\n".encode()
    archive = returns.classification_archive(client.classification(), raw, name=name)
    return _waiting(row, f"classification-{row.pk}.tar.gz", archive)


def _sent(row: S2lowTransaction) -> returns.Sent:
    return returns.Sent(
        envelope_name=row.envelope_name,
        message_name=row.message_name,
        number=row.act_number,
        decided_on=row.decided_on if row.what == What.ACTE else None,
        nature=row.nature or 0,
    )


# HELIOS


def _flow(row: S2lowTransaction, client: S2lowClient, at: datetime) -> Waiting | None:
    if not row.number:
        actions.note_poll(row, at=at, problem=row.problem)
        return None
    state = client.flow_status(row.number)
    if state.status == HeliosStatus.ERROR:
        actions.refuse_late(row, f"S²LOW a refusé ce flux : {state.reason}", at=at)
        return None
    found = None
    if state.status in FLOW_ANSWERED:
        found = _waiting(row, f"acquit-s2low-{row.number}.xml", client.acquit(row.number))
    problem = "" if state.status in set(HeliosStatus) else f"{flow_label(state.status)}."
    if found is None and state.status in HELD_UP:
        problem = HELD_UP[HeliosStatus(state.status)]
    actions.note_poll(row, at=at, status=state.status, problem=problem)
    return found


def _waiting(row: S2lowTransaction, name: str, content: bytes) -> Waiting:
    return Waiting(Return(f"{TRANSACTION}-{row.pk}", row.protocol, name), content)


# What comes unasked


def _listed(account: S2lowAccount, client: S2lowClient) -> Iterator[Waiting]:
    """Letters and PES retour; an account without one of the two modules still has the other."""
    faults: dict[str, Exception] = {}
    for name, source in (("courriers", _letters), ("PES retour", _retours)):
        try:
            yield from source(account, client)
        except Forbidden:
            continue
        except (Unreachable, AccountFault):
            raise
        except (NotAnAnswer, Refused) as fault:
            faults[name] = fault
    told = {name: f"S²LOW : {fault}" for name, fault in faults.items()}
    sweeps.tell(f"Listes de S²LOW à relire ({account})", told)
    if len(faults) > 1:
        raise NotAnAnswer(str(faults["PES retour"]))


def _letters(account: S2lowAccount, client: S2lowClient) -> Iterator[Waiting]:
    """What is in a letter is looked at by the corridor: a damaged one is kept, and on its desk."""
    received = list(filter(_is_received, client.letters()))
    what = f"Courriers de la préfecture à prendre sur S²LOW ({account})"
    for letter, content in _taken(what, received, lambda letter: client.letter(letter.id)):
        name = f"courrier-s2low-{letter.id}.tar.gz"
        key = f"{LETTER}-{account.pk}-{letter.id}"
        yield Waiting(Return(key, Protocol.ACTES, name), content)


def _is_received(letter: Letter) -> bool:
    """Whether a simple letter is one: older versions list others among them."""
    return letter.type != LetterType.SIMPLE or letter.last_status == ActeStatus.LETTER_WITHOUT_AR


def _retours(account: S2lowAccount, client: S2lowClient) -> Iterator[Waiting]:
    what = f"PES retour à prendre sur S²LOW ({account})"
    for retour, content in _taken(what, client.retours(), lambda one: client.retour(one.id)):
        key = f"{RETOUR}-{account.pk}-{retour.id}"
        yield Waiting(Return(key, Protocol.HELIOS, retour.name[:200] or f"{key}.xml"), content)


def _taken(
    what: str, listed: list[Listed], take: Callable[[Listed], bytes]
) -> Iterator[tuple[Listed, bytes]]:
    """Each thing that could be taken, one at a time; what cannot be is told, and asked for again.

    Raises what ends the round of the account.
    """
    failed: dict[str, str] = {}
    for one in listed:
        try:
            content = take(one)
        except sweeps.PASSING:
            raise
        except Exception as fault:
            if _ends_the_round(fault):
                raise
            log.warning("%s: %s not taken (%s)", what, one.id, fault, exc_info=True)
            failed[one.id] = f"S²LOW : {fault}" if isinstance(fault, _SAID) else sweeps.cause(fault)
            continue
        yield one, content
    sweeps.tell(what, failed)


_SAID: Final = (NotAnAnswer, Refused)


def settle(external_id: str, clients: dict[int, S2lowClient], *, at: datetime) -> None:
    """Write, or tell S²LOW, that a return is kept. `clients` are those of the accounts by key."""
    kind, key, *rest = external_id.split("-")
    if kind == TRANSACTION:
        actions.settle(transaction_id=int(key), at=at)
    elif kind == LETTER:
        clients[int(key)].mark_letter_read(rest[0])
    else:
        clients[int(key)].mark_retour_read(rest[0])
