"""Reads the electronic signatures of one PDF with pyHanko, in a process of its own (`core.apart`).

Never imported by Socle. Asks nothing of the network. A PDF that cannot be read raises whatever
pyHanko raises.
"""

from datetime import UTC, datetime
from typing import Any

from asn1crypto import pem
from asn1crypto.x509 import Certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

MOST = 100
LOADED = (
    "cryptography.hazmat.backends.openssl",
    "pyhanko.keys",
    "pyhanko.pdf_utils",
    "pyhanko.pdf_utils.crypt",
    "pyhanko.pdf_utils.metadata",
    "pyhanko_certvalidator",
)
"""Packages whose modules import one another on their way."""
# RGS certificates of two usages say only digitalSignature.
_USAGES = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
)


def answer(stream: Any, given: Any) -> dict[str, Any]:
    """The facts of each signature and of each time-stamp of the document, oldest first.

    `given` are the authorities we trust, in PEM.
    """
    anchors = _anchors(given.read())
    reader = PdfFileReader(stream, strict=False)
    embedded = reader.embedded_signatures
    filled = list(enumerate_sig_fields(reader, filled_status=True))
    if len(embedded) != len(filled):  # one of a kind pyHanko passes over in silence
        raise ValueError(f"{len(filled)} fields, {len(embedded)} signatures")
    if len(embedded) > MOST:
        raise ValueError(f"{len(embedded)} signatures")
    kept = _kept_certificates(reader)
    return {"signatures": [_facts(one, anchors, kept) for one in embedded]}


def _anchors(given: bytes) -> list[Certificate]:
    listed = pem.unarmor(given or b"\n", multiple=True)
    try:
        return [Certificate.load(der) for _, _, der in listed]
    except ValueError:  # not one authority
        return []


def _kept_certificates(reader: PdfFileReader) -> list[Certificate]:
    """The certificates the document keeps beside its signatures (its DSS): part of the chains."""
    try:
        return list(DocumentSecurityStore.read_dss(reader).load_certs())
    except (NoDSSFoundError, ValueError):
        return []


def _facts(embedded: Any, anchors: list[Certificate], kept: list[Certificate]) -> dict[str, Any]:
    signer = embedded.signer_cert
    stamp = str(embedded.sig_object_type) == "/DocTimeStamp"
    said = None if stamp else embedded.self_reported_timestamp
    now = datetime.now(UTC)
    if said is not None and said.tzinfo is None:
        said = said.replace(tzinfo=UTC)
    # The chain is judged on the day of the signature: a certificate that ended since was good then.
    context = ValidationContext(
        trust_roots=anchors,
        other_certs=kept,
        allow_fetching=False,
        moment=min(said or now, now),
    )
    facts = {
        "signer": _named(signer.subject, "common_name"),
        "organisation": _named(signer.subject, "organization_name"),
        "issuer": _named(signer.issuer, "common_name"),
        "signed_at": said.isoformat() if said else "",
        "timestamp": stamp,
    }
    try:
        status = (
            validate_pdf_timestamp(embedded, validation_context=context)
            if stamp
            else validate_pdf_signature(
                embedded, signer_validation_context=context, key_usage_settings=_USAGES
            )
        )
    except PermissionError:  # something more to import: a fault of ours, not of the signature
        raise
    except Exception as fault:  # noqa: BLE001 -- whatever a hostile signature does, it is no good
        return facts | {"state": "broken", "known": False, "trouble": type(fault).__name__}
    if stamp:
        facts["signed_at"] = status.timestamp.isoformat()
    return facts | _verdict(status)


def _verdict(status: Any) -> dict[str, Any]:
    stamped = getattr(status, "timestamp_validity", None)
    level = status.modification_level  # OTHER: something no rule allows, or too much for the signer
    if not status.intact or status.docmdp_ok is False or level in (None, ModificationLevel.OTHER):
        state = "altered"
    elif not status.valid or (stamped and not (stamped.intact and stamped.valid)):
        state = "broken"
    else:
        state = "intact"
    trouble = getattr(status.trust_problem_indic, "name", "") if not status.trusted else ""
    return {"state": state, "known": bool(status.trusted), "trouble": trouble}


def _named(name: Any, part: str) -> str:
    """One part of a distinguished name, or all of it in words when it has none."""
    found = name.native.get(part, "")
    if isinstance(found, list):
        found = found[0]
    return str(found or (name.human_friendly if part == "common_name" else ""))[:200]
