"""What a software posts: each field is taken, or refused by its name; none is dropped.

PHP clients index the names of what they send several times (`type_pj[0]`), and write file names in
ISO-8859-1, which Django would drop with the file they name.
"""

import re
from collections.abc import Collection, Iterator
from types import MethodType
from typing import Any, BinaryIO, Final

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser
from django.utils.datastructures import MultiValueDict

from socle.core.refusals import Refusal
from socle.s2low.protocol import served

_INDEXED: Final = re.compile(r"(?P<name>.+?)\[(?P<index>[0-9]{0,4})\]", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONGEST_HEAD: Final = 16 * 1024
_BLOCK: Final = 64 * 1024


class Refused(Refusal):
    """The request itself cannot be served; the sentence is the one S²LOW says."""

    code = "api.refused"


def read_as_php(request: HttpRequest) -> None:
    """Have the body of a request read with names of files in UTF-8 or ISO-8859-1."""
    request.encoding = served.LATIN
    request.parse_file_upload = MethodType(_parse, request)  # type: ignore[method-assign]


def check_fields(
    request: HttpRequest, *, known: Collection[str], useless: Collection[str] = ()
) -> None:
    """Refuse the first field that is not `known`, and one of `useless` that is not empty.

    Names are without their index. Raises Refused, naming the field.
    """
    for field, values in [*request.POST.lists(), *request.FILES.lists()]:
        name = _base(field)
        if name in useless and not any(map(_says, values)):
            continue
        if name in useless:
            raise Refused(f"Le champ « {_shown(field)} » n'est pas pris en charge ici : retirez-le")
        if name not in known:
            raise Refused(f"Le champ « {_shown(field)} » n'est pas connu : retirez-le")


def one(request: HttpRequest, name: str) -> str:
    """A parameter, from the body first. Raises Refused when it is given twice, or is no text."""
    values = {*request.POST.getlist(name)} or {*request.GET.getlist(name)}
    if len(values) > 1:
        raise Refused(f"Le champ « {name} » est donné deux fois avec deux valeurs")
    return _text(name, next(iter(values), ""))


def several(request: HttpRequest, name: str) -> list[str]:
    """The texts `name[]`, or `name[0]`, `name[1]`…, in their order."""
    return [_text(field, value) for field, value in _listed(request.POST, name)]


def file(request: HttpRequest, name: str) -> UploadedFile | None:
    """The one file `name`; None without it. Raises Refused for two, or a text in its place."""
    _check_is_file(request, name)
    found = request.FILES.getlist(name)
    if len(found) > 1:
        raise Refused(f"Le fichier « {name} » est donné deux fois")
    return found[0] if found else None


def files(request: HttpRequest, name: str) -> list[UploadedFile]:
    """The files `name[]`, or `name[0]`, `name[1]`…, in their order. Raises as `file`."""
    _check_is_file(request, name)
    return [value for _, value in _listed(request.FILES, name)]


def _check_is_file(request: HttpRequest, name: str) -> None:
    for field, values in request.POST.lists():
        if _base(field) == name and any(map(_says, values)):
            raise Refused(f"Le champ « {_shown(field)} » doit être un fichier, avec son nom")


def _listed(given: MultiValueDict[str, Any], name: str) -> list[tuple[str, Any]]:
    """What was given under a name and its indexes: in the order of the indexes, then as it came."""
    found = []
    for rank, (field, values) in enumerate(given.lists()):
        if _base(field) != name:
            continue
        match = _INDEXED.fullmatch(field)
        index = int(match["index"]) if match and match["index"] else -1
        if index >= 0 and len(values) > 1:
            raise Refused(f"Le champ « {_shown(field)} » est donné deux fois")
        found += [(index, rank, field, value) for value in values]
    found.sort(key=lambda one: one[:2])
    return [(field, value) for _, _, field, value in found]


def _base(field: str) -> str:
    match = _INDEXED.fullmatch(field)
    return match["name"] if match else field


def _says(value: Any) -> bool:
    return isinstance(value, UploadedFile) or value.strip() not in {"", "0"}


def _text(name: str, value: str) -> str:
    text = served.text_of(value).strip()
    if _CONTROL.search(text):
        raise Refused(f"Le champ « {_shown(name)} » contient un caractère de commande")
    return text


def _shown(field: str) -> str:
    return _CONTROL.sub("?", served.text_of(field))[:60]


def _parse(request: HttpRequest, meta: dict[str, Any], body: BinaryIO) -> Any:
    legible: Any = body
    boundary = re.search(r'boundary="?([^";]+)', meta.get("CONTENT_TYPE", ""))
    if boundary:
        legible = _Legible(
            body, b"--" + boundary[1].strip().encode(served.LATIN, "replace") + b"\r\n"
        )
    return MultiPartParser(meta, legible, request.upload_handlers, request.encoding).parse()


class _Legible:
    """A body of parts whose headers are UTF-8, whatever its writer took; contents as they are."""

    def __init__(self, body: BinaryIO, delimiter: bytes) -> None:
        self._body, self._delimiter = body, delimiter
        self._blocks = self._transcoded()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, perhaps more than `size`; none at the end."""
        return next(self._blocks, b"")

    def _transcoded(self) -> Iterator[bytes]:
        held, ended = b"", False
        while not ended or held:
            place = held.find(self._delimiter)
            if place < 0 and not ended:
                keep = len(self._delimiter) - 1
                if len(held) > keep:
                    yield held[:-keep]
                    held = held[-keep:]
                block = self._body.read(_BLOCK)
                ended, held = not block, held + block
                continue
            if place < 0:
                yield held
                return
            start = place + len(self._delimiter)
            end = held.find(b"\r\n\r\n", start - 2)
            while end < 0 and not ended and len(held) - start < _LONGEST_HEAD:
                block = self._body.read(_BLOCK)
                ended, held = not block, held + block
                end = held.find(b"\r\n\r\n", start - 2)
            stop = max(start, end)
            yield held[:start] + _in_utf8(held[start:stop])
            held = held[stop:]


def _in_utf8(head: bytes) -> bytes:
    try:
        head.decode()
    except UnicodeDecodeError:
        return head.decode(served.LATIN).encode()
    return head
