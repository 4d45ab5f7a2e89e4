"""Words a trainer writes in an object to make an office answer as he needs it."""

from datetime import timedelta
from typing import Final

ANOMALY: Final = "[anomalie]"
LINE_ANOMALY: Final = "[anomalie ligne]"
ENVELOPE_ANOMALY: Final = "[anomalie enveloppe]"
SLOW: Final = "[lent]"
SILENCE: Final = "[silence]"
SIMPLE_LETTER: Final = "[courrier simple]"
PIECES: Final = "[pièces]"
OBSERVATIONS: Final = "[observations]"
COURT_REFERRAL: Final = "[déféré]"

#: How long an office that is asked to be slow lets the sender wait, counted from the deposit.
SLOW_DELAY: Final = timedelta(seconds=60)


def carries(text: str, marker: str) -> bool:
    """Whether `text` holds the marker, whatever the capitals."""
    return marker in text.casefold()


def delay_of(text: str) -> timedelta:
    """The delay that `text` asks for: none, or `SLOW_DELAY`."""
    return SLOW_DELAY if carries(text, SLOW) else timedelta(0)
