"""What may become of a token. No query, no clock.

The transitions are those Dogtag's TPS ships (CS.cfg `tokendb.allowedTransitions` and
`tps.operations.allowedTransitions`): an administrator may remove some, never add one.
"""

from collections.abc import Collection
from typing import Final

from registration_authority.stock.models import TokenState
from socle.core.refusals import Refusal

TOKEN_TRANSITIONS: Final[dict[TokenState, frozenset[TokenState]]] = {
    TokenState.UNFORMATTED: frozenset({TokenState.FORMATTED, TokenState.DAMAGED, TokenState.LOST}),
    TokenState.FORMATTED: frozenset(
        {
            TokenState.ACTIVE,
            TokenState.DAMAGED,
            TokenState.LOST,
            TokenState.SUSPENDED,
            TokenState.TERMINATED,
        }
    ),
    TokenState.ACTIVE: frozenset(
        {
            TokenState.FORMATTED,
            TokenState.DAMAGED,
            TokenState.LOST,
            TokenState.SUSPENDED,
            TokenState.TERMINATED,
        }
    ),
    TokenState.SUSPENDED: frozenset(
        {TokenState.ACTIVE, TokenState.DAMAGED, TokenState.LOST, TokenState.TERMINATED}
    ),
    TokenState.DAMAGED: frozenset({TokenState.LOST}),
    TokenState.LOST: frozenset(),
    TokenState.TERMINATED: frozenset({TokenState.UNFORMATTED, TokenState.DAMAGED, TokenState.LOST}),
}


class ForbiddenMove(Refusal):
    """The token cannot become that."""

    code = "ra.token_forbidden"


class NothingToUnblock(Refusal):
    """What the token carries is no more: its holder needs another certificate."""

    code = "ra.nothing_to_unblock"


class UnknownToken(Refusal):
    """The number is of no token that may be used here."""

    code = "ra.token_unknown"


class KnownToken(Refusal):
    """The number is of a token received already."""

    code = "ra.token_known"


class CounterHandsOver(Refusal):
    """Whoever hands over does not count."""

    code = "ra.counter_hands_over"


def check_move(
    current: str, to: TokenState, *, came_from: str = "", may_be_used_again: bool = False
) -> None:
    """Refuse a move no line leads to, or that the policy does not admit. Raises ForbiddenMove.

    A suspended token goes back only to the state it came from; a token that carried a certificate
    is used again only where its policy says so.
    """
    before = TokenState(current)
    if to not in TOKEN_TRANSITIONS[before]:
        raise ForbiddenMove(
            f"Ce support est « {before.label.lower()} » : il ne peut pas devenir "
            f"« {to.label.lower()} »."
        )
    if before == TokenState.SUSPENDED and to == TokenState.ACTIVE and came_from != to:
        raise ForbiddenMove("Ce support était prêt quand il a été suspendu : retirez-le du stock.")
    reuses = (before, to) in (
        (TokenState.ACTIVE, TokenState.FORMATTED),
        (TokenState.TERMINATED, TokenState.UNFORMATTED),
    )
    if reuses and not may_be_used_again:
        raise ForbiddenMove(
            "La politique de l’offre n’admet pas qu’un support serve deux fois : retirez-le."
        )


def read_serials(text: str) -> list[str]:
    """The numbers of a delivery, one a line, without doubles. Raises KnownToken, UnknownToken."""
    found = [line.strip().upper() for line in text.splitlines() if line.strip()]
    wrong = [one for one in found if not one.replace("-", "").isalnum() or len(one) > 40]
    if wrong or not found:
        raise UnknownToken(
            "Écrivez un numéro par ligne, en lettres, chiffres et tirets"
            + (f" : « {wrong[0]} » ne va pas." if wrong else "."),
            field="serials",
        )
    doubles = sorted({one for one in found if found.count(one) > 1})
    if doubles:
        raise KnownToken(
            f"Numéro écrit deux fois : {', '.join(doubles)}. Vérifiez la livraison.",
            field="serials",
        )
    return found


def compare(expected: Collection[str], found: Collection[str]) -> tuple[list[str], list[str]]:
    """(numbers that are missing, numbers that should not be there), in order."""
    return sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
