"""What may happen to a certificate file, whoever asks. No query, no clock, no HTTP."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal

from registration_authority.models import (
    CertificateState,
    FileState,
    PieceKind,
    PieceState,
    RequestState,
)
from socle.core.refusals import Refusal

TRANSITIONS: Final[dict[FileState, frozenset[FileState]]] = {
    FileState.DRAFT: frozenset({FileState.SUBMITTED, FileState.CANCELLED}),
    FileState.SUBMITTED: frozenset(
        {FileState.PIECES_CHECKED, FileState.REFUSED, FileState.CANCELLED}
    ),
    FileState.PIECES_CHECKED: frozenset(
        {
            FileState.FACE_TO_FACE_DONE,
            FileState.SUBMITTED,
            FileState.REFUSED,
            FileState.CANCELLED,
        }
    ),
    FileState.FACE_TO_FACE_DONE: frozenset(
        {FileState.ISSUED, FileState.REFUSED, FileState.CANCELLED}
    ),
    FileState.ISSUED: frozenset({FileState.HANDED_OVER, FileState.CANCELLED}),
    FileState.HANDED_OVER: frozenset(),
    FileState.REFUSED: frozenset(),
    FileState.CANCELLED: frozenset(),
}
REQUEST_TRANSITIONS: Final[dict[RequestState, frozenset[RequestState]]] = {
    RequestState.DEPOSITED: frozenset({RequestState.APPROVED, RequestState.REPLACED}),
    RequestState.APPROVED: frozenset(
        {RequestState.ISSUED, RequestState.FAILED, RequestState.QUARANTINED}
    ),
    RequestState.ISSUED: frozenset(),
    RequestState.FAILED: frozenset(),
    RequestState.QUARANTINED: frozenset(),
    RequestState.REPLACED: frozenset(),
}
CERTIFICATE_TRANSITIONS: Final[dict[CertificateState, frozenset[CertificateState]]] = {
    CertificateState.VALID: frozenset({CertificateState.REVOKED}),
    CertificateState.REVOKED: frozenset(),  # nothing leads out of a revocation
}

CLOCK_SKEW: Final = timedelta(minutes=1)
NUMBER_KEPT: Final = 4
_SECRET: Final = re.compile(
    r"(?<!\bdu )(?<!\bdes )(?<!\bau )(?<!\baux )"
    r"\b(?:pin|puk|code (?:secret|confidentiel|porteur))\b"
    r"(?:\W+(?:est|vaut|no|n)\b)?\W{0,4}\d(?:[ .-]?\d){3}",
    re.IGNORECASE,
)


NO_TOKEN: Final = "sans support"  # noqa: S105 - a printed number
"""What is written in place of the engraved number for a certificate that lives in software."""


class ForbiddenStep(Refusal):
    """The file is not where this can happen."""

    code = "ra.forbidden_step"


class MissingPieces(Refusal):
    """A piece the offer asks for was not brought."""

    code = "ra.missing_pieces"


class PieceIsFinal(Refusal):
    """The piece cannot be replaced or decided any more."""

    code = "ra.piece_is_final"


class NoPolicy(Refusal):
    """Nobody wrote the policy of the offer yet."""

    code = "ra.no_policy"


class DocumentExpired(Refusal):
    """The identity document is no longer valid on the day that counts."""

    code = "ra.document_expired"


class SecretInText(Refusal):
    """A text holds what looks like a PIN or a PUK."""

    code = "ra.secret_in_text"


class NotTheHolder(Refusal):
    """The person at the counter is not the one the file names."""

    code = "ra.not_the_holder"


class WrongMoment(Refusal):
    """A date that cannot be."""

    code = "ra.wrong_moment"


class NotReady(Refusal):
    """Something must come before the hand-over."""

    code = "ra.not_ready"


class TooEarly(Refusal):
    """The certificate has still long to live."""

    code = "ra.too_early"


class NeedsFaceToFace(Refusal):
    """This renewal cannot do without a face to face."""

    code = "ra.needs_face_to_face"


class NeedsReason(Refusal):
    """A refusal without its reason helps nobody."""

    code = "ra.needs_reason"


def check_step(current: str, to: FileState) -> None:
    """Refuse to move a file from `current` to `to` when no line leads there (ForbiddenStep)."""
    before = FileState(current)
    if to not in TRANSITIONS[before]:
        raise ForbiddenStep(
            f"Ce dossier est « {before.label.lower()} » : il ne peut pas passer à "
            f"« {to.label.lower()} ». Rechargez la page pour voir l’étape suivante."
        )


def check_open_for_pieces(current: str) -> None:
    """Refuse a deposit once the pieces were checked. Raises ForbiddenStep."""
    if FileState(current) not in (FileState.DRAFT, FileState.SUBMITTED):
        raise ForbiddenStep(
            "Les pièces de ce dossier sont déjà vérifiées, elles ne changent plus : demandez à "
            "votre syndicat de refuser d’abord celle que vous voulez remplacer."
        )


def check_replaceable(state: str | None) -> None:
    """Refuse to replace an accepted piece; `state` is None when there is none yet."""
    if state == PieceState.ACCEPTED:
        raise PieceIsFinal("Cette pièce est déjà acceptée : il n’y a rien à déposer de nouveau.")


def check_acceptable(state: str) -> None:
    """Accept a deposit once, and only while nobody refused it. Raises PieceIsFinal."""
    if state != PieceState.PENDING:
        raise PieceIsFinal(
            "Une décision est déjà prise sur cette pièce : rechargez la page pour la voir."
        )


def check_refusable(state: str) -> None:
    """Refuse a deposit once; an accepted one may still be refused. Raises PieceIsFinal."""
    if state == PieceState.REFUSED:
        raise PieceIsFinal("Cette pièce est déjà refusée : la commune doit la remplacer.")


def missing(required: Iterable[PieceKind], states: Mapping[str, str]) -> list[PieceKind]:
    """The required kinds that were not brought, or were refused; `states` is kind → state."""
    return [kind for kind in required if states.get(kind) in (None, PieceState.REFUSED)]


def check_pieces_brought(required: Iterable[PieceKind], states: Mapping[str, str]) -> None:
    """Refuse to submit a file with a piece missing. Raises MissingPieces."""
    absent = missing(required, states)
    if absent:
        names = ", ".join(kind.label.lower() for kind in absent)
        raise MissingPieces(
            f"Il manque encore : {names}. Déposez {_it(absent)} puis envoyez le dossier."
        )


def all_accepted(required: Iterable[PieceKind], states: Mapping[str, str]) -> bool:
    """Whether every required piece was accepted."""
    return all(states.get(kind) == PieceState.ACCEPTED for kind in required)


def check_document(expires_on: date | None, *, on: date, field: str) -> None:
    """Refuse an identity document that is not valid on the day `on`. Raises DocumentExpired."""
    if expires_on is None:
        raise DocumentExpired(
            "Indiquez la date de fin de validité de la pièce d’identité.", field=field
        )
    if expires_on < on:
        raise DocumentExpired(
            f"La pièce d’identité a expiré le {expires_on:%d/%m/%Y} : demandez-en une en cours "
            "de validité.",
            field=field,
        )


def check_kind_admitted(kind: str, *, admitted: Collection[str]) -> None:
    """Refuse an original the policy does not admit. Raises NotReady."""
    if kind not in admitted:
        raise NotReady(
            "La politique de cette offre n’admet pas ce document : demandez une autre pièce "
            "d’identité.",
            field="document_kind",
        )


def check_orderable(*, written: bool, offer: str) -> None:
    """Refuse to order an offer whose policy nobody wrote. Raises NoPolicy."""
    if not written:
        raise NoPolicy(
            f"La politique de « {offer} » n’est pas encore écrite : l’administrateur doit la "
            "remplir, dans « Règles des certificats », avant le premier dossier.",
            field="offer",
        )


def check_free_text(**texts: str) -> None:
    """Refuse texts in which somebody wrote a PIN or a PUK: we must never know one.

    Keywords are the form fields. The refusal never repeats the text. Raises SecretInText.
    """
    for field, text in texts.items():
        if _SECRET.search(text):
            raise SecretInText(
                "Ce texte semble contenir un code PIN ou PUK : effacez-le, seule la personne "
                "titulaire doit le connaître.",
                field=field,
            )


def check_reason(reason: str, *, field: str = "reason") -> str:
    """The reason without outer spaces. Raises NeedsReason or SecretInText."""
    told = " ".join(reason.split())
    if not told:
        raise NeedsReason(
            "Écrivez le motif en une phrase : la commune le lira pour corriger.", field=field
        )
    check_free_text(**{field: told})
    return told


def check_recognised(recognised: bool) -> None:
    """Refuse to deal with anybody but the holder in person. Raises NotTheHolder."""
    if not recognised:
        raise NotTheHolder(
            "La personne présente doit être celle du dossier, reconnue sur l’original de sa pièce "
            "d’identité : sinon, fixez un autre rendez-vous.",
            field="recognised",
        )


def check_moment(when: datetime, *, now: datetime, field: str) -> None:
    """Refuse an event of the future, beyond a minute of clock skew. Raises WrongMoment."""
    if when > now + CLOCK_SKEW:
        raise WrongMoment(
            f"La date du {when:%d/%m/%Y} est dans le futur : indiquez le moment où la personne "
            "est réellement venue.",
            field=field,
        )


def check_signed_on(signed_on: date | None, *, met_on: date, today: date) -> None:
    """Refuse a receipt dated before the face to face, or in the future. Raises WrongMoment."""
    if signed_on is None:
        return
    if signed_on < met_on:
        raise WrongMoment(
            f"Le procès-verbal est daté du {signed_on:%d/%m/%Y}, avant le face à face du "
            f"{met_on:%d/%m/%Y} : refaites-le à la bonne date.",
            field="signed_on",
        )
    if signed_on > today:
        raise WrongMoment(
            f"Le procès-verbal est daté du {signed_on:%d/%m/%Y}, dans le futur.", field="signed_on"
        )


def check_met_recently(met_on: date, *, today: date, max_age_days: int | None) -> None:
    """Refuse a face to face older than the policy admits. Raises NotReady."""
    if max_age_days is not None and (today - met_on).days > max_age_days:
        raise NotReady(
            f"Le face à face du {met_on:%d/%m/%Y} date de plus de {max_age_days} jours : recevez "
            "de nouveau la personne dans un nouveau dossier."
        )


def kept_of_number(number: str) -> str:
    """The last four characters of a document's number, in capitals; shorter: NotReady."""
    plain = "".join(c for c in number.upper() if c.isascii() and c.isalnum())
    if len(plain) < NUMBER_KEPT:
        raise NotReady(
            "Le numéro de la pièce d’identité est trop court : recopiez-le en entier, seuls ses "
            "quatre derniers caractères seront conservés.",
            field="document_number",
        )
    return plain[-NUMBER_KEPT:]


def no_face_to_face() -> NotReady:
    """The refusal to issue or hand over before the face to face."""
    return NotReady(
        "Le face à face n’a pas encore eu lieu : recevez d’abord la personne avec l’original "
        "de sa pièce d’identité."
    )


def check_in_force(state: str, not_after: datetime, *, at: datetime) -> None:
    """Refuse to hand over a certificate that is revoked or expired. Raises NotReady."""
    if state != CertificateState.VALID:
        raise NotReady(
            "Ce certificat est révoqué, il ne peut pas être remis : ouvrez un nouveau dossier."
        )
    if not_after <= at:
        raise NotReady(
            "Ce certificat a expiré, il ne peut pas être remis : ouvrez un nouveau dossier."
        )


def check_approvable(state: str) -> None:
    """Refuse to send a request twice to the authority. Raises ForbiddenStep."""
    if RequestState.APPROVED not in REQUEST_TRANSITIONS[RequestState(state)]:
        raise ForbiddenStep(
            f"Cette demande est « {RequestState(state).label.lower()} » : elle ne peut pas "
            "partir une seconde fois."
        )


def reminder_due(
    not_after: datetime, *, days_before: Iterable[int], at: datetime, told: int | None
) -> int | None:
    """The reminder to send now, in days before the end; None when there is none or it was sent.

    `days_before`: when the policy of the offer wants the holder reminded, in any order.

    After a silence only the last one due is sent: three mails at once help nobody.
    """
    left = not_after - at
    due = [days for days in days_before if left <= timedelta(days=days)]
    if not due or left <= timedelta(0) or (told is not None and told <= min(due)):
        return None
    return min(due)


def check_renewable(not_after: datetime, *, window_days: int, at: datetime) -> None:
    """Refuse to renew before the last days the policy says, or after the end.

    Raises TooEarly, NotReady.
    """
    if not_after <= at:
        raise NotReady("Ce certificat a expiré : ouvrez un nouveau dossier pour la personne.")
    if not_after - at > timedelta(days=window_days):
        raise TooEarly(
            f"Ce certificat expire le {not_after:%d/%m/%Y} : le renouvellement s’ouvre "
            f"{window_days} jours avant."
        )


def check_face_to_face_carried(*, in_a_row: int, allowed: int, changes: Iterable[str]) -> None:
    """Refuse to renew without a face to face. Raises NeedsFaceToFace.

    `in_a_row` counts the renewals already made so, `changes` what changed about the person.
    """
    changed = " ; ".join(changes)
    if changed:
        raise NeedsFaceToFace(
            f"La personne ou l’organisme a changé depuis le dernier certificat ({changed}) : "
            "recevez la personne en face à face."
        )
    if in_a_row >= allowed:
        raise NeedsFaceToFace(
            "Cette offre ne permet plus de renouveler sans face à face : recevez la personne."
        )


def urgency(not_after: datetime, *, at: datetime) -> Literal["danger", "warning", "success"]:
    """The tone of an expiry: danger within 30 days, warning within 90, success beyond."""
    if not_after <= at + timedelta(days=30):
        return "danger"
    return "warning" if not_after <= at + timedelta(days=90) else "success"


def _it(kinds: Collection[PieceKind]) -> str:
    return "ces pièces" if len(kinds) > 1 else "cette pièce"
