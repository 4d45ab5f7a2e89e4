"""What an office decides about one deposit, and what it remembers from the earlier ones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

#: The word every person must read on whatever the practice offices return.
MENTION: Final = "EXERCICE"

#: Says whether an earlier deposit already established this fact (see `facts.py` for their form).
Memory = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Return:
    """One answer: the file name, its bytes, and how long after the deposit it may be seen."""

    name: str
    content: bytes
    delay: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Answers to give (none: the office stays silent) and facts to remember with them."""

    returns: tuple[Return, ...] = ()
    facts: tuple[str, ...] = ()
