"""What each event code means, in one French sentence. Every app registers its own when ready."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from socle.journal.canonical import EVENT_CODE

_SENTENCES: Final[dict[str, str]] = {}


class Told(Protocol):
    """An entry, as a row or as a line."""

    @property
    def event(self) -> str: ...
    @property
    def subject_id(self) -> str: ...
    @property
    def actor_label(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "…"


def register(sentences: Mapping[str, str]) -> None:
    """Add event codes and their templates: `{"actes.deposited": "Acte {number} déposé"}`.

    A template may name any key of the entry's detail, and `subject`, `actor`. ValueError for a
    malformed code, or for a code that already has another sentence.
    """
    for code, template in sentences.items():
        if not re.fullmatch(EVENT_CODE, code):
            raise ValueError(f"not an event code: {code!r}")
        if _SENTENCES.setdefault(code, template) != template:
            raise ValueError(f"{code} already means {_SENTENCES[code]!r}")


def known() -> Mapping[str, str]:
    """Return every registered code with its template."""
    return dict(_SENTENCES)


def sentence(entry: Told) -> str:
    """Return the sentence of one entry. Unknown code: the code itself; missing key: « … ».

    A refusal reads as the sentence the person was given, which `record_refusal` kept in the detail.
    """
    refused = entry.outcome == "refused"
    if refused and entry.detail.get("sentence"):
        return f"Refusé : {entry.detail['sentence']}"
    names = {"subject": entry.subject_id, "actor": entry.actor_label, **entry.detail}
    template = _SENTENCES.get(entry.event)
    text = entry.event if template is None else template.format_map(_Known(names))
    return f"Refusé : {text}" if refused else text
