"""The electronic signatures of a PDF (PAdES, EN 319 142-1): whole, altered, and whose they are.

Only integrity is judged here: every signature must still cover the document it was put on, and
what was added since may only be another signature, a time-stamp, proofs of validity or a form
filled where the signer allowed it. Whether the signer must be known is for whoever uses the
document to say.
"""

import logging
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final

from socle.core import apart
from socle.core.clock import PARIS
from socle.core.names import safe_name
from socle.core.refusals import Refusal
from socle.documents.sniff import as_stream, inspect_pdf

log = logging.getLogger(__name__)

_READER: Final = apart.Reader("socle.documents.signature_check", memory=512 * 1024**2)
"""150 MiB of PDF take 60, read through a window."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One valid signature. `known`: one of the authorities we trust vouches for the signer.

    `signed_at` is the hour the signer's machine said, ISO 8601, or "". A `timestamp` is a machine's
    proof of a date: nobody signs with it. `trouble` says why the signer is not known, in the
    words of EN 319 102-1 (NO_CERTIFICATE_CHAIN_FOUND, REVOKED_NO_POE…).
    """

    signer: str
    organisation: str
    issuer: str
    signed_at: str
    timestamp: bool
    known: bool
    trouble: str = ""

    @property
    def day(self) -> str:
        """When it was signed, in French, or ""."""
        if not self.signed_at:
            return ""
        return f"{datetime.fromisoformat(self.signed_at).astimezone(PARIS):%d/%m/%Y à %H h %M}"

    def kept(self) -> dict[str, Any]:
        """The facts as kept beside a file, in JSON; `Signature(**facts)` reads them back."""
        return asdict(self)


class AlteredPdf(Refusal):
    """Something else than a signature or its proofs was changed after a signature."""

    code = "documents.altered_pdf"


class BrokenSignature(Refusal):
    """A signature was not made with the key of its certificate, or cannot be read."""

    code = "documents.broken_signature"


class UncheckedSignature(Refusal):
    """The signatures could not be verified within the limits: it is not known to be whole."""

    code = "documents.unchecked_signature"


def read(
    content: bytes | BinaryIO, *, name: str, anchors: Iterable[str] = ()
) -> tuple[Signature, ...]:
    """The signatures of a PDF, all of them whole. A stream is left at its start.

    `anchors` are the certificates of the authorities trusted today, PEM; `name` is for the
    sentence. Raises AlteredPdf, BrokenSignature or UncheckedSignature, and UnreadablePdf.
    """
    stream = as_stream(content)
    found = _checked(stream, name=name, anchors=anchors)
    if len(found) != inspect_pdf(stream, name=name).signatures:
        # Two readers that disagree about what is signed: the file is made to deceive one.
        raise _unchecked(name, "another number of signatures for qpdf")
    for one in found:
        _check_whole(one, name)
    return tuple(
        Signature(**{key: value for key, value in one.items() if key != "state"}) for one in found
    )


def _check_whole(facts: dict[str, Any], name: str) -> None:
    who = f" par {facts['signer']}" if facts["signer"] and not facts["timestamp"] else ""
    if facts["state"] == "altered":
        raise AlteredPdf(
            f"Le fichier « {safe_name(name)} » a été modifié après avoir été signé{who} : déposez "
            "le document tel qu’il est sorti de la signature, ou faites-le signer de nouveau."
        )
    if facts["state"] != "intact":
        raise BrokenSignature(
            f"La signature électronique du fichier « {safe_name(name)} »{who and f', faite{who},'} "
            "n’est pas valable : faites signer le document de nouveau."
        )


def _checked(stream: BinaryIO, *, name: str, anchors: Iterable[str]) -> list[dict[str, Any]]:
    with tempfile.TemporaryFile() as trusted:
        trusted.write("\n".join(anchors).encode())
        trusted.seek(0)
        answer = _READER.ask(stream, trusted)
    if "signatures" in answer:
        return list(answer["signatures"])
    raise _unchecked(name, answer["error"])


def _unchecked(name: str, why: str) -> UncheckedSignature:
    log.warning("signatures of %s: %s", safe_name(name), why)
    if why == apart.LATE:
        return UncheckedSignature(
            f"La vérification de la signature du fichier « {safe_name(name)} » prend trop de temps "
            ": réessayez dans quelques minutes, et prévenez votre syndicat si cela dure."
        )
    return UncheckedSignature(
        f"La signature électronique du fichier « {safe_name(name)} » n’a pas pu être vérifiée : "
        "ouvrez le document pour voir si elle y est valable, puis faites-le signer de nouveau."
    )
