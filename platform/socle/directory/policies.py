"""What a convention allows. No query, no clock, no HTTP."""

from datetime import date
from typing import Protocol as Shape

from socle.core.refusals import Refusal


class Right(Shape):
    """The facts of a transmission right that the rules look at."""

    reference: str
    natures: list[str]
    starts_on: date
    suspended_on: date | None
    suspension_reason: str


class NoRight(Refusal):
    """No convention is signed yet."""

    code = "directory.no_right"


class RightNotStarted(Refusal):
    """The convention starts later."""

    code = "directory.right_not_started"


class RightSuspended(Refusal):
    """The convention is suspended (CGCT R2131-4)."""

    code = "directory.right_suspended"


class OutOfScope(Refusal):
    """The convention does not cover this nature (CGCT R2131-3 b)."""

    code = "directory.out_of_scope"


def check_right(right: Right | None, *, what: str, on: date, nature: str = "") -> None:
    """Refuse to transmit `what` ("un acte", "un flux") on that day under `right`.

    `nature` is the ACTES nature code, or "" where natures do not apply. The sentence names the
    clause that refuses (R2131-3, R2131-4 CGCT). Raises a Refusal.
    """
    if right is None:
        raise NoRight(
            f"Votre commune ne peut pas encore transmettre {what} : la convention n’est pas "
            "signée. Votre syndicat vous dira l’étape qui manque."
        )
    if on < right.starts_on:
        raise RightNotStarted(
            f"La convention « {right.reference} » prend effet le {right.starts_on:%d/%m/%Y} : "
            f"transmettez {what} à partir de ce jour."
        )
    if right.suspended_on is not None and on >= right.suspended_on:
        raise RightSuspended(
            f"La convention « {right.reference} » est suspendue depuis le "
            f"{right.suspended_on:%d/%m/%Y} ({right.suspension_reason}) : transmettez {what} "
            "sur papier jusqu’à sa reprise."
        )
    if nature and nature not in right.natures:
        raise OutOfScope(
            f"La convention « {right.reference} » ne couvre pas les actes de cette nature : "
            "transmettez celui-ci sur papier, ou demandez un avenant à votre syndicat."
        )
