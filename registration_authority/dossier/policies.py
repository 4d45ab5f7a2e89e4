"""What a piece, a mandate, a lock or a date must be. No query, no clock."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import date, datetime

from registration_authority.dossier.models import (
    Mandate,
)
from registration_authority.models import CertificateFile
from socle.accounts.models import Person
from socle.core.clock import legal_date
from socle.core.refusals import Refusal
from socle.core.text import fold


class PieceTooOld(Refusal):
    """The document was established too long ago for the policy."""

    code = "ra.piece_too_old"


class NotExamined(Refusal):
    """Something the policy wants seen on the document was not ticked."""

    code = "ra.not_examined"


class MandateNotInForce(Refusal):
    """The signatory had no power on the day of the signature."""

    code = "ra.mandate_not_in_force"


class AnotherRepresentative(Refusal):
    """The document names somebody else than the signatory of the file."""

    code = "ra.another_representative"


class RouteNotAdmitted(Refusal):
    """The policy admits no such intermediary, or not this one."""

    code = "ra.route_not_admitted"


class FileLocked(Refusal):
    """Another officer is at work on the file."""

    code = "ra.file_locked"


class OnHold(Refusal):
    """The file waits for an answer."""

    code = "ra.on_hold"


class ChangedSince(Refusal):
    """What was checked is no longer what the file says."""

    code = "ra.changed_since"


def check_age(dated_on: date | None, *, max_age_days: int | None, on: date) -> None:
    """Refuse a document of the future, or older than its policy admits. Raises PieceTooOld."""
    if max_age_days is None and dated_on is None:
        return
    if dated_on is None:
        raise PieceTooOld("Indiquez la date écrite sur le document.", field="dated_on")
    if dated_on > on:
        raise PieceTooOld(
            f"La date du {dated_on:%d/%m/%Y} est dans le futur : relisez le document.",
            field="dated_on",
        )
    if max_age_days is not None and (on - dated_on).days > max_age_days:
        raise PieceTooOld(
            f"Document du {dated_on:%d/%m/%Y}, trop ancien : il doit dater de moins de "
            f"{max_age_days} jours. Fournissez-en un plus récent.",
            field="dated_on",
        )


def check_ticked(wanted: Iterable[str], ticked: Iterable[str], *, field: str = "checks") -> None:
    """Refuse when something the policy wants seen was not ticked. Raises NotExamined."""
    seen = set(ticked)
    absent = [one for one in wanted if one not in seen]
    if absent:
        raise NotExamined(
            f"Cochez ce que vous avez vu : {' ; '.join(absent)}. Si ce n’est pas le cas, refusez.",
            field=field,
        )


def is_in_force(mandate: Mandate, *, on: date) -> bool:
    """Whether a mandate holds on a day."""
    return mandate.starts_on <= on and (mandate.ends_on is None or on <= mandate.ends_on)


def check_mandate(mandate: Mandate, *, on: date, field: str | None = None) -> None:
    """Refuse a mandate that does not hold on a day. Raises MandateNotInForce."""
    if not is_in_force(mandate, on=on):
        until = f" au {mandate.ends_on:%d/%m/%Y}" if mandate.ends_on else ""
        raise MandateNotInForce(
            f"{mandate} n’a pas pouvoir le {on:%d/%m/%Y} : son mandat va du "
            f"{mandate.starts_on:%d/%m/%Y}{until}. Faites signer par une personne en fonction.",
            field=field,
        )


def check_named(mandate: Mandate, name_read: str, *, field: str = "name_read") -> None:
    """Refuse a proof that names somebody else than the signatory. Raises AnotherRepresentative."""
    if fold(name_read) not in (fold(str(mandate)), fold(f"{mandate.surname} {mandate.given_name}")):
        told = name_read.strip() or "personne"
        raise AnotherRepresentative(
            f"Le document désigne « {told} » et le dossier est signé par {mandate} : fournissez "
            "l’acte qui nomme le signataire.",
            field=field,
        )


def check_free(file: CertificateFile, by: Person, *, at: datetime) -> None:
    """Refuse to work on a file another officer took a short while ago. Raises FileLocked."""
    taken = file.locked_until is not None and file.locked_until > at
    if taken and file.assigned_to_id not in (None, by.pk):
        raise FileLocked(
            f"{file.assigned_to} traite ce dossier en ce moment : attendez, ou demandez-lui de le "
            "libérer."
        )


def check_not_on_hold(file: CertificateFile) -> None:
    """Refuse to go on with a file that waits for an answer. Raises OnHold."""
    if file.on_hold_since is not None:
        raise OnHold(
            f"Ce dossier est en attente depuis le {legal_date(file.on_hold_since):%d/%m/%Y} : "
            f"{file.hold_reason} Reprenez-le d’abord."
        )


def check_unchanged(before: str, now: str) -> None:
    """Refuse to approve what is not what was checked; `before` is empty for a file of before."""
    if before and before != now:
        raise ChangedSince(
            "Le dossier n’est plus celui qui a été vérifié (nom, commune, offre ou pièce changés) "
            ": refusez la pièce concernée pour le faire revérifier."
        )


def document_digest(kind: str, number: str, *, key: bytes) -> str:
    """A keyed digest of a document's number: the same document always has the same."""
    plain = "".join(c for c in number.upper() if c.isascii() and c.isalnum())
    return hmac.new(key, f"{kind}:{plain}".encode(), hashlib.sha256).hexdigest()
