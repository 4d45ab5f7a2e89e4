"""The three ways a question to S²LOW fails, told apart because what follows differs."""

from typing import Final

_ACT_DUPLICATES: Final = ("même numéro interne existe déjà", "avec le même numéro existe déjà")
_FLOW_DUPLICATE: Final = "doublon"
_CANCELLATION_DUPLICATE: Final = "déjà en cours pour cette transaction"
_RECENT_CLASSIFICATION: Final = "classification date de moins d'un jour"


class NotAnAnswer(Exception):
    """What came back says nothing about the question: whether it was heard is not known."""


class AccountFault(NotAnAnswer):
    """S²LOW does not let this account in. `str(fault)` is a French sentence for the syndicat."""


class Forbidden(AccountFault):
    """The account is let in, but not to do this: it lacks a right, a module or a certificate."""


class SeveralAccounts(AccountFault):
    """Several accounts have this certificate, and nothing says which one is meant."""


class Refused(Exception):
    """S²LOW understood and says no. `str(refused)` is its own reason, in plain text."""

    @property
    def is_duplicate(self) -> bool:
        """Whether the reason is that S²LOW already holds what was handed over."""
        reason = str(self).lower()
        known = (*_ACT_DUPLICATES, _FLOW_DUPLICATE, _CANCELLATION_DUPLICATE)
        return any(words in reason for words in known)

    @property
    def is_recent_classification(self) -> bool:
        """Whether the reason is that the classification held is less than a day old."""
        return _RECENT_CLASSIFICATION in str(self).lower()
