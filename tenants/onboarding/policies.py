"""What may happen to a case and to its papers. No query, no clock, no HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Protocol

from socle.core.refusals import Refusal
from tenants.onboarding import guards
from tenants.onboarding.guards import Facts, Missing
from tenants.onboarding.models import CaseState, ConventionState, Route
from tenants.onboarding.steps import BY_CODE, TO_OWNER, Owner

_BEFORE_SIGNATURES: Final = frozenset(
    {
        CaseState.IN_PROGRESS,
        CaseState.AWAITING_SIGNATURE,
        CaseState.AWAITING_STATE,
        CaseState.READY,
        CaseState.LIVE,
        CaseState.SUSPENDED,
        CaseState.CLOSED,
    }
)
_SIGNED: Final = frozenset({CaseState.READY, CaseState.LIVE, CaseState.SUSPENDED, CaseState.CLOSED})
# A refresh may find that several things happened since the last one: a case may skip states, but
# never comes back to the draft, nor before a convention signed by both.
TRANSITIONS: Final[dict[CaseState, frozenset[CaseState]]] = {
    CaseState.DRAFT: _BEFORE_SIGNATURES,
    CaseState.IN_PROGRESS: _BEFORE_SIGNATURES - {CaseState.IN_PROGRESS},
    CaseState.AWAITING_SIGNATURE: _BEFORE_SIGNATURES - {CaseState.AWAITING_SIGNATURE},
    CaseState.AWAITING_STATE: _BEFORE_SIGNATURES - {CaseState.AWAITING_STATE},
    CaseState.READY: _SIGNED - {CaseState.READY},
    CaseState.LIVE: _SIGNED - {CaseState.LIVE},
    CaseState.SUSPENDED: _SIGNED - {CaseState.SUSPENDED},
    CaseState.CLOSED: frozenset(),
}
CONVENTION_TRANSITIONS: Final[dict[ConventionState, frozenset[ConventionState]]] = {
    ConventionState.TO_PREPARE: frozenset({ConventionState.GENERATED}),
    ConventionState.GENERATED: frozenset(
        {ConventionState.GENERATED, ConventionState.SIGNED_BY_COLLECTIVITE}
    ),
    ConventionState.SIGNED_BY_COLLECTIVITE: frozenset(
        {ConventionState.SENT_TO_PREFECTURE, ConventionState.GENERATED}
    ),
    ConventionState.SENT_TO_PREFECTURE: frozenset(
        {ConventionState.SIGNED_BY_PREFET, ConventionState.GENERATED}
    ),
    ConventionState.SIGNED_BY_PREFET: frozenset({ConventionState.COPY_RECEIVED}),
    ConventionState.COPY_RECEIVED: frozenset(
        {
            ConventionState.COPY_SENT_TO_OPERATOR,
            ConventionState.SUSPENDED,
            ConventionState.RENOUNCED,
        }
    ),
    ConventionState.COPY_SENT_TO_OPERATOR: frozenset(
        {ConventionState.ACTIVE, ConventionState.SUSPENDED, ConventionState.RENOUNCED}
    ),
    ConventionState.ACTIVE: frozenset({ConventionState.SUSPENDED, ConventionState.RENOUNCED}),
    ConventionState.SUSPENDED: frozenset(
        {
            ConventionState.COPY_RECEIVED,
            ConventionState.COPY_SENT_TO_OPERATOR,
            ConventionState.ACTIVE,
            ConventionState.RENOUNCED,
        }
    ),
    ConventionState.RENOUNCED: frozenset(),
}
IN_FORCE: Final = frozenset(
    {
        ConventionState.COPY_RECEIVED,
        ConventionState.COPY_SENT_TO_OPERATOR,
        ConventionState.ACTIVE,
    }
)
THRESHOLD: Final = Decimal(60_000)
"""Euros HT below which services are bought without publicity (décret 2025-1386, 1 April 2026)."""


class ForbiddenTransition(Refusal):
    """The paper or the case is not in a state that allows this."""

    code = "onboarding.forbidden_transition"


class OutOfTurn(Refusal):
    """A step is forced before those it waits for."""

    code = "onboarding.out_of_turn"


class SecondCase(Refusal):
    """The body has an open case already."""

    code = "onboarding.second_case"


class CaseClosed(Refusal):
    """Nothing more happens in a closed case."""

    code = "onboarding.case_closed"


class VotesDoNotAddUp(Refusal):
    """Members, voters and votes contradict each other."""

    code = "onboarding.votes"


class WrongDate(Refusal):
    """A date contradicts another one."""

    code = "onboarding.date"


class AlreadySigned(Refusal):
    """The paper bears a signature: it cannot be written again."""

    code = "onboarding.already_signed"


class NotHomologated(Refusal):
    """The operator has no valid homologation on that day (CGCT R2131-2-A)."""

    code = "onboarding.not_homologated"


class AboveThreshold(Refusal):
    """The price wants publicity and competition."""

    code = "onboarding.above_threshold"


class NotDated(Refusal):
    """The step is completed by facts, never by hand."""

    code = "onboarding.not_dated"


class NotOptional(Refusal):
    """The step cannot be set aside."""

    code = "onboarding.not_optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of an assembly, as its minutes tell it; None is « not known yet »."""

    session_on: date | None
    convened_on: date | None
    second_convocation: bool
    in_office: int | None
    present: int | None
    represented: int | None
    voting: int | None
    votes_for: int | None
    votes_against: int | None
    abstentions: int | None


def check_transition(before: CaseState, to: CaseState) -> None:
    """Refuse to bring a case from one state to another that does not follow it."""
    if to not in TRANSITIONS[before]:
        raise ForbiddenTransition(
            f"Le dossier est à l’état « {before.label} » : il ne peut pas passer à l’état "
            f"« {to.label} »."
        )


def check_convention(before: str, to: ConventionState) -> None:
    """Refuse to bring a convention to a state that does not follow its current one."""
    current = ConventionState(before)
    if to not in CONVENTION_TRANSITIONS[current]:
        raise ForbiddenTransition(
            f"La convention est à l’état « {current.label} » : elle ne peut pas passer à l’état "
            f"« {to.label} », rechargez la page pour voir l’étape suivante."
        )


def state_of(facts: Facts, before: CaseState) -> CaseState:
    """The state of an open case, from the facts; a case never goes back to the draft.

    Live means: convention in force, first AR received, one valid certificate, one trained agent.
    """
    if facts.convention_state == ConventionState.SUSPENDED:
        return CaseState.SUSPENDED
    if not guards.missing("A4", facts):
        return CaseState.LIVE if _is_live(facts) else CaseState.READY
    if facts.convention_state in {
        ConventionState.SENT_TO_PREFECTURE,
        ConventionState.SIGNED_BY_PREFET,
    }:
        return CaseState.AWAITING_STATE
    if _awaits_signature(facts):
        return CaseState.AWAITING_SIGNATURE
    draft = before is CaseState.DRAFT and guards.missing("A0", facts)
    return CaseState.DRAFT if draft else CaseState.IN_PROGRESS


def _is_live(facts: Facts) -> bool:
    started = facts.starts_on is not None and facts.starts_on <= facts.today
    in_force = facts.convention_state in IN_FORCE and started
    return in_force and facts.first_ar and facts.certificate_valid and facts.trained


def _awaits_signature(facts: Facts) -> bool:
    contract_signed = facts.contract_signed_by_commune_on and facts.contract_copy
    return (
        (facts.deliberation_generated and not facts.deliberation_copy)
        or (facts.contract_generated and not contract_signed)
        or facts.convention_state == ConventionState.GENERATED
    )


def check_turn(code: str, facts: Facts) -> None:
    """Refuse to work at a step before those it waits for, naming the first one and what it lacks.

    Raises OutOfTurn.
    """
    waiting = guards.waits_for(code, facts)
    if not waiting:
        return
    first = waiting[0]
    raise OutOfTurn(
        f"L’étape « {BY_CODE[code].label} » attend l’étape « {first.label} » : "
        f"{enumerate_missing(guards.missing(first.code, facts))}."
    )


def enumerate_missing(missing: Iterable[Missing]) -> str:
    """« il manque le SIRET et l’adresse, c’est au syndicat d’agir »: one group for each owner."""
    by_owner: dict[Owner, list[str]] = {}
    for one in missing:
        by_owner.setdefault(one.owner, []).append(one.what)
    return " ; ".join(
        f"il manque {_listed(whats)}, c’est {TO_OWNER[owner]} d’agir"
        for owner, whats in by_owner.items()
    )


def _listed(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} et {last}" if others else last


def check_session(session: Session, *, today: date) -> None:
    """Refuse a session whose dates or votes contradict each other.

    CGCT L2121-11 (one clear day between convocation and session, even in an emergency), L2121-17
    (quorum: more than half of the members in office are present, but for a second convocation),
    L2121-20 (votes). Raises WrongDate or VotesDoNotAddUp.
    """
    _check_convocation(session)
    if session.votes_for is None or session.session_on is None:
        return
    if session.session_on > today:
        raise WrongDate(
            f"La séance du {session.session_on:%d/%m/%Y} n’a pas encore eu lieu : laissez les "
            "votes vides jusque-là.",
            field="session_on",
        )
    _check_members(session)
    _check_votes(session)


def _check_convocation(session: Session) -> None:
    if session.convened_on is None or session.session_on is None:
        return
    if session.session_on - session.convened_on < timedelta(days=2):
        raise WrongDate(
            f"La convocation du {session.convened_on:%d/%m/%Y} est trop proche de la séance du "
            f"{session.session_on:%d/%m/%Y} : un jour franc au moins les sépare, même en urgence.",
            field="convened_on",
        )


def _check_members(session: Session) -> None:
    in_office, present = session.in_office or 0, session.present or 0
    represented, voting = session.represented or 0, session.voting or 0
    if present + represented > in_office:
        raise VotesDoNotAddUp(
            f"{present} présents et {represented} représentés font plus que les {in_office} "
            "membres en exercice : corrigez l’un de ces nombres.",
            field="present",
        )
    if 2 * present <= in_office and not session.second_convocation:
        raise VotesDoNotAddUp(
            f"Le quorum n’est pas atteint : {present} présents pour {in_office} membres en "
            "exercice ; corrigez, ou indiquez qu’il s’agit d’une seconde convocation.",
            field="present",
        )
    if voting > present + represented:
        raise VotesDoNotAddUp(
            f"{voting} votants sont plus que les {present + represented} membres présents ou "
            "représentés : corrigez le nombre de votants.",
            field="voting",
        )


def _check_votes(session: Session) -> None:
    voting = session.voting or 0
    votes_for, against = session.votes_for or 0, session.votes_against or 0
    cast = votes_for + against + (session.abstentions or 0)
    if cast != voting:
        raise VotesDoNotAddUp(
            f"Les votes ne tombent pas juste : {cast} voix et abstentions pour {voting} votants ; "
            "corrigez les voix ou le nombre de votants.",
            field="votes_for",
        )
    if votes_for < against or votes_for == 0:
        raise VotesDoNotAddUp(
            f"La délibération n’est pas adoptée ({votes_for} voix pour, {against} contre) : le "
            "raccordement ne peut pas s’appuyer sur elle.",
            field="votes_for",
        )


def check_not_before(
    day: date, *, what: str, earliest: date | None, event: str, field: str
) -> None:
    """Refuse that `what` (« La signature de la convention ») happens before `event`.

    « La signature de la convention est datée du 3 mars, avant la délibération du 5 mars ».
    Raises WrongDate.
    """
    if earliest is not None and day < earliest:
        raise WrongDate(
            f"{what} ne peut pas être au {day:%d/%m/%Y}, avant {event} ({earliest:%d/%m/%Y}) : "
            "corrigez la date.",
            field=field,
        )


def check_not_future(day: date, *, today: date, field: str) -> None:
    """Refuse to record as done what is dated after today. Raises WrongDate."""
    if day > today:
        raise WrongDate(
            f"La date du {day:%d/%m/%Y} n’est pas encore venue : enregistrez-la le jour dit.",
            field=field,
        )


def check_start(starts_on: date, signatures: Iterable[date | None]) -> None:
    """Refuse a start before the last signature. Raises WrongDate."""
    last = max((day for day in signatures if day is not None), default=None)
    check_not_before(
        starts_on,
        what="La date de début",
        earliest=last,
        event="la dernière signature",
        field="starts_on",
    )


class Operator(Protocol):
    """The facts of an operator that the rule looks at."""

    name: str
    is_exercise: bool
    homologation: str
    homologated_on: date | None
    homologated_until: date | None


def check_operator(operator: Operator, *, on: date) -> None:
    """Refuse an operator that is not homologated on that day; the exercise one needs it not.

    Source: CGCT R2131-2-A. Raises NotHomologated.
    """
    since, until = operator.homologated_on, operator.homologated_until
    valid = bool(operator.homologation) and since is not None and since <= on
    if not operator.is_exercise and not (valid and (until is None or on <= until)):
        raise NotHomologated(
            f"L’opérateur « {operator.name} » n’a pas d’homologation valable au {on:%d/%m/%Y} : "
            "complétez sa fiche ou choisissez-en un autre.",
            field="operator",
        )


def check_route(*, kind: str, amount: Decimal | None) -> None:
    """Refuse a contract without competition above the threshold. Raises AboveThreshold."""
    if kind == Route.DIRECT and amount is not None and amount >= THRESHOLD:
        raise AboveThreshold(
            "À partir de 60 000 € HT, un marché ne se passe plus sans publicité ni mise en "
            "concurrence : choisissez la procédure adaptée.",
            field="kind",
        )


def check_unsigned(signed: object, *, what: str) -> None:
    """Refuse to write again a paper that bears a signature. Raises AlreadySigned."""
    if signed:
        raise AlreadySigned(
            f"{what} porte déjà une signature : ce qui a été signé ne se réécrit pas."
        )


def check_signable(missing: Iterable[Missing], *, what: str) -> None:
    """Refuse to take the signed copy of a paper that is not complete. Raises OutOfTurn."""
    found = list(missing)
    if found:
        raise OutOfTurn(f"{what} n’est pas complète : {enumerate_missing(found)}.")


def check_budget_scope(*, natures: Iterable[str], scope: Iterable[str]) -> None:
    """Refuse a convention on budget documents that the délibération does not cover.

    Raises OutOfTurn.
    """
    if "5" in natures and "budget" not in scope:
        raise OutOfTurn(
            "La délibération ne couvre pas les documents budgétaires : retirez cette nature de la "
            "convention, ou faites délibérer la collectivité de nouveau.",
            field="natures",
        )


def check_dated(code: str, note: str) -> None:
    """Refuse to date by hand a step that facts complete, or without what it must say.

    Raises NotDated.
    """
    step = BY_CODE[code]
    if not step.dated:
        raise NotDated(
            f"L’étape « {step.label} » se termine d’elle-même quand les faits sont là : elle ne se "
            "coche pas."
        )
    if code in {"B1", "P1"} and not note:
        raise NotDated(f"Précisez l’étape « {step.label} » en quelques mots.", field="note")


def check_optional(code: str) -> None:
    """Refuse to set aside a step nobody can do without. Raises NotOptional."""
    step = BY_CODE[code]
    if not step.optional:
        raise NotOptional(f"L’étape « {step.label} » est nécessaire à tout raccordement.")
