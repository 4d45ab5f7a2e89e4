"""Which text explains a refusal. Pure: texts are given, nothing is asked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from socle.core.refusals import Refusal

ANY: Final = "*"
"""The code of the text that serves when no other does."""


class InvalidText(Refusal):
    """A code or a text that would explain nothing."""

    code = "explanations.invalid_text"


@dataclass(frozen=True, slots=True)
class Text:
    """A code as the State quotes it, what it means, what to do; `own`: written by the syndicat."""

    code: str
    meaning: str
    remedy: str
    own: bool = False

    @property
    def sentence(self) -> str:
        """Both, as one paragraph."""
        return f"{self.meaning} {self.remedy}"


@cache
def defaults() -> tuple[Text, ...]:
    """The texts Socle comes with (`texts.json`)."""
    content = Path(__file__).with_name("texts.json").read_text(encoding="utf-8")
    return tuple(Text(**one) for one in json.loads(content))


def merged(written: Iterable[Text]) -> dict[str, Text]:
    """Every text by its code: those the syndicat wrote over those of Socle."""
    return {text.code: text for text in (*defaults(), *written)}


def explain(nature: str, detail: str, texts: dict[str, Text]) -> Text:
    """The text for an anomaly of this nature and this detail.

    The detail quotes the check that failed: the longest code it holds decides, then the nature
    (`5` and `005` are one), then the text for all the others.
    """
    quoted = [code for code in texts if not code.isdigit() and code != ANY and code in detail]
    if quoted:
        return texts[max(quoted, key=len)]
    same = [code for code in texts if code.isdigit() and code.lstrip("0") == nature.lstrip("0")]
    return texts[same[0]] if same and nature else texts[ANY]


def check(code: str, meaning: str, remedy: str) -> Text:
    """A text to write. Raises InvalidText when its code or one of its sentences is missing."""
    text = Text(code.strip().upper(), meaning.strip(), remedy.strip(), own=True)
    if not text.code or len(text.code) > 40:
        raise InvalidText(
            "Indiquez le code que la préfecture écrit, comme ODT-VERIF-01 ou 005.", field="code"
        )
    for field, value in (("meaning", text.meaning), ("remedy", text.remedy)):
        if not value:
            raise InvalidText(
                "Écrivez les deux textes : ce que le refus veut dire, et ce qu’il faut faire.",
                field=field,
            )
    return text
