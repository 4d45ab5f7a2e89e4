"""Who may knock: bearer tokens, from the environment or a file, never from a command line."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from socle.core.refusals import Refusal

ENVIRONMENT: Final = "SOCLE_EXERCISE_TOKEN"
DEFAULT_ACCOUNT: Final = "exercice"


class NoToken(Refusal):
    """The server has no token to recognise anybody by."""

    code = "no-token"


def load_accounts(environment: Mapping[str, str], token_file: Path | None) -> dict[str, str]:
    """Token → account name. Raises `NoToken`.

    The environment variable holds one token, of the account « exercice ». Each line of the file is
    `token` or `account token`; blank lines and lines opened by `#` are skipped.
    """
    accounts: dict[str, str] = {}
    if token := environment.get(ENVIRONMENT, "").strip():
        accounts[token] = DEFAULT_ACCOUNT
    if token_file is not None:
        accounts |= _read(token_file)
    if not accounts:
        raise NoToken(
            f"Aucun jeton : renseignez la variable {ENVIRONMENT} ou donnez un fichier de jetons."
        )
    return accounts


def find_account(accounts: Mapping[str, str], authorization: str) -> str | None:
    """The account behind an `Authorization: Bearer …` header, or None; constant time per token."""
    scheme, _, given = authorization.partition(" ")
    found = None
    for token, account in accounts.items():
        if hmac.compare_digest(token.encode(), given.strip().encode()):
            found = account
    return found if scheme.lower() == "bearer" else None


def _read(token_file: Path) -> dict[str, str]:
    try:
        lines = token_file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise NoToken(f"Le fichier de jetons {token_file} ne peut pas être lu.") from error
    accounts: dict[str, str] = {}
    for line in lines:
        words = line.split()
        if words and not words[0].startswith("#"):
            accounts[words[-1]] = words[0] if len(words) > 1 else DEFAULT_ACCOUNT
    return accounts
