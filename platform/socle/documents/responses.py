"""Give a kept file to a browser, without letting it do anything there."""

from collections.abc import Iterator
from typing import BinaryIO

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from socle.documents import actions
from socle.documents.models import StoredFile
from socle.documents.sniff import Kind

_CHUNK = 256 * 1024


def download(stored: StoredFile, *, name: str = "") -> StreamingHttpResponse:
    """The clear content as an attachment called `name`, or what its depositor called it.

    The name is written as RFC 6266 wants it (UTF-8); the browser may neither guess the type nor
    run anything of the file, and keeps no copy. Raises as `actions.open_file`.
    """
    response = StreamingHttpResponse(
        _chunks(actions.open_file(stored)), content_type=stored.media_type
    )
    disposition = content_disposition_header(as_attachment=True, filename=name or stored.name)
    response["Content-Disposition"] = disposition or "attachment"
    response["Content-Length"] = str(stored.size)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def show(stored: StoredFile) -> StreamingHttpResponse:
    """A PDF for the browser's own reader, which runs apart; anything else as `download`."""
    response = download(stored)
    if stored.media_type == Kind.PDF:
        response["Content-Disposition"] = (
            content_disposition_header(as_attachment=False, filename=stored.name) or "inline"
        )
        # A sandboxed page gets no PDF reader. Nothing of the file is a page of ours: its type is
        # given, never guessed, and it may load nothing.
        response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response


def _chunks(content: BinaryIO) -> Iterator[bytes]:
    with content:
        while chunk := content.read(_CHUNK):
            yield chunk
