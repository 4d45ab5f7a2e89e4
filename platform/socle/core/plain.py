"""Frozen dataclasses to plain JSON and back: what a process we do not trust may tell us. Pure.

What is read back is checked against the annotations: a value of another shape raises ValueError.
Texts come back legible.
"""

from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from socle.core.names import legible


def plain(value: Any) -> Any:
    """`value` as JSON: a dataclass is an object that names itself, a date its ISO form."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: plain(getattr(value, one.name)) for one in fields(value)}
        return {"": type(value).__name__, **named}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


def rebuilt(kind: Any, said: Any) -> Any:
    """The value of type `kind` that `plain` wrote. Raises ValueError."""
    if isinstance(kind, UnionType) or get_origin(kind) is Union:
        return _one_of(get_args(kind), said)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), said)
    if is_dataclass(kind):
        return _object(kind, said)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(said)
    if kind is date and isinstance(said, str):
        return date.fromisoformat(said)
    if kind is str and isinstance(said, str):
        return legible(said)
    if kind in (int, bool) and type(said) is kind:
        return said
    raise ValueError(f"not of {kind}: {str(said)[:80]}")


def _one_of(kinds: tuple[Any, ...], said: Any) -> Any:
    if said is None and type(None) in kinds:
        return None
    named = said.get("") if isinstance(said, dict) else None
    for kind in kinds:
        if kind is not type(None) and (not is_dataclass(kind) or kind.__name__ == named):
            return rebuilt(kind, said)
    raise ValueError(f"none of {kinds}: {str(said)[:80]}")


def _tuple(kinds: tuple[Any, ...], said: Any) -> tuple[Any, ...]:
    if not isinstance(said, list):
        raise ValueError("not a list")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(rebuilt(kinds[0], one) for one in said)
    return tuple(rebuilt(kind, one) for kind, one in zip(kinds, said, strict=True))


def _object(kind: Any, said: Any) -> Any:
    if not isinstance(said, dict) or said.get("") != kind.__name__:
        raise ValueError(f"not a {kind.__name__}")
    return kind(**{name: rebuilt(hint, said.get(name)) for name, hint in _hints(kind).items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    known = get_type_hints(kind)
    return {one.name: known[one.name] for one in fields(kind)}
