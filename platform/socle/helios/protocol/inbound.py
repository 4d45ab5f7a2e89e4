"""Sorting what the mailbox holds, by content: the names of the DGFiP's files prove nothing."""

import io
from enum import StrEnum
from typing import Final

from socle.helios.protocol.acquit_reader import is_acquit_root
from socle.helios.protocol.names import is_own_name
from socle.helios.protocol.refusals import UnreadableFile
from socle.helios.protocol.retour import ROOT as RETOUR_ROOT
from socle.helios.protocol.streaming import (
    MAX_INBOUND,
    PathTarget,
    Source,
    local_name,
    read_into,
)

_OCR_EXTENSIONS: Final = (".ocr", ".ocre")


class InboundKind(StrEnum):
    """What to do with a received file."""

    OWN = "own"  # one of ours, listed by the shared mailbox: leave it there
    OCR = "ocr"  # not XML, kept apart
    ACQUIT = "acquit"
    RETOUR = "retour"
    UNKNOWN = "unknown"  # kept, and shown on the desk of stuck items


def sort_inbound(name: str, source: Source) -> InboundKind:
    """Say what a file of the mailbox is, from its root element; a stream is left where it was."""
    if is_own_name(name):
        return InboundKind.OWN
    if name.lower().endswith(_OCR_EXTENSIONS):
        return InboundKind.OCR
    root = _root_of(source)
    if root == RETOUR_ROOT:
        return InboundKind.RETOUR
    return InboundKind.ACQUIT if is_acquit_root(root) else InboundKind.UNKNOWN


class _RootFound(Exception):
    """The first element was opened: nothing more to read."""


class _RootTarget(PathTarget):
    root = ""

    def open_root(self, tag: str) -> None:
        self.root = local_name(tag)
        raise _RootFound


def _root_of(source: Source) -> str:
    """The local name of the root element, empty when the file is no XML."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    start = stream.tell()
    target = _RootTarget()
    try:
        read_into(target, stream, limit=MAX_INBOUND)
    except (_RootFound, UnreadableFile):
        return target.root
    finally:
        stream.seek(start)
    return target.root
