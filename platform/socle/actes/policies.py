"""What may happen to an act and to its messages, whoever asks. No query, no clock, no HTTP."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from socle.actes.models import (
    Act,
    ActFile,
    ActState,
    FileRole,
    Kind,
    LetterState,
    SaeState,
    TransactionState,
)
from socle.actes.protocol import letters as norm
from socle.actes.protocol import rules
from socle.actes.protocol.classification import UnknownMatiere, parse_matiere
from socle.actes.protocol.codes import FileKind, MessageType, Nature
from socle.actes.protocol.values import ActeData
from socle.core.clock import add_working_days
from socle.core.names import safe_name
from socle.core.refusals import Refusal
from socle.core.text import fold
from socle.delivery.handlers import AlreadyAnswered
from socle.delivery.models import OutboundState
from socle.documents.signatures import Signature
from socle.documents.sniff import Kind as ContentKind

REQUEST_ENDS: Final = timedelta(days=7)
"""Age from which a request for the classification nobody answered is asked again."""
_NOTHING_BEFORE: Final = date(2000, 1, 1)
_CLOCKS_DIFFER: Final = timedelta(days=1)
_WORD: Final = re.compile(r"[A-Za-z0-9]+", re.ASCII)


def date_doubt(received_on: date, *, decided_on: date | None, today: date) -> str:
    """Why a date of reception cannot be right, in one sentence; "" when it can."""
    if received_on < _NOTHING_BEFORE:
        return f"La date de réception ({received_on:%d/%m}/{received_on.year:04}) est impossible."
    if received_on > today + _CLOCKS_DIFFER:
        return f"La date de réception ({received_on:%d/%m/%Y}) est à venir."
    if decided_on is not None and received_on < decided_on:
        return (
            f"La date de réception ({received_on:%d/%m/%Y}) précède la décision "
            f"({decided_on:%d/%m/%Y})."
        )
    return ""


def echo_doubt(echo: ActeData | None, act: Act) -> str:
    """Why what a message repeats of an act is not that act, in one sentence; "" when it is.

    What it does not repeat says nothing; accents are left aside, they get lost on the way.
    """
    if echo is None:
        return ""
    differs = [
        what
        for what, told, kept in (
            ("le numéro", echo.number, act.number),
            ("la date", echo.decided_on, act.decided_on),
            ("la nature", echo.nature, act.nature),
        )
        if told and told != kept
    ]
    said, ours = _words(echo.objet), _words(act.objet)
    if not (said <= ours or ours <= said):  # some cut it short
        differs.append("l’objet")
    if not differs:
        return ""
    return f"La préfecture nomme un autre acte que le nôtre : {', '.join(differs)} diffère."


def _words(text: str) -> set[str]:
    """The words without accents of a text."""
    return {word for word in re.split(r"[^\w]+", text.casefold()) if _WORD.fullmatch(word)}


# Only an anomaly may still become an acknowledgement; an acknowledgement is never undone.
TRANSITIONS: Final[dict[TransactionState, frozenset[TransactionState]]] = {
    TransactionState.QUEUED: frozenset(
        {
            TransactionState.SENT,
            TransactionState.REFUSED,
            TransactionState.ANOMALY,
            TransactionState.ACKNOWLEDGED,
        }
    ),
    TransactionState.SENT: frozenset({TransactionState.ANOMALY, TransactionState.ACKNOWLEDGED}),
    TransactionState.REFUSED: frozenset(
        {TransactionState.SENT, TransactionState.ANOMALY, TransactionState.ACKNOWLEDGED}
    ),
    TransactionState.ANOMALY: frozenset({TransactionState.ACKNOWLEDGED}),
    TransactionState.ACKNOWLEDGED: frozenset(),
    TransactionState.RECEIVED: frozenset(),
}

ACT_STATES: Final[dict[tuple[Kind, TransactionState], ActState]] = {
    (Kind.ACTE, TransactionState.QUEUED): ActState.QUEUED,
    (Kind.ACTE, TransactionState.SENT): ActState.SENT,
    (Kind.ACTE, TransactionState.REFUSED): ActState.REFUSED,
    (Kind.ACTE, TransactionState.ANOMALY): ActState.ANOMALY,
    (Kind.ACTE, TransactionState.ACKNOWLEDGED): ActState.ACKNOWLEDGED,
    (Kind.CANCELLATION, TransactionState.QUEUED): ActState.CANCELLING,
    (Kind.CANCELLATION, TransactionState.SENT): ActState.CANCELLING,
    (Kind.CANCELLATION, TransactionState.REFUSED): ActState.CANCELLING,
    (Kind.CANCELLATION, TransactionState.ANOMALY): ActState.ACKNOWLEDGED,
    (Kind.CANCELLATION, TransactionState.ACKNOWLEDGED): ActState.CANCELLED,
}

TONES: Final[dict[ActState, str]] = {
    ActState.DRAFT: "neutral",
    ActState.WAITING: "progress",
    ActState.QUEUED: "progress",
    ActState.SENT: "progress",
    ActState.REFUSED: "warning",
    ActState.ANOMALY: "danger",
    ActState.ACKNOWLEDGED: "success",
    ActState.CANCELLING: "progress",
    ActState.CANCELLED: "neutral",
}

# An answer that is given up or refused puts the letter back where it was before it; the State may
# still acknowledge it after that.
LETTER_TRANSITIONS: Final[dict[LetterState, frozenset[LetterState]]] = {
    LetterState.RECEIVED: frozenset({LetterState.ANSWER_READY}),
    LetterState.RECEIPT_DUE: frozenset(
        {LetterState.RECEIPT_SENT, LetterState.ANSWER_READY, LetterState.ANSWERED}
    ),
    LetterState.RECEIPT_SENT: frozenset({LetterState.ANSWER_READY, LetterState.ANSWERED}),
    LetterState.ANSWER_READY: frozenset(
        {
            LetterState.ANSWER_LEAVING,
            LetterState.RECEIVED,
            LetterState.RECEIPT_DUE,
            LetterState.RECEIPT_SENT,
        }
    ),
    LetterState.ANSWER_LEAVING: frozenset(
        {
            LetterState.ANSWER_SENT,
            LetterState.ANSWERED,
            LetterState.RECEIVED,
            LetterState.RECEIPT_DUE,
            LetterState.RECEIPT_SENT,
        }
    ),
    LetterState.ANSWER_SENT: frozenset(
        {
            LetterState.ANSWERED,
            LetterState.RECEIVED,
            LetterState.RECEIPT_DUE,
            LetterState.RECEIPT_SENT,
        }
    ),
    LetterState.ANSWERED: frozenset(),
}
LETTER_TONES: Final[dict[LetterState, str]] = {
    LetterState.RECEIVED: "neutral",
    LetterState.RECEIPT_DUE: "warning",
    LetterState.RECEIPT_SENT: "warning",
    LetterState.ANSWER_READY: "progress",
    LetterState.ANSWER_LEAVING: "progress",
    LetterState.ANSWER_SENT: "success",
    LetterState.ANSWERED: "success",
}
# A final answer of the archive is never undone; a transfer carried away is no longer given up.
SAE_TRANSITIONS: Final[dict[SaeState, frozenset[SaeState]]] = {
    SaeState.WAITING: frozenset({SaeState.READY, SaeState.FAILED}),
    SaeState.READY: frozenset(
        {SaeState.DROPPED, SaeState.DEPOSITED, SaeState.ACCEPTED, SaeState.REFUSED}
    ),
    SaeState.DEPOSITED: frozenset({SaeState.ACCEPTED, SaeState.REFUSED}),
    SaeState.ACCEPTED: frozenset(),
    SaeState.REFUSED: frozenset(),
    SaeState.FAILED: frozenset(),
    SaeState.DROPPED: frozenset(),
}
SAE_TONES: Final[dict[SaeState, str]] = {
    SaeState.WAITING: "progress",
    SaeState.READY: "warning",
    SaeState.DEPOSITED: "progress",
    SaeState.ACCEPTED: "success",
    SaeState.REFUSED: "danger",
    SaeState.FAILED: "danger",
    SaeState.DROPPED: "neutral",
}
ARCHIVABLE: Final = frozenset({ActState.ACKNOWLEDGED, ActState.CANCELLED})
ARCHIVE_LIMIT: Final = 100
"""Acts in one transfer: a package an archive takes in one evening."""
AWAITING_ANSWER: Final = frozenset(
    {LetterState.RECEIPT_DUE, LetterState.RECEIPT_SENT, LetterState.ANSWER_READY}
)
REMIND_AFTER: Final = timedelta(days=2)
ESCALATE_AT: Final = 4
"""Days after which the syndicat is told of an unread letter; two for a déféré."""

NUMBERLESS: Final = frozenset({ActState.DRAFT, ActState.ANOMALY, ActState.CANCELLED})
PUBLISHABLE: Final = frozenset(
    {ActState.QUEUED, ActState.SENT, ActState.REFUSED, ActState.ACKNOWLEDGED}
)
FILE_KINDS: Final[dict[ContentKind, FileKind]] = {
    ContentKind.PDF: FileKind.PDF,
    ContentKind.XML: FileKind.XML,
    ContentKind.JPEG: FileKind.JPEG,
    ContentKind.PNG: FileKind.PNG,
}
_DAY: Final = timedelta(days=1)
PUBLIC_NATURES: Final = frozenset({Nature.DELIBERATION.value, Nature.REGULATORY.value})
"""Natures that may stand in the public register; an individual act never does."""
POSTED_AT_LEAST: Final = 2
"""Months an act stays in the public register (CGCT R2131-1)."""
BUNDLE_LIMIT: Final = 10_000
BATCH_LIMIT: Final = 200
MARKET: Final = (1, 1)
"""The matière of marchés publics: their documents are signed by suppliers, from anywhere."""
PATIENCE: Final = 2
"""Working days after which the silence of the préfecture is worth a call."""

_YEARLY: Final = re.compile(
    r"(?P<before>[A-Z_]*)(?P<year>20[0-9]{2})(?P<gap>_?)(?P<serial>[0-9]{1,4})"
)


class NotADraft(Refusal):
    """Only a draft can be changed or sent."""

    code = "actes.not_a_draft"


class NumberTaken(Refusal):
    """Another act of the commune bears this number."""

    code = "actes.number_taken"


class NoMainFile(Refusal):
    """A main file is one thing, and there is none."""

    code = "actes.no_main_file"


class UnknownSigner(Refusal):
    """No authority we trust vouches for who signed, and this act is no public contract."""

    code = "actes.unknown_signer"


class CannotCancel(Refusal):
    """Only an acknowledged act can be cancelled, once."""

    code = "actes.cannot_cancel"


class CannotPublish(Refusal):
    """The publication date does not fit the act."""

    code = "actes.cannot_publish"


class CannotCorrect(Refusal):
    """Only an act that was refused is corrected."""

    code = "actes.cannot_correct"


class NoOperator(Refusal):
    """The convention names an operator this deployment does not know."""

    code = "actes.no_operator"


class NothingToSend(AlreadyAnswered):
    """The message has gone already, or was answered."""

    code = "actes.nothing_to_send"


class CannotRetryHere(Refusal):
    """What the operator refused is for the syndicat to look at."""

    code = "actes.cannot_retry_here"


class NotWaiting(Refusal):
    """The act does not wait for the classification."""

    code = "actes.not_waiting"


class CannotAnswer(Refusal):
    """The norm or the state of the letter does not allow this answer."""

    code = "actes.cannot_answer"


class NoAnswerReady(Refusal):
    """There is no prepared answer to send or to give up."""

    code = "actes.no_answer_ready"


class CannotPost(Refusal):
    """The act may not stand in the public register."""

    code = "actes.cannot_post"


class CannotWithdraw(Refusal):
    """The act must stay in the public register for now."""

    code = "actes.cannot_withdraw"


class CannotArchive(Refusal):
    """The act or its transfer is not in a state that allows this."""

    code = "actes.cannot_archive"


class InvalidPattern(Refusal):
    """A pattern of numbers that gives no acceptable number."""

    code = "actes.invalid_pattern"


class BadZip(Refusal):
    """A ZIP that cannot be read, or that no person made by hand."""

    code = "actes.bad_zip"


class TooManyFiles(Refusal):
    """More files than one batch takes."""

    code = "actes.too_many_files"


class BatchLeaving(Refusal):
    """The acts of the batch are being sent."""

    code = "actes.batch_leaving"


class TooManyActs(Refusal):
    """An export of so many acts would not be of use."""

    code = "actes.too_many_acts"


def sources(to: TransactionState) -> list[TransactionState]:
    """The states from which a transaction may become `to`: the guard of the UPDATE."""
    return [before for before, after in TRANSITIONS.items() if to in after]


def act_state(kind: Kind, state: TransactionState) -> ActState | None:
    """The state an act takes when its transaction of this kind is in `state`; None: unchanged."""
    return ACT_STATES.get((kind, state))


def check_draft(state: str) -> None:
    """Refuse to change or send what is no draft any more. Raises NotADraft."""
    if state != ActState.DRAFT:
        raise NotADraft(
            "Cet acte n’est plus un brouillon : il ne peut plus être modifié ni transmis une "
            "seconde fois. Pour le corriger, annulez-le puis déposez-en un nouveau."
        )


def check_cancellable(state: str) -> None:
    """Refuse to cancel an act that is not acknowledged, or twice. Raises CannotCancel."""
    if state in {ActState.CANCELLING, ActState.CANCELLED}:
        raise CannotCancel("L’annulation de cet acte est déjà demandée : il n’y a rien à refaire.")
    if state != ActState.ACKNOWLEDGED:
        raise CannotCancel(
            "Seul un acte acquitté par la préfecture peut être annulé : attendez son accusé de "
            "réception."
        )


def check_publication(state: str, *, decided_on: date | None, on: date | None, today: date) -> None:
    """Refuse a publication before the decision or still to come. Raises CannotPublish."""
    if state not in PUBLISHABLE:
        raise CannotPublish(
            "La date de publication s’indique une fois l’acte transmis, et tant qu’il n’est pas "
            "annulé.",
            field="published_on",
        )
    if on is not None and decided_on is not None and on < decided_on:
        raise CannotPublish(
            f"L’acte n’a pas pu être publié le {on:%d/%m/%Y}, avant d’être décidé le "
            f"{decided_on:%d/%m/%Y} : corrigez la date.",
            field="published_on",
        )
    if on is not None and on > today:
        raise CannotPublish(
            f"La date de publication ({on:%d/%m/%Y}) est dans le futur : indiquez-la le jour venu.",
            field="published_on",
        )


def check_correctable(state: str) -> None:
    """Refuse to correct what was not refused. Raises CannotCorrect."""
    if state != ActState.ANOMALY:
        raise CannotCorrect(
            "Seul un acte refusé par la préfecture se corrige : celui-ci suit son cours."
        )


def check_unsent(state: str) -> None:
    """Refuse to send again what was answered or received. Raises NothingToSend."""
    if state not in {TransactionState.QUEUED, TransactionState.REFUSED}:
        raise NothingToSend("Ce message a déjà été transmis : il ne repart pas.")


def check_retry(state: str) -> None:
    """Refuse a commune what only her syndicat may try again. Raises CannotRetryHere."""
    if state == OutboundState.REFUSED:
        raise CannotRetryHere(
            "L’opérateur n’a pas pris ce fichier : votre syndicat regarde pourquoi avant de le "
            "relancer. Appelez-le si c’est urgent."
        )


def tidy_number(text: str) -> str:
    """What a person types as a number, as the norm writes it: « 2026-017 » → `2026_017`."""
    return re.sub(r"[\s./‐‑–-]+", "_", text.strip().upper())[:60]


def next_number(used: Iterable[str], *, year: int) -> str:
    """A number for the next act of `year`, in the manner of `used` (newest first).

    `2026_016` gives `2026_017`; numbers of earlier years give the manner, never the count.
    """
    known = [found for number in used if (found := _YEARLY.fullmatch(number))]
    if not known:
        return f"{year}_001"
    manner = known[0]
    same = [
        int(found["serial"])
        for found in known
        if (found["before"], found["gap"]) == (manner["before"], manner["gap"])
        and int(found["year"]) == year
    ]
    serial = str(max(same, default=0) + 1).zfill(len(manner["serial"]))
    return f"{manner['before']}{year}{manner['gap']}{serial}"


@dataclass(frozen=True, slots=True)
class Numbering:
    """A pattern of numbers, understood: what stands before and after a count of `digits`."""

    before: str
    after: str
    digits: int

    def write(self, serial: int) -> str:
        """`2026_017` for 17."""
        return f"{self.before}{serial:0{self.digits}d}{self.after}"

    def serials(self, used: Iterable[str]) -> set[int]:
        """The counts already in `used`, numbers of any form."""
        found = re.compile(f"{re.escape(self.before)}([0-9]+){re.escape(self.after)}")
        return {int(one[1]) for number in used if (one := found.fullmatch(number))}

    def next(self, used: Iterable[str]) -> str:
        """The number after the highest one in `used`."""
        return self.write(max(self.serials(used), default=0) + 1)

    def gaps(self, used: Iterable[str]) -> list[str]:
        """The numbers nobody bears between the lowest one in `used` and the highest."""
        serials = self.serials(used)
        between = range(min(serials, default=0), max(serials, default=0))
        return [self.write(one) for one in between if one not in serials]


def numbering(pattern: str, *, year: int) -> Numbering:
    """The numbers `pattern` gives for `year`. AAAA is the year, a run of 2 to 5 # the count.

    Raises InvalidPattern, also when a number would not enter an identifier (15 characters).
    """
    found = _PATTERN.fullmatch(pattern)
    if found is None:
        raise InvalidPattern(
            "Un modèle compte des capitales, des chiffres, des tirets bas, AAAA pour l’année et de "
            "2 à 5 # pour le compteur : par exemple AAAA_### donne 2026_017.",
            field="pattern",
        )
    before, after = (found[part].replace("AAAA", str(year)) for part in ("before", "after"))
    made = Numbering(before, after, len(found["count"]))
    try:
        rules.check_number(made.write(1))
    except Refusal as refusal:
        raise InvalidPattern(
            f"Ce modèle donnerait le numéro {made.write(1)}, que la préfecture refuserait "
            "(15 caractères au plus, pas de tiret bas au bord) : raccourcissez-le.",
            field="pattern",
        ) from refusal
    return made


_PATTERN: Final = re.compile(r"(?P<before>[A-Z0-9_]*)(?P<count>#{2,5})(?P<after>[A-Z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Guess:
    """What the name of a file says of its act."""

    number: str
    nature: int | None
    objet: str


def guess(file_name: str) -> Guess:
    """Read « 2026-017 Délibération tarifs cantine.pdf » : number, nature and objet, if they show.

    Only a name that begins with a number (year and count) gives one; the nature is known by a word.
    """
    stem = re.sub(r"\.[A-Za-z0-9]{2,4}$", "", file_name).strip()
    found = _NUMBERED.match(stem)
    number = tidy_number(found["number"]) if found else ""
    rest = stem[found.end() :] if found else stem
    objet = " ".join(re.sub(r"[_]+", " ", rest).split()).strip(" -–.")
    words = fold(stem).replace("_", " ").split()
    nature = next((one for word in words for key, one in _WORDS if word.startswith(key)), None)
    if not any(re.fullmatch(r"[^\W\d_]{4,}", word) for word in objet.split()):
        objet = ""  # « scan0001 » is the name of a machine
    return Guess(number[:15], nature, objet[:1].upper() + objet[1:])


_NUMBERED: Final = re.compile(
    r"(?:(?:d[ée]lib(?:[ée]ration)?|arr(?:[êe]t[ée])?|d[ée]cision|acte)[\s_]*(?:n°)?[\s_]*)?"
    r"(?P<number>20[0-9]{2}[-_./ ]?[0-9]{1,4})(?![0-9])[\s_\-–]*",
    re.IGNORECASE,
)
_WORDS: Final = (
    ("delib", Nature.DELIBERATION.value),
    ("arrete", Nature.REGULATORY.value),
    ("convention", Nature.CONTRACT.value),
    ("contrat", Nature.CONTRACT.value),
    ("avenant", Nature.CONTRACT.value),
    ("budget", Nature.BUDGET.value),
)


def is_overdue(sent_on: date, *, today: date) -> bool:
    """Whether an acknowledgement is late: more than two working days (it comes on those only)."""
    return today > add_working_days(sent_on, PATIENCE)


def overdue_before(today: date) -> date:
    """Acts handed over before this day and still unanswered are late."""
    day = today
    while not is_overdue(day - timedelta(days=1), today=today):
        day -= timedelta(days=1)
    return day


def letter_sources(to: LetterState) -> list[LetterState]:
    """The states from which a letter may become `to`: the guard of the UPDATE."""
    return [before for before, after in LETTER_TRANSITIONS.items() if to in after]


def resting_state(kind: str, *, receipt_sent: bool) -> LetterState:
    """Where a letter stands while nobody answers it."""
    if MessageType(kind) not in norm.RECEIPTS:
        return LetterState.RECEIVED
    return LetterState.RECEIPT_SENT if receipt_sent else LetterState.RECEIPT_DUE


def possible_answers(kind: str, state: str) -> tuple[Kind, ...]:
    """The answers a person may give now: the answer itself first, then the refusal."""
    if LetterState.ANSWER_READY not in LETTER_TRANSITIONS[LetterState(state)]:
        return ()
    return tuple(Kind(one.value) for one in norm.ANSWERS[MessageType(kind)])


def check_answer(kind: str, state: str, answer: str) -> None:
    """Refuse an answer the letter does not take, or a second one. Raises CannotAnswer."""
    if not norm.ANSWERS[MessageType(kind)]:
        raise CannotAnswer(
            "Un déféré ne se répond pas par @CTES : c’est au tribunal administratif qu’il faut "
            "présenter votre défense ; prévenez le maire sans attendre."
        )
    if MessageType(answer) not in norm.ANSWERS[MessageType(kind)]:
        raise CannotAnswer("Ce courrier n’appelle pas cette réponse : choisissez-en une autre.")
    if not possible_answers(kind, state):
        raise CannotAnswer("Une réponse à ce courrier est déjà préparée ou partie.")


def check_answer_ready(state: str) -> None:
    """Refuse to send or drop an answer that is not prepared. Raises NoAnswerReady."""
    if state != LetterState.ANSWER_READY:
        raise NoAnswerReady("Il n’y a pas de réponse préparée à ce courrier, ou elle est partie.")


def check_postable(state: str, nature: int | None, *, kinds: Iterable[str]) -> None:
    """Refuse to make public what may not be. `kinds` are the media types of the chosen files.

    Only délibérations and regulatory acts the State has received and that stand; the whole text in
    a form nobody can change (CGCT R2131-1). Raises CannotPost.
    """
    if nature not in PUBLIC_NATURES:
        raise CannotPost(
            "Seuls les délibérations et les actes réglementaires sont publiés au registre : un "
            "acte individuel ou un contrat n’y figure jamais, notifiez-le aux personnes concernées."
        )
    if state != ActState.ACKNOWLEDGED:
        raise CannotPost(
            "Un acte se publie au registre une fois acquitté par la préfecture, et tant qu’il "
            "n’est pas annulé."
        )
    if any(kind != ContentKind.PDF for kind in kinds):
        raise CannotPost(
            "Le registre ne donne que des PDF : décochez les autres fichiers, ou déposez l’acte en "
            "PDF."
        )


def check_archivable(state: str) -> None:
    """Refuse to archive what the State has not received. Raises CannotArchive."""
    if state not in ARCHIVABLE:
        raise CannotArchive(
            "Seul un acte acquitté, ou annulé après l’avoir été, se verse au service d’archives : "
            "il lui faut sa preuve."
        )


def check_archive_count(count: int) -> None:
    """Refuse an empty or too large transfer. Raises CannotArchive."""
    if not 1 <= count <= ARCHIVE_LIMIT:
        raise CannotArchive(
            f"Un versement compte de 1 à {ARCHIVE_LIMIT} actes et vous en demandez {count} : "
            "changez vos filtres, par exemple un trimestre à la fois."
        )


def check_transfer(current: str, to: SaeState) -> None:
    """Refuse a step a transfer cannot take. Raises CannotArchive."""
    if to not in SAE_TRANSITIONS[SaeState(current)]:
        raise CannotArchive(
            f"Ce versement est « {SaeState(current).label} » : il ne peut pas devenir "
            f"« {to.label} »."
        )


def check_droppable(state: str, *, taken: bool) -> None:
    """Refuse to give up what may be at the archive already. Raises CannotArchive."""
    if taken:
        raise CannotArchive(
            "Le paquet de ce versement a été téléchargé : il est peut-être chez le service "
            "d’archives. Attendez sa réponse."
        )
    check_transfer(state, SaeState.DROPPED)


def check_answerable(state: str, to: SaeState) -> None:
    """Refuse an answer about a transfer that is over, or is not made. Raises CannotArchive."""
    if to not in SAE_TRANSITIONS[SaeState(state)]:
        raise CannotArchive(
            f"Ce versement est déjà « {SaeState(state).label} » : cette réponse n’y change rien."
        )


def may_withdraw_on(posted_on: date) -> date:
    """The first day an act may leave the public register."""
    return add_months(posted_on, POSTED_AT_LEAST)


def check_withdrawable(posted_on: date, *, today: date) -> None:
    """Refuse to withdraw an act before two months. Raises CannotWithdraw."""
    first = may_withdraw_on(posted_on)
    if today < first:
        raise CannotWithdraw(
            f"Un acte reste deux mois au moins au registre : celui-ci pourra en être retiré à "
            f"partir du {first:%d/%m/%Y}."
        )


def add_months(day: date, count: int) -> date:
    """The same day `count` months later, or the last of that month when it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - _DAY)


def control_ends(received_on: date, nature: int) -> date:
    """The last day the préfet may ordinarily refer an act received `received_on` to the court.

    Two months from the reception (CGCT L2131-6), one for a budget.
    """
    return add_months(received_on, 1 if nature == Nature.BUDGET else 2)


def days_left(ends: date, *, today: date) -> int:
    """Days until a legal deadline, that day included; 0 on the day, negative once it is over."""
    return (ends - today).days


def must_escalate(kind: str, step: int) -> bool:
    """Whether the syndicat has to know too that nobody has read a letter at this reminder."""
    return step >= (REMIND_AFTER.days if kind == Kind.COURT_REFERRAL else ESCALATE_AT)


def reminder_step(received_at: datetime, at: datetime) -> int:
    """Which reminder of an unread letter is due: 2, 4, 8, 16… days after it came; 0: none yet."""
    days = (at - received_at) // timedelta(days=1)
    return 0 if days < REMIND_AFTER.days else 1 << (days.bit_length() - 1)


def signer_refusals(act: Act, files: Iterable[ActFile]) -> list[UnknownSigner]:
    """Why the signatures of its files do not let an act leave: nobody vouches for the signer.

    Integrity is another thing: a file that was altered is never kept.
    """
    found = [(file, _unknown_among(file.stored.name, file.signers, act=act)) for file in files]
    return [
        UnknownSigner(sentence, field="main" if file.role == FileRole.MAIN else "")
        for file, sentence in found
        if sentence
    ]


def check_signers(name: str, signatures: Sequence[Signature], *, act: Act) -> None:
    """Refuse a document about `act` whose signer nobody vouches for. Raises UnknownSigner."""
    signers = [one for one in signatures if not one.timestamp]
    if sentence := _unknown_among(name, signers, act=act):
        raise UnknownSigner(sentence)


def wants_known_signers(nature: int | None, matter: str) -> bool:
    """Whether signers must be known; False while nature or matière is not said yet.

    As S²LOW does: not for a contract (nature 4) of matière 1.1, which suppliers sign.
    """
    if nature is None:
        return False
    if nature != Nature.CONTRACT:
        return True
    try:
        return parse_matiere(matter)[:2] != MARKET
    except UnknownMatiere:
        return False


def _unknown_among(name: str, signers: Iterable[Signature], *, act: Act) -> str:
    if not wants_known_signers(act.nature, act.matter):
        return ""
    one = next((one for one in signers if not one.known), None)
    if one is None:
        return ""
    return (
        f"Le fichier « {safe_name(name)} » est signé par {one.signer}, {_why_unknown(one)}. C’est "
        "admis pour un marché public (contrat, matière 1.1), pas pour cet acte : faites signer le "
        "document avec un certificat reconnu, ou déposez-le sans signature électronique."
    )


def _why_unknown(one: Signature) -> str:
    if "REVOKED" in one.trouble:
        return "dont le certificat est révoqué"
    if "OUT_OF_BOUNDS" in one.trouble or "EXPIRED" in one.trouble:
        return "dont le certificat n’était pas en cours de validité ce jour-là"
    return (
        f"dont le certificat vient d’une autorité que la plateforme ne reconnaît pas : {one.issuer}"
    )
