"""What the trésorerie hands back, read in a process of its own (`core.apart`). Pure."""

from typing import Any, BinaryIO

from socle.core.plain import plain
from socle.helios.protocol.acquit_reader import read_acquit
from socle.helios.protocol.inbound import InboundKind, sort_inbound
from socle.helios.protocol.refusals import ForbiddenDoctype, UnreadableFile
from socle.helios.protocol.retour import read_retour

DOCTYPE = "doctype"
UNREADABLE = "unreadable"


def answer(content: BinaryIO, *, name: str) -> dict[str, Any]:
    """The retour or the acquit called `name`; `own` for a name of ours, `fault` when unreadable."""
    kind = sort_inbound(name, content)
    if kind is InboundKind.OWN:
        return {"own": True}
    try:
        if kind is InboundKind.RETOUR:
            return {"found": plain(read_retour(content))}
        return {"found": plain(read_acquit(content))}
    except UnreadableFile as fault:
        return {"fault": DOCTYPE if isinstance(fault, ForbiddenDoctype) else UNREADABLE}
