"""When a mail that did not leave is tried again, and when it is given up. No query, no clock."""

import smtplib
from datetime import timedelta
from typing import Final

TRIES: Final = 12
"""Refusals of one mail, over a day, after which it is given up; the notice stays to be read."""
_FIRST_WAIT: Final = timedelta(minutes=1)
_LONGEST_WAIT: Final = timedelta(hours=6)
SILENCE_WAIT: Final = timedelta(minutes=5)
"""How long a mail lets the others pass when the server did not even listen."""
_OF_THE_SERVER: Final = (
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPConnectError,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
    smtplib.SMTPServerDisconnected,
)


def wait_after(failures: int) -> timedelta:
    """How long to wait after the n-th refusal: doubling from a minute to six hours."""
    return min(_FIRST_WAIT * 2 ** min(failures - 1, 10), _LONGEST_WAIT)


def is_of_the_server(fault: Exception) -> bool:
    """Whether the server took nothing from anybody, rather than not this mail."""
    if isinstance(fault, smtplib.SMTPException):
        return isinstance(fault, _OF_THE_SERVER)
    return isinstance(fault, OSError)


def problem(fault: Exception) -> str:
    """Why a mail did not leave, in one French sentence."""
    if is_of_the_server(fault):
        return "Le serveur de courriel ne répond pas : nouvel essai automatique."
    match fault:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            said = "; ".join(_words(*answer) for answer in refused.values())
            return f"Le serveur de courriel refuse cette adresse ({said})."
        case smtplib.SMTPResponseException(smtp_code=code, smtp_error=words):
            return f"Le serveur de courriel refuse ce message ({_words(code, words)})."
        case _:
            return f"Ce courriel ne peut pas être écrit ({type(fault).__name__})."


def _words(code: int, words: bytes | str) -> str:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {said}"[:120]
