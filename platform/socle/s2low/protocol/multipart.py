"""A multipart/form-data body that is sent as it is read: no file is held in memory."""

import io
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

ENCODING: Final = "iso-8859-1"
CHUNK: Final = 64 * 1024
_TYPES: Final = {
    "pdf": "application/pdf",
    "xml": "application/xml",
    "png": "image/png",
    "jpg": "image/jpeg",
}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form: the name it is posted under (ASCII), its size in bytes, its content."""

    name: str
    size: int
    content: BinaryIO

    @classmethod
    def of(cls, name: str, data: bytes) -> "Upload":
        """An upload whose content is already in memory."""
        return cls(name, len(data), io.BytesIO(data))


Value = str | Upload


@dataclass(frozen=True, slots=True)
class Form:
    """Fields in their order; a field may come several times.

    Texts travel in ISO-8859-1, as S²LOW reads them under `api=1`: UnicodeEncodeError when one
    cannot, since a `?` in its place would be transmitted.
    """

    fields: Sequence[tuple[str, Value]]
    boundary: str = field(default_factory=lambda: f"socle-{secrets.token_hex(16)}")

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header."""
        return f"multipart/form-data; boundary={self.boundary}"

    def __len__(self) -> int:
        """The number of bytes of the whole body."""
        bodies = sum(
            value.size if isinstance(value, Upload) else len(value.encode(ENCODING))
            for _, value in self.fields
        )
        heads = sum(len(self._head(name, value)) + 2 for name, value in self.fields)
        return heads + bodies + len(self._end())

    def __iter__(self) -> Iterator[bytes]:
        """The body, chunk by chunk; contents are read from their start, or as they come.

        Raises ValueError when a content has not the announced size.
        """
        for name, value in self.fields:
            yield self._head(name, value)
            if isinstance(value, Upload):
                yield from _chunks(value)
            else:
                yield value.encode(ENCODING)
            yield b"\r\n"
        yield self._end()

    def _head(self, name: str, value: Value) -> bytes:
        disposition = f'form-data; name="{name}"'
        kind = ""
        if isinstance(value, Upload):
            disposition += f'; filename="{value.name}"'
            extension = value.name.rpartition(".")[2].lower()
            kind = f"Content-Type: {_TYPES.get(extension, 'application/octet-stream')}\r\n"
        head = f"--{self.boundary}\r\nContent-Disposition: {disposition}\r\n{kind}\r\n"
        return head.encode(ENCODING)

    def _end(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()


def _chunks(upload: Upload) -> Iterator[bytes]:
    if upload.content.seekable():
        upload.content.seek(0)
    left = upload.size
    while left:
        chunk = upload.content.read(min(CHUNK, left))
        if not chunk:
            raise ValueError(f"{upload.name} is not {upload.size} bytes long")
        left -= len(chunk)
        yield chunk
