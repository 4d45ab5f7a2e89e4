"""The papers an acknowledgement gives: the bordereau, and a stamped copy of each PDF.

A signed PDF is never printed on: whatever is added inside, even to the end of the file, is reported
as a change after the signature. Its stamp is on a page of its own, which names it by its digest.
"""

import shutil
import tempfile
from datetime import datetime
from typing import Final

import pikepdf
from django.db.models import Q

from socle.actes import bordereau, numbers, queries
from socle.actes.models import Act, ActFile, Kind, Transaction
from socle.core.refusals import Refusal
from socle.delivery.models import TransmissionOperator
from socle.documents import actions as documents
from socle.documents.models import StoredFile
from socle.documents.render import to_pdf
from socle.documents.sniff import Kind as ContentKind
from socle.documents.stamp import Corner, SignedPdf, stamp
from socle.journal.actions import record

BY: Final = "Socle"
_IN_MEMORY: Final = 8 * 1024 * 1024
# A stamp is a comfort: whatever a strange PDF does to it, the acknowledgement must be kept.
_FAULTS: Final = (
    pikepdf.PdfError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def make(act: Act, *, at: datetime) -> None:
    """Write the bordereau and the stamped copies of an acknowledged act, anew if they exist.

    The files that were sent are never touched. A file that cannot be stamped is named in the
    history with the reason.
    """
    sent = act.transactions.get(kind=Kind.ACTE)
    files, corner = queries.files_of(act), numbers.corner()
    for file in files:
        _stamp(file, act, exercise=sent.exercise, corner=corner, at=at)
    act.bordereau = _bordereau(act, sent, files, at=at)
    act.save(update_fields=["bordereau"])


def _bordereau(act: Act, sent: Transaction, files: list[ActFile], *, at: datetime) -> StoredFile:
    cancellation = act.transactions.filter(Q(kind=Kind.CANCELLATION) & ~Q(received_on=None)).first()
    paper = bordereau.write(
        bordereau.Story(
            act=act,
            sent=sent,
            files=files,
            organisation=queries.organisation_here(),
            operator=TransmissionOperator.objects.get(code=sent.operator),
            acknowledgement=sent.answers.filter(kind=Kind.ACKNOWLEDGEMENT).first(),
            cancellation=cancellation,
        ),
        at=at,
    )
    return documents.store(content=to_pdf(paper), name=f"Bordereau {act.number}.pdf", by=BY, at=at)


def _stamp(file: ActFile, act: Act, *, exercise: bool, corner: Corner, at: datetime) -> None:
    if file.stored.media_type != ContentKind.PDF:
        return
    try:
        copy = _stamped(file.stored, bordereau.stamp_lines(act), exercise=exercise, corner=corner)
    except SignedPdf as refusal:
        _note(file, act, str(refusal), at=at)
        _sheet(file, act, exercise=exercise, at=at)
    except Refusal as refusal:
        _note(file, act, str(refusal), at=at)
    except _FAULTS:
        _note(
            file,
            act,
            f"La copie tamponnée de « {file.stored.name} » n’a pas pu être faite : joignez le "
            "bordereau à l’original, il fait foi.",
            at=at,
        )
    else:
        name = f"{file.stored.name.removesuffix('.pdf')} (tamponné).pdf"
        file.stamped = documents.store(content=copy, name=name, by=BY, at=at)
        file.not_stamped_because = ""
        file.save(update_fields=["stamped", "not_stamped_because"])


def _sheet(file: ActFile, act: Act, *, exercise: bool, at: datetime) -> None:
    """Write the stamp of a signed file on a page that goes with it."""
    paper = bordereau.stamp_sheet(
        file, act, organisation=queries.organisation_here(), exercise=exercise, at=at
    )
    name = f"{file.stored.name.removesuffix('.pdf')} (feuille de tampon).pdf"
    file.stamp_sheet = documents.store(content=to_pdf(paper), name=name, by=BY, at=at)
    file.save(update_fields=["stamp_sheet"])


def _stamped(stored: StoredFile, lines: list[str], *, exercise: bool, corner: Corner) -> bytes:
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        with documents.open_file(stored) as content:
            shutil.copyfileobj(content, copy)
        return stamp(copy, lines=lines, corner=corner, exercise=exercise, name=stored.name)


def _note(file: ActFile, act: Act, why: str, *, at: datetime) -> None:
    if file.not_stamped_because == why:
        return
    file.not_stamped_because = why
    file.save(update_fields=["not_stamped_because"])
    record(
        event="actes.not_stamped",
        subject=act,
        by=BY,
        at=at,
        detail={"file": file.stored.name, "why": why},
    )
