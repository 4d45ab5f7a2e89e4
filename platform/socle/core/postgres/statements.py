"""Which statements a session under a commune's role may send, by their first words."""

import re
from typing import Final

ALLOWED: Final = frozenset(
    b"SELECT INSERT UPDATE DELETE WITH VALUES SAVEPOINT RELEASE DECLARE FETCH MOVE CLOSE".split()
)
_BLANK: Final = re.compile(rb"(?:[\s(]+|--[^\n]*(?:\n|\Z))*")
_WORD: Final = re.compile(rb"[A-Za-z_]+")
_BACK_TO: Final = re.compile(rb"ROLLBACK\s+TO\b", re.IGNORECASE)


class StatementRefused(PermissionError):
    """A statement that has no business on a commune's session: SET, RESET, DO, CREATE, COPY…"""


def check_statement(text: bytes) -> None:
    """Refuse a statement that does not begin as the work of a page does.

    Only its beginning is read: the extended protocol lets nothing follow it. Raises
    StatementRefused.
    """
    begin = _BLANK.match(text)
    start = begin.end() if begin else 0
    word = _WORD.match(text, start)
    if word is not None and word[0].upper() in ALLOWED:
        return
    if _BACK_TO.match(text, start):
        return
    raise StatementRefused(f"not allowed under a commune's role: {text[:60]!r}")
