"""What may happen to a flow and to a budget, whoever asks. No query, no clock, no HTTP."""

import re
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Final

from socle.core.identifiers import check_siret
from socle.core.refusals import Refusal
from socle.delivery.handlers import AlreadyAnswered
from socle.helios.models import FREED, FlowState
from socle.helios.protocol.acquit import AcquitState
from socle.helios.protocol.deposit import DeclaredBudget, Finding, Level
from socle.helios.protocol.header import Header

_VERDICTS: Final = frozenset(
    {FlowState.ACCEPTED, FlowState.PARTIAL, FlowState.REFUSED, FlowState.UNREADABLE}
)
# An acquit may come while we still believe the flow is leaving, and one that follows another may
# only say more: what was accepted stays accepted.
TRANSITIONS: Final[dict[FlowState, frozenset[FlowState]]] = {
    FlowState.DEPOSITED: frozenset({FlowState.READY, FlowState.WITHDRAWN}),
    FlowState.READY: frozenset({FlowState.SENDING, FlowState.WITHDRAWN}),
    FlowState.SENDING: frozenset({FlowState.SENT, FlowState.FAILED}) | _VERDICTS,
    FlowState.SENT: frozenset({FlowState.FAILED}) | _VERDICTS,
    FlowState.FAILED: frozenset({FlowState.SENT, FlowState.WITHDRAWN}) | _VERDICTS,
    FlowState.UNREADABLE: _VERDICTS - {FlowState.UNREADABLE},
    FlowState.REFUSED: frozenset({FlowState.PARTIAL, FlowState.ACCEPTED}),
    FlowState.PARTIAL: frozenset({FlowState.ACCEPTED}),
    FlowState.ACCEPTED: frozenset(),
    FlowState.WITHDRAWN: frozenset(),
}
VERDICTS: Final[dict[AcquitState, FlowState]] = {
    AcquitState.ACCEPTED: FlowState.ACCEPTED,
    AcquitState.PARTIAL: FlowState.PARTIAL,
    AcquitState.REFUSED: FlowState.REFUSED,
    AcquitState.UNREADABLE: FlowState.UNREADABLE,
}
"""What a verdict makes of its flow; a verdict that decides nothing changes nothing."""

TONES: Final[dict[FlowState, str]] = {
    FlowState.DEPOSITED: "warning",
    FlowState.READY: "neutral",
    FlowState.SENDING: "progress",
    FlowState.SENT: "progress",
    FlowState.ACCEPTED: "success",
    FlowState.PARTIAL: "warning",
    FlowState.REFUSED: "danger",
    FlowState.UNREADABLE: "warning",
    FlowState.FAILED: "danger",
    FlowState.WITHDRAWN: "neutral",
}
TO_CORRECT: Final = frozenset(
    {FlowState.PARTIAL, FlowState.REFUSED, FlowState.UNREADABLE, FlowState.FAILED}
)
GONE: Final = frozenset(FlowState) - {FlowState.DEPOSITED, FlowState.READY, FlowState.WITHDRAWN}
AWAITING: Final = frozenset({FlowState.SENDING, FlowState.SENT})
PATIENCE: Final = timedelta(hours=24)
"""How long the trésorerie may stay silent before it is worth a call."""
KEPT_FINDINGS: Final = 200

_CODES: Final = (
    ("cod_col", r"(?!000)[0-9]{3}", "Le code collectivité", "3 chiffres, autres que 000"),
    ("cod_bud", r"[0-9A-Z][0-9]", "Le code budget", "2 caractères, par exemple 00"),
    ("id_post", r"02[AB][0-9]{3,4}|[0-9]{6,7}", "Le poste comptable", "6 ou 7 chiffres"),
)


class CannotTransmit(Refusal):
    """The flow is not in a state to leave."""

    code = "helios.cannot_transmit"


class NeedsConfirmation(Refusal):
    """Somebody must say that she read what makes a rejection likely."""

    code = "helios.needs_confirmation"


class CannotWithdraw(Refusal):
    """What has left is not taken back."""

    code = "helios.cannot_withdraw"


class CannotSettle(Refusal):
    """There is nothing to put right in this flow."""

    code = "helios.cannot_settle"


class NoOperator(Refusal):
    """The convention names an operator this platform does not have."""

    code = "helios.no_operator"


class WrongBudget(Refusal):
    """The facts of a budget cannot be those of this commune."""

    code = "helios.wrong_budget"


def states_before(to: FlowState) -> list[FlowState]:
    """The states from which `to` may be reached."""
    return [before for before, after in TRANSITIONS.items() if to in after]


def first_state(findings: Iterable[Finding]) -> FlowState:
    """Where a deposited flow starts: held while a finding says so, else ready."""
    held = any(finding.level is Level.HOLD for finding in findings)
    return FlowState.DEPOSITED if held else FlowState.READY


def is_freed(state: str) -> bool:
    """Whether the content and the NomFic of a flow in this state may be deposited again."""
    return state in FREED


def check_transmittable(state: str, findings: Iterable[Finding], *, confirmed: bool) -> None:
    """Refuse what is held, gone or not confirmed. Raises CannotTransmit or NeedsConfirmation."""
    found = list(findings)
    if state == FlowState.DEPOSITED:
        held = next((one.sentence for one in found if one.level is Level.HOLD), "")
        raise CannotTransmit(f"Ce flux ne peut pas encore partir. {held}".strip())
    if state == FlowState.WITHDRAWN:
        raise CannotTransmit("Ce flux a été retiré : déposez-le de nouveau pour le transmettre.")
    if state != FlowState.READY:
        raise CannotTransmit(
            "Ce flux est déjà parti ou en train de partir : il n’y a pas lieu de le renvoyer."
        )
    if not confirmed and any(one.level is Level.CONFIRM for one in found):
        raise NeedsConfirmation(
            "La trésorerie risque de rejeter ce flux : lisez les points signalés, puis cochez la "
            "case pour le transmettre quand même.",
            field="confirmed",
        )


def check_withdrawable(state: str) -> None:
    """Refuse to withdraw what has left. Raises CannotWithdraw."""
    if FlowState.WITHDRAWN not in TRANSITIONS[FlowState(state)]:
        raise CannotWithdraw(
            "Ce flux est déjà parti, ou déjà retiré : il ne peut plus être retiré. Pour corriger "
            "une erreur, voyez avec votre trésorerie."
        )


def check_settleable(state: str) -> None:
    """Refuse to settle what asks for nothing. Raises CannotSettle."""
    if state not in TO_CORRECT:
        raise CannotSettle("Ce flux n’a rien à corriger : il n’y a rien à marquer comme traité.")


def check_may_still_go(state: str, *, taken: bool) -> None:
    """Look again at the door: `taken` tells that another flow now bears its content or its name.

    Raises AlreadyAnswered or CannotTransmit.
    """
    if state in _VERDICTS | {FlowState.SENT}:
        raise AlreadyAnswered("Ce flux a déjà reçu sa réponse : il ne part plus.")
    if state not in {FlowState.SENDING, FlowState.FAILED}:
        raise CannotTransmit("Ce flux a été retiré : il ne part plus.")
    if taken:
        raise CannotTransmit(
            "Le même flux a été déposé de nouveau depuis : c’est le nouveau qui doit partir."
        )


def budgets_to_compare(
    header: Header, budgets: Collection[DeclaredBudget], *, siren: str
) -> tuple[DeclaredBudget, ...]:
    """The budgets a flow is compared with; while none is recorded, the SIREN alone is checked."""
    if budgets or not header.id_coll.startswith(siren):
        return tuple(budgets)
    own = DeclaredBudget("", header.id_coll, header.cod_col, header.cod_bud, header.id_post)
    return (own,)


def check_budget(
    *, siret: str, cod_col: str, cod_bud: str, id_post: str, siren: str, organisation: str
) -> dict[str, str]:
    """The facts of a budget, tidied: SIRET without spaces, codes in capitals.

    The SIRET must be one of the body itself, since what comes back is given to the body its SIREN
    names. Raises WrongBudget or InvalidIdentifier, whose `field` is the one at fault.
    """
    facts = {"siret": check_siret(siret)}
    if not facts["siret"].startswith(siren):
        raise WrongBudget(
            f"Ce SIRET n’est pas celui d’un budget de « {organisation} » : il doit commencer par "
            f"{siren}. Un CCAS ou une caisse des écoles a son propre espace.",
            field="siret",
        )
    typed = {"cod_col": cod_col, "cod_bud": cod_bud, "id_post": id_post}
    for name, pattern, what, expected in _CODES:
        facts[name] = "".join(typed[name].split()).upper()
        if not re.fullmatch(pattern, facts[name]):
            raise WrongBudget(
                f"{what} « {typed[name]} » n’est pas possible : il compte {expected}. Il figure "
                "dans l’en-tête de vos flux et sur les documents de la trésorerie.",
                field=name,
            )
    return facts
