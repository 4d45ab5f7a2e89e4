"""What the page of a letter shows: its papers, the legal clock, the answers, the next step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from socle.actes import policies
from socle.actes.models import Answer, Kind, Letter, LetterFile, LetterState
from socle.actes.page import NextStep
from socle.core.clock import legal_date
from socle.web.items import Event


@dataclass(frozen=True, slots=True)
class Case:
    """Everything around one letter. `days` counts from the day it reached us."""

    files: Sequence[LetterFile]
    answers: Sequence[Answer]
    live: Answer | None
    days: int
    control_ends: date | None
    control_left: int
    possible: Sequence[tuple[Kind, str]]
    next_step: NextStep
    history: Sequence[Event]


def of(letter: Letter, *, at: datetime) -> Case:
    """The case of one letter, as it stands at `at`."""
    answers = list(
        letter.answers.select_related("message").prefetch_related("files__stored").order_by("pk")
    )
    act, today = letter.act, legal_date(at)
    ends = policies.control_ends(act.received_on, act.nature or 0) if act.received_on else None
    return Case(
        files=list(letter.files.select_related("stored")),
        answers=answers,
        live=next((one for one in answers if one.dropped_at is None), None),
        days=(today - legal_date(letter.received_at)).days,
        control_ends=ends,
        control_left=policies.days_left(ends, today=today) if ends else 0,
        possible=[
            (kind, _BUTTONS[kind]) for kind in policies.possible_answers(letter.kind, letter.state)
        ],
        next_step=_next_step(letter),
        history=sorted(_history(letter, answers), key=lambda event: event.at, reverse=True),
    )


def _next_step(letter: Letter) -> NextStep:
    if letter.kind == Kind.COURT_REFERRAL:
        return _REFERRED
    if letter.state in policies.AWAITING_ANSWER - {LetterState.ANSWER_READY}:
        return _TO_ANSWER[Kind(letter.kind)]
    if letter.state == LetterState.RECEIVED:
        return _FREE
    return _STEPS[LetterState(letter.state)]


def _history(letter: Letter, answers: Sequence[Answer]) -> Iterator[Event]:
    yield Event(at=letter.received_at, label="Reçu de la préfecture")
    if letter.receipt and letter.receipt.sent_at:
        yield Event(at=letter.receipt.sent_at, label="Accusé de réception envoyé automatiquement")
    if letter.read_at:
        yield Event(at=letter.read_at, label="Lu", who=letter.read_by_label)
    for answer in answers:
        yield from _history_of(answer)


def _history_of(answer: Answer) -> Iterator[Event]:
    what = answer.get_kind_display()
    yield Event(
        at=answer.prepared_at, label=f"Réponse préparée : {what}", who=answer.prepared_by_label
    )
    if answer.message and answer.message.sent_at:
        yield Event(
            at=answer.message.sent_at, label=f"{what} : remis à l’opérateur", tone="progress"
        )
    if answer.message and answer.message.received_on and answer.message.answered_at:
        yield Event(
            at=answer.message.answered_at,
            label=f"{what} : reçu en préfecture le {answer.message.received_on:%d/%m/%Y}",
            tone="success",
        )
    if answer.dropped_at:
        refused = answer.message is not None
        label = f"{what} : refusé par la préfecture" if refused else f"{what} : abandonné"
        yield Event(at=answer.dropped_at, label=label, tone="danger" if refused else "neutral")


_BUTTONS = {
    Kind.LETTER_ANSWER: "Répondre",
    Kind.PIECES_SENT: "Envoyer les pièces",
    Kind.PIECES_REFUSED: "Refuser de les envoyer",
    Kind.OBSERVATIONS_ANSWERED: "Répondre",
    Kind.OBSERVATIONS_REJECTED: "Rejeter les observations",
}
_REFERRED = NextStep(
    "danger",
    "Cet acte est déféré au tribunal administratif",
    "Prévenez le maire sans attendre et gardez ces documents : la défense se présente au tribunal, "
    "pas par @CTES. L’acte reste exécutoire tant que le juge ne l’a pas suspendu.",
)
_FREE = NextStep(
    "info",
    "La préfecture vous écrit",
    "Ce courrier n’oblige pas à répondre ; vous le pouvez depuis cette page.",
)
_TO_ANSWER = {
    Kind.PIECES_REQUEST: NextStep(
        "warning",
        "La préfecture attend des pièces",
        "Joignez les pièces demandées, ou dites pourquoi vous ne les envoyez pas.",
    ),
    Kind.OBSERVATIONS: NextStep(
        "warning",
        "La préfecture attend votre réponse à ses observations",
        "Dites ce que la commune va faire de l’acte, ou pourquoi elle le maintient.",
    ),
}
_STEPS = {
    LetterState.ANSWER_READY: NextStep(
        "info",
        "La réponse est préparée, elle n’est pas partie",
        "Relisez-la : une personne qui a le droit de télétransmettre l’envoie depuis cette page.",
    ),
    LetterState.ANSWER_LEAVING: NextStep(
        "info", "La réponse est en cours d’envoi", "Elle part dans la minute."
    ),
    LetterState.ANSWER_SENT: NextStep(
        "success",
        "La réponse est transmise",
        "Vous n’avez plus rien à faire ; un courriel vous préviendra si la préfecture en accuse "
        "réception.",
    ),
    LetterState.ANSWERED: NextStep(
        "success", "La préfecture a votre réponse", "Vous n’avez plus rien à faire."
    ),
}
