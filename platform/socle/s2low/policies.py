"""When S²LOW is asked again, and what an account must be. No query, no clock, no HTTP."""

import re
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from socle.core.refusals import Refusal
from socle.s2low.models import S2lowState

TRANSITIONS: Final[dict[S2lowState, frozenset[S2lowState]]] = {
    S2lowState.ASKED: frozenset(
        {S2lowState.ASKED, S2lowState.OPEN, S2lowState.UNNUMBERED, S2lowState.REFUSED}
    ),
    S2lowState.OPEN: frozenset({S2lowState.ANSWERED, S2lowState.REFUSED}),
    S2lowState.UNNUMBERED: frozenset({S2lowState.OPEN, S2lowState.ANSWERED}),
    S2lowState.ANSWERED: frozenset(),
    S2lowState.REFUSED: frozenset({S2lowState.ASKED}),
}
HELD: Final = frozenset({S2lowState.OPEN, S2lowState.UNNUMBERED, S2lowState.ANSWERED})
"""S²LOW is known to have the file: it is never sent again."""

LIST_EVERY: Final = timedelta(minutes=10)
"""How often one account's letters and PES retour are listed: the pace of the usual client."""
PAPERS_EVERY: Final = timedelta(minutes=30)
PAPERS_FOR: Final = timedelta(days=30)
"""S²LOW may take long to repair its stamping service; after this the papers are given up."""
_PACE: Final = (
    (timedelta(minutes=10), timedelta(minutes=1)),
    (timedelta(hours=4), timedelta(minutes=5)),
    (timedelta(days=3), timedelta(minutes=20)),
)
_SLOWEST: Final = timedelta(hours=2)
_ADDRESS: Final = re.compile(r"[0-9.]+|\[.*\]|.*:.*")


class WrongAddress(Refusal):
    """The address cannot be that of a S²LOW."""

    code = "s2low.wrong_address"


class WrongLogin(Refusal):
    """The login cannot be used, or lacks its password."""

    code = "s2low.wrong_login"


class IncompleteAccount(Refusal):
    """Something is missing to open the account."""

    code = "s2low.incomplete_account"


class CannotNumber(Refusal):
    """The transaction has its number, or the number is another's."""

    code = "s2low.cannot_number"


def sources(to: S2lowState) -> list[S2lowState]:
    """The states from which a transaction may become `to`: the guard of the UPDATE."""
    return [before for before, after in TRANSITIONS.items() if to in after]


def is_due(*, asked_at: datetime, polled_at: datetime | None, at: datetime) -> bool:
    """Whether it is time to ask what became of a transaction: often at first, then less."""
    if polled_at is None:
        return True
    age = at - asked_at
    pace = next((every for until, every in _PACE if age < until), _SLOWEST)
    return at - polled_at >= pace


def is_past(last: datetime | None, every: timedelta, *, at: datetime) -> bool:
    """Whether `every` has passed since `last`."""
    return last is None or at - last >= every


def check_base_url(url: str) -> str:
    """The address without its final slash. Raises WrongAddress.

    A name is required: S²LOW serves several hosts on one address, and a certificate names one.
    """
    parts = urlsplit(url.strip())
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.username:
        raise WrongAddress(
            "L’adresse de S²LOW commence par « https:// », par exemple https://www.s2low.org : "
            "corrigez-la.",
            field="base_url",
        )
    if _ADDRESS.fullmatch(parts.hostname):
        raise WrongAddress(
            "Donnez à S²LOW son nom et non une adresse numérique : son certificat porte ce nom.",
            field="base_url",
        )
    return url.strip().rstrip("/")


def check_login(login: str, password: str) -> None:
    """Refuse a login without password, or that S²LOW could read otherwise. Raises WrongLogin."""
    if bool(login) != bool(password):
        raise WrongLogin("L’identifiant et le mot de passe vont ensemble.", field="login")
    if not login.isascii() or ":" in login:
        raise WrongLogin(
            "L’identifiant S²LOW s’écrit sans accent ni deux-points : demandez à l’administrateur "
            "de S²LOW de le changer.",
            field="login",
        )
