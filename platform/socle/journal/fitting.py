"""What the world wrote, made to fit in one line of the journal: the whole stays elsewhere. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from socle.core.names import CUT, legible, shortened
from socle.journal.canonical import DETAIL_LIMIT, encode

_LONGEST: Final = (4000, 2000, 1000, 500, 200, 100, 50)
_MOST: Final = 50


def fitted(detail: Mapping[str, Any]) -> dict[str, Any]:
    """`detail` with legible texts, the longest cut with a mark until the line holds them all."""
    fit = {key: _legible(value) for key, value in detail.items()}
    for longest in _LONGEST:
        if len(_encoded(fit)) <= DETAIL_LIMIT:
            break
        fit = {key: _cut(value, longest) for key, value in fit.items()}
    return fit


def _encoded(detail: Mapping[str, Any]) -> bytes:
    """The bytes of the line; none for what `EntryLine.check` will refuse by name."""
    try:
        return encode(detail)
    except (TypeError, ValueError):
        return b""


def _legible(value: Any) -> Any:
    match value:
        case str():
            return legible(value)
        case Mapping():
            return {key: _legible(one) for key, one in value.items()}
        case list() | tuple():
            return [_legible(one) for one in value]
        case _:
            return value


def _cut(value: Any, longest: int) -> Any:
    match value:
        case str():
            return shortened(value, longest=longest)
        case Mapping():
            return {key: _cut(one, longest) for key, one in value.items()}
        case list() if len(value) > _MOST:
            return [*(_cut(one, longest) for one in value[:_MOST]), CUT]
        case list():
            return [_cut(one, longest) for one in value]
        case _:
            return value
