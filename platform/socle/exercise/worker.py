"""The clerk: a thread that answers deposits when their time has come."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

from socle.exercise.protocol.outcome import Outcome
from socle.exercise.protocol.prefecture import answer_archive
from socle.exercise.protocol.tresorerie import answer_pes
from socle.exercise.store import Deposit, Store

logger = logging.getLogger(__name__)

_OFFICES: Final = {"actes": answer_archive, "helios": answer_pes}
_IDLE_SECONDS: Final = 0.1


class Clerk(threading.Thread):
    """Answers, one after the other, the deposits that are due; there is one per state file."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        super().__init__(name="exercise-clerk", daemon=True)
        self._store = store
        self._clock = clock
        self._closed = threading.Event()

    def run(self) -> None:
        """Work until `close`; a state file that is busy is tried again."""
        while not self._closed.is_set():
            try:
                self.work()
            except Exception:
                logger.exception("The exercise clerk stumbled and goes on.")
            self._closed.wait(_IDLE_SECONDS)

    def close(self) -> None:
        """Stop after the deposit at hand."""
        self._closed.set()
        self.join()

    def work(self) -> None:
        """Answer everything due now, then publish what may be seen."""
        now = self._clock().timestamp()
        while not self._closed.is_set() and (deposit := self._store.next_due(now)):
            self._answer(deposit)
        self._store.publish(now)

    def _answer(self, deposit: Deposit) -> None:
        try:
            outcome = self._decide(deposit)
        except Exception:
            logger.exception("The exercise office could not treat %s.", deposit.name)
            self._store.record_failure(deposit)
        else:
            self._store.record(deposit, outcome)

    def _decide(self, deposit: Deposit) -> Outcome:
        return _OFFICES[deposit.kind](
            deposit.name,
            deposit.content,
            at=deposit.received_at,
            serial=self._store.next_serial(),
            known=self._store.knows,
        )
