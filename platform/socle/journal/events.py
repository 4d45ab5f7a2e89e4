"""What each event code means, in one French sentence. Every app registers its own when ready."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from socle.core.text import fold
from socle.journal.canonical import EVENT_CODE

_SENTENCES: Final[dict[str, str]] = {}
_WORDS: Final[dict[str, Mapping[str, Mapping[str, str]]]] = {}
_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_AMOUNT: Final = re.compile(r"-?\d+\.\d\d")


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


def register(
    sentences: Mapping[str, str], *, words: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """Add event codes and their templates: `{"actes.deposited": "Acte {number} déposé"}`.

    A template may name any key of the entry's detail, and `subject`, `actor`. `words` says, for a
    key of the detail of these events, what each code it may hold is called on a screen. ValueError
    for a malformed code, or for a code that already has another sentence.
    """
    for code, template in sentences.items():
        if not re.fullmatch(EVENT_CODE, code):
            raise ValueError(f"not an event code: {code!r}")
        if _SENTENCES.setdefault(code, template) != template:
            raise ValueError(f"{code} already means {_SENTENCES[code]!r}")
        _WORDS[code] = words or {}


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
    words = _WORDS.get(entry.event, {})
    said = {key: _said(value, words.get(key, {})) for key, value in entry.detail.items()}
    names = {"subject": entry.subject_id, "actor": entry.actor_label, **said}
    template = _SENTENCES.get(entry.event)
    text = entry.event if template is None else _elided(template, names).format_map(_Known(names))
    return f"Refusé : {text}" if refused else text


def _said(value: Any, words: Mapping[str, str]) -> str:
    """A value of the detail as people write it: lists with commas, French days and amounts."""
    if isinstance(value, list | tuple):
        return ", ".join(_said(one, words) for one in value) or "aucun"
    text = words.get(str(value), str(value))
    if day := _DAY.fullmatch(text):
        return "/".join(reversed(day.groups()))
    return text.replace(".", ",") if _AMOUNT.fullmatch(text) else text


def _elided(template: str, names: Mapping[str, Any]) -> str:
    """The template with « de » as French writes it before a vowel: « le dossier d’Andrée »."""

    def article(found: re.Match[str]) -> str:
        value = fold(str(names.get(found[2], "")))
        return f"{found[1]}’{{{found[2]}}}" if value[:1] in set("aeiouy") else found[0]

    return re.sub(r"\b([dD])e \{(\w+)\}", article, template)
