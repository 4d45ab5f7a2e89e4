"""A paper or a calendar file given to a browser."""

from datetime import datetime

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from socle.directory import queries as directory
from socle.documents.model import Document
from socle.documents.render import to_pdf
from training import ics, papers
from training.models import Registration


def paper(document: Document, *, name: str) -> HttpResponse:
    """The document as a PDF to keep."""
    return _attachment(to_pdf(document), "application/pdf", name)


def convocation(registration: Registration, *, as_calendar: bool, at: datetime) -> HttpResponse:
    """The convocation of one agent, on paper or for a calendar. Raises NotConvened."""
    issuer = directory.syndicat()
    if as_calendar:
        content = papers.invitation(registration, issuer, at=at)
        return _attachment(content, ics.media_type(content), "rendez-vous.ics")
    return paper(papers.convocation(registration, issuer, at=at), name="convocation.pdf")


def _attachment(content: bytes, media_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
