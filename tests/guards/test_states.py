"""Every state machine is whole, and its picture in the documentation is the one the code obeys."""

from tests.guards.states import PAGE, machines, page


def test_every_state_is_in_its_machine() -> None:
    found = list(machines())
    assert len(found) >= 10
    for module, name, transitions in found:
        states = set(type(next(iter(transitions))))
        assert set(transitions) == states, f"{module}.{name}"
        assert frozenset().union(*transitions.values()) <= states, f"{module}.{name}"


def test_the_pictures_are_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.guards.states"
