"""The antivirus of the deployment: what it says of a file becomes a sentence, or nothing.

`settings.ANTIVIRUS` says where clamd listens; None when there is none, and then nothing is looked
at. While there is one nothing passes that it did not look at: one that does not answer refuses.
"""

import logging
from typing import BinaryIO, Final

from django.conf import settings

from socle.core.names import safe_name
from socle.core.refusals import Refusal
from socle.documents import clamd
from socle.documents.sniff import as_stream

log = logging.getLogger(__name__)

TIME_LIMIT: Final = 45
"""Seconds to send a file and have the answer; less than the lease of a file that leaves."""
PATIENCE: Final = 1.0
"""Seconds it is given to take a connection, then to say what it is: a probe and a page wait."""
_CLEAN: Final = "stream: OK"
_FOUND: Final = " FOUND"
_TOO_MUCH: Final = "Heuristics.Limits.Exceeded"
"""`AlertExceedsMax`: it looked at a part of the file only."""


class Infected(Refusal):
    """The antivirus recognises something in the file."""

    code = "documents.infected"


class NotScanned(Refusal):
    """The antivirus answers, but it cannot look at all of this file."""

    code = "documents.not_scanned"


class AntivirusAway(Refusal):
    """The antivirus does not answer: whatever asked must try again later."""

    code = "documents.antivirus_away"


def check(content: bytes | BinaryIO, *, name: str) -> None:
    """Refuse what the antivirus refuses; nothing is asked where there is none.

    `content` is left at its start; `name` is for the sentence. Raises Infected, NotScanned or
    AntivirusAway.
    """
    if settings.ANTIVIRUS is None:
        return
    stream = as_stream(content)
    check_leaving(stream, name=name)
    stream.seek(0)


def check_leaving(content: BinaryIO, *, name: str) -> None:
    """As `check`, for a stream that only goes forward: it is read to its end."""
    if settings.ANTIVIRUS is None:
        return
    try:
        answer = clamd.scan(content, place=settings.ANTIVIRUS, seconds=TIME_LIMIT)
    except OSError as fault:
        log.warning("antivirus: %s (%s)", type(fault).__name__, fault)
        raise _away() from fault
    if not answer:
        raise _away()
    _judge(answer, name)


def state() -> tuple[bool, str]:
    """Whether the antivirus answers, and what it says it is; (True, "") where there is none."""
    if settings.ANTIVIRUS is None:
        return True, ""
    try:
        said = clamd.version(settings.ANTIVIRUS, seconds=PATIENCE)
    except OSError:
        return False, ""
    return bool(said), said


def _judge(answer: str, name: str) -> None:
    if answer == _CLEAN:
        return
    log.warning("antivirus: %s: %s", safe_name(name), answer)
    found = answer.removeprefix("stream: ").removesuffix(_FOUND)
    if answer.endswith(_FOUND) and not found.startswith(_TOO_MUCH):
        raise Infected(
            f"L’antivirus reconnaît un programme malveillant ({found}) dans le fichier "
            f"« {safe_name(name)} » : il n’est pas accepté. Ne l’ouvrez pas, ne le transférez pas, "
            "et prévenez la personne qui s’occupe de votre informatique."
        )
    raise NotScanned(
        f"L’antivirus n’a pas pu contrôler tout le fichier « {safe_name(name)} » : il n’est pas "
        "accepté. S’il est très lourd, découpez-le ; sinon, prévenez votre syndicat."
    )


def _away() -> AntivirusAway:
    return AntivirusAway(
        "L’antivirus de la plateforme ne répond pas, et rien n’est accepté sans son contrôle : "
        "réessayez dans quelques minutes, et prévenez votre syndicat si cela dure."
    )
