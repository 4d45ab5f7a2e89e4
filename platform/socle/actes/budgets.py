"""A budget deposited: its XML looked at step by step, then sent in one envelope with its papers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO, Final

from django.db import transaction

from socle.accounts.capabilities import Capability
from socle.accounts.models import Person
from socle.actes import actions, sending
from socle.actes.actions import Facts, Upload
from socle.actes.ground import Ground
from socle.actes.models import Act
from socle.actes.protocol import budget
from socle.actes.protocol.budget import BudgetDocument
from socle.actes.protocol.codes import Nature
from socle.core.refusals import Refusal
from socle.documents.sniff import as_stream

MATTER: Final = "7.1"
_STEPS: Final[tuple[tuple[str, type[Refusal]], ...]] = (
    ("Le fichier s’ouvre", budget.UnreadableBudget),
    ("C’est un document budgétaire complet", budget.NotABudget),
    ("Il est scellé", budget.UnsealedBudget),
    ("Il n’a pas changé depuis son scellement", budget.BrokenSeal),
    ("C’est un budget voté de la commune", budget.ForeignBudget),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `right` is None when an earlier one stopped everything."""

    label: str
    right: bool | None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in an XML: `document` when all is right, else `refusal`."""

    findings: tuple[Finding, ...]
    document: BudgetDocument | None = None
    refusal: Refusal | None = None


def examine(content: bytes | BinaryIO, *, siren: str) -> Examination:
    """Look at the XML of a budget as the préfecture will: legible, sealed, voted, of this SIREN."""
    data = as_stream(content).read(sending.BUDGET_LIMIT)
    try:
        document = budget.read_budget(data)
        budget.check_budget(document, siren=siren)
    except Refusal as refusal:
        return Examination(_findings(refusal), refusal=refusal)
    return Examination(_findings(None), document=document)


def _findings(refusal: Refusal | None) -> tuple[Finding, ...]:
    found: list[Finding] = []
    for label, kind in _STEPS:
        if any(one.right is False for one in found):
            found.append(Finding(label, None))
        elif isinstance(refusal, kind):
            found.append(Finding(label, False, str(refusal)))
        else:
            found.append(Finding(label, True))
    return tuple(found)


@transaction.atomic
def open_draft(
    *,
    document: Upload,
    papers: Sequence[Upload],
    number: str,
    decided_on: date | None,
    by: Person,
    at: datetime,
) -> Act:
    """A draft of nature 5, matière 7.1: the sealed XML, and its papers in the same envelope.

    Its objet is the kind and the year the XML tells. Raises NotAllowed, the refusals of
    `protocol.budget` and what `actions.check_upload` raises.
    """
    ground = Ground(by=by, at=at)
    ground.check_may(Capability.ACTS_PREPARE)
    found = examine(document.content, siren=ground.organisation.siren)
    if found.document is None:
        raise found.refusal or budget.NotABudget("Ce fichier n’est pas un budget.")
    return actions.save_draft(
        facts=Facts(
            number=number,
            nature=Nature.BUDGET.value,
            matter=MATTER,
            decided_on=decided_on,
            objet=found.document.label,
        ),
        main=document,
        annexes=papers,
        by=by,
        at=at,
        ground=ground,
    )
