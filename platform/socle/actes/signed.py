"""The signatures of the files of an act, looked at again when it leaves."""

import shutil
import tempfile
from collections.abc import Iterable
from typing import Final

from socle.actes.models import ActFile
from socle.documents import actions as documents
from socle.documents import signatures, trust

_IN_MEMORY: Final = 8 * 1024 * 1024


def verify_again(files: Iterable[ActFile]) -> None:
    """Read the signatures of signed files again and keep what they say today.

    The authorities that are believed may have changed since the deposit, and a draft may be older
    than this check. Raises AlteredPdf, BrokenSignature or UncheckedSignature.
    """
    anchors = None
    for file in files:
        if not file.signed:
            continue
        anchors = trust.anchors() if anchors is None else anchors
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
            with documents.open_file(file.stored) as content:
                shutil.copyfileobj(content, copy)
            found = signatures.read(copy, name=file.stored.name, anchors=anchors)
        said = [one.kept() for one in found]
        if said != file.signatures:
            file.signatures = said
            file.save(update_fields=["signatures"])
