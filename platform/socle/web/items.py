"""What views hand to the list components. Any object with the same attributes will do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Tone = Literal["neutral", "progress", "success", "warning", "danger"]


@dataclass(frozen=True, kw_only=True)
class Link:
    """An entry of the main navigation, of the organisation switcher or of tabs."""

    label: str
    url: str
    current: bool = False
    count: int | None = None
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class Todo:
    """One line of a home page: how many, of what, and the button that leads there."""

    count: int
    sentence: str
    url: str
    button: str
    detail: str = ""
    tone: Tone = "neutral"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a path; `owner` says whose turn it is."""

    label: str
    state: Literal["done", "current", "blocked", "later"]
    owner: str = ""
    detail: str = ""
    url: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of a history; `at` is aware."""

    at: datetime
    label: str
    who: str = ""
    detail: str = ""
    tone: Tone = "neutral"
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One key figure, already written in French; `detail` gives its definition and date."""

    value: str
    label: str
    detail: str = ""
    url: str = ""
