"""The clerk and the store, one step at a time."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from socle.exercise.protocol.outcome import Outcome, Return
from socle.exercise.store import Deposit, Store
from socle.exercise.worker import Clerk
from tests.exercise.builders import Pes
from tests.exercise.conftest import Clock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "state.sqlite3")) as opened:
        yield opened


def deposit(store: Store, clock: Clock, *, name: str = "flux.xml", delay: float = 0) -> None:
    store.deposit(
        account="a",
        kind="helios",
        name=name,
        content=Pes().xml(),
        at=clock(),
        due_at=clock().timestamp() + delay,
    )


def waiting(store: Store, clock: Clock) -> Deposit:
    found = store.next_due(clock().timestamp())
    assert found is not None
    return found


def listed(store: Store) -> list[str]:
    return [one.name for one in store.listed(account="a", after=0, limit=50)]


def test_a_deposit_is_answered_when_its_delay_is_over_and_not_before(
    store: Store, clock: Clock
) -> None:
    deposit(store, clock, delay=5)
    clerk = Clerk(store, clock)
    clock.advance(4.9)
    clerk.work()
    assert listed(store) == []
    clock.advance(0.2)
    clerk.work()
    assert len(listed(store)) == 1


def test_recording_an_answer_twice_gives_it_once(store: Store, clock: Clock) -> None:
    deposit(store, clock)
    found = waiting(store, clock)
    for name in ("first", "second"):
        store.record(found, Outcome((Return(name, b"<a/>"),), ("fact",)))
    store.publish(clock().timestamp())
    assert listed(store) == ["first"]


def test_a_held_answer_takes_its_number_when_it_appears(store: Store, clock: Clock) -> None:
    for name, delay in (("slow", timedelta(seconds=60)), ("quick", timedelta(0))):
        deposit(store, clock, name=name)
        store.record(waiting(store, clock), Outcome((Return(name, b"<a/>", delay),)))
    store.publish(clock().timestamp())
    clock.advance(59)
    store.publish(clock().timestamp())
    assert listed(store) == ["quick"]
    clock.advance(1)
    store.publish(clock().timestamp())
    assert listed(store) == ["quick", "slow"]


def test_facts_are_remembered_with_the_answer(store: Store, clock: Clock) -> None:
    deposit(store, clock)
    store.record(waiting(store, clock), Outcome((), ("fact",)))
    assert store.knows("fact")
    assert not store.knows("other")


def test_a_deposit_the_office_stumbles_on_is_kept_as_failed_and_the_next_answered(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object, **__: object) -> Outcome:
        raise ZeroDivisionError

    clerk = Clerk(store, clock)
    deposit(store, clock, name="bad.xml")
    with monkeypatch.context() as patch:
        patch.setitem(Clerk._answer.__globals__["_OFFICES"], "helios", stumble)
        clerk.work()
    deposit(store, clock, name="good.xml")
    clerk.work()
    kinds = store.counters("a")["kinds"]
    assert isinstance(kinds, dict)
    assert (kinds["helios"]["failed"], kinds["helios"]["answered"]) == (1, 1)
