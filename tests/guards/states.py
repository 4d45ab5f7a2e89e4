"""The state diagrams of the documentation, drawn from the dictionaries the code obeys.

`python -m tests.guards.states` writes docs/states.md; a test fails when it is out of date.
"""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import django
from django.apps import apps

PAGE = Path(__file__).resolve().parents[2] / "docs" / "states.md"
HEADING = """# States

What may become of what, drawn from the `…TRANSITIONS` dictionaries of the rooms' `policies.py` by
`python -m tests.guards.states`. Labels are those people read.
"""


def machines() -> Iterator[tuple[str, str, Mapping[Any, frozenset[Any]]]]:
    """(module, name, dictionary) of every state machine of every room."""
    for config in apps.get_app_configs():
        for place in (config.name, *(f"{config.name}.{room}" for room in _rooms(config.path))):
            try:
                module = importlib.import_module(f"{place}.policies")
            except ModuleNotFoundError:
                continue
            for name in sorted(vars(module)):
                if name.endswith("TRANSITIONS"):
                    yield module.__name__, name, getattr(module, name)


def _rooms(folder: str) -> list[str]:
    """The sub-packages of a room that have rules of their own."""
    return sorted(path.parent.name for path in Path(folder).glob("*/policies.py"))


def diagram(transitions: Mapping[Any, frozenset[Any]]) -> str:
    """A Mermaid state diagram: things begin where nothing leads, or at the first state."""
    reached = frozenset().union(*transitions.values())
    beginnings = [one for one in transitions if one not in reached] or [next(iter(transitions))]
    names = {state: f"s{number}" for number, state in enumerate(transitions)}
    lines = [f"    {names[state]} : {state.label}" for state in transitions]
    lines += [f"    [*] --> {names[one]}" for one in beginnings]
    for state, following in transitions.items():
        lines += [f"    {names[state]} --> {names[one]}" for one in names if one in following]
        if not following:
            lines.append(f"    {names[state]} --> [*]")
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, "```"])


def page() -> str:
    """The whole page."""
    parts = [
        f"## `{module}` {name}\n\n{diagram(transitions)}\n"
        for module, name, transitions in sorted(machines(), key=lambda one: one[:2])
    ]
    return HEADING + "\n" + "\n".join(parts)


if __name__ == "__main__":
    import tests.conftest  # noqa: F401 - the settings of the tests

    django.setup()
    PAGE.write_text(page(), encoding="utf-8")
