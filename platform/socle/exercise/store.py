"""The memory of the practice offices: one SQLite file that survives a kill and a restart.

A deposit is on the disk before it is acknowledged. The answers to a deposit and the facts it makes
are written in one transaction with its change of state, so that a restart neither loses nor repeats
an answer.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from socle.core.refusals import Refusal
from socle.exercise.protocol.outcome import Outcome

Kind = Literal["actes", "helios"]
KINDS: Final[tuple[Kind, ...]] = ("actes", "helios")

# A return gets its public number only when it may be seen: numbers grow in the order of appearance,
# so a reader who asks for what follows the last number he saw never misses a delayed answer.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS deposits (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('actes', 'helios')),
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    received_at TEXT NOT NULL,
    due_at REAL NOT NULL,
    count INTEGER NOT NULL DEFAULT 1 CHECK (count > 0),
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'answered', 'silent', 'failed')),
    UNIQUE (account, kind, name)
);
CREATE INDEX IF NOT EXISTS deposits_waiting ON deposits (due_at) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS returns (
    serial INTEGER PRIMARY KEY,
    deposit INTEGER NOT NULL REFERENCES deposits (id),
    rank INTEGER NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    due_at REAL NOT NULL,
    number INTEGER UNIQUE,
    acknowledged_at TEXT,
    UNIQUE (deposit, rank)
);
CREATE TABLE IF NOT EXISTS facts (fact TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_RECEIPT: Final = "SELECT name, sha256, received_at, count FROM deposits"
_LISTED: Final = """
SELECT number, kind, r.name AS name, length(r.content) AS size, r.sha256 AS sha256
FROM returns r JOIN deposits d ON d.id = r.deposit
WHERE account = ? AND number > ? AND acknowledged_at IS NULL ORDER BY number LIMIT ?
"""


class OtherBytes(Refusal):
    """The name was already deposited with other bytes."""

    code = "other-bytes"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the office says of a stored deposit; `count` is above 1 when it came more than once."""

    name: str
    sha256: str
    received_at: str
    count: int


@dataclass(frozen=True, slots=True)
class Deposit:
    """A deposit that waits for its answer."""

    id: int
    kind: Kind
    name: str
    content: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class ListedReturn:
    """One line of the list of returns."""

    id: int
    kind: Kind
    name: str
    size: int
    sha256: str


class Store:
    """All reading and writing of the state. Safe for threads: each call opens a connection."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Held open, and idle: SQLite would fold its log back at the end of every last connection.
        self._anchor = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._anchor.execute("PRAGMA journal_mode = WAL")
        self._anchor.executescript(_SCHEMA)

    def close(self) -> None:
        """Fold the log back into the file; nothing may be asked afterwards."""
        self._anchor.close()

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            # FULL: a commit returns when the disk has it.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def deposit(
        self, *, account: str, kind: Kind, name: str, content: bytes, at: datetime, due_at: float
    ) -> Receipt:
        """Store a deposit, or count it once more when it is the same again. Raises `OtherBytes`.

        `at` is aware; `due_at` is the POSIX time from which it may be answered.
        """
        digest = sha256(content).hexdigest()
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO deposits (account, kind, name, sha256, content, received_at, due_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (account, kind, name) DO UPDATE SET count = count + 1"
                " WHERE sha256 = excluded.sha256",
                (account, kind, name, digest, content, at.isoformat(), due_at),
            )
            receipt = _receipt(connection, account, kind, name)
        if receipt is None or receipt.sha256 != digest:
            raise OtherBytes(
                f"Le nom {name} a déjà été déposé avec un autre contenu : changez de nom."
            )
        return receipt

    def receipt(self, *, account: str, kind: Kind, name: str) -> Receipt | None:
        """What is stored under this name, or None."""
        with self._connect() as connection:
            return _receipt(connection, account, kind, name)

    def next_due(self, now: float) -> Deposit | None:
        """The oldest deposit whose answer is due, or None."""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT id, kind, name, content, received_at FROM deposits"
                " WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, id LIMIT 1",
                (now,),
            ).fetchone()
        if row is None:
            return None
        received_at = datetime.fromisoformat(row["received_at"])
        return Deposit(row["id"], row["kind"], row["name"], row["content"], received_at)

    def knows(self, fact: str) -> bool:
        """Whether an earlier deposit established this fact."""
        with self._connect() as connection:
            return bool(
                connection.execute("SELECT 1 FROM facts WHERE fact = ?", (fact,)).fetchone()
            )

    def next_serial(self) -> int:
        """The first number free for a return."""
        with self._connect() as connection:
            return int(
                connection.execute("SELECT coalesce(max(serial), 0) + 1 FROM returns").fetchone()[0]
            )

    def record(self, deposit: Deposit, outcome: Outcome) -> None:
        """Write the answers and facts of a deposit that still waits; otherwise change nothing."""
        state = "answered" if outcome.returns else "silent"
        with self._transaction() as connection:
            if not _leave_waiting(connection, deposit, state):
                return
            for rank, answer in enumerate(outcome.returns):
                due_at = deposit.received_at.timestamp() + answer.delay.total_seconds()
                connection.execute(
                    "INSERT INTO returns (deposit, rank, name, sha256, content, due_at)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        deposit.id,
                        rank,
                        answer.name,
                        sha256(answer.content).hexdigest(),
                        answer.content,
                        due_at,
                    ),
                )
            connection.executemany(
                "INSERT OR IGNORE INTO facts VALUES (?)", [(fact,) for fact in outcome.facts]
            )

    def record_failure(self, deposit: Deposit) -> None:
        """The office could not treat the deposit: it stays, visible in the counters."""
        with self._transaction() as connection:
            _leave_waiting(connection, deposit, "failed")

    def publish(self, now: float) -> None:
        """Give their public number to the returns whose time has come."""
        with self._connect() as connection:
            due = connection.execute(
                "SELECT serial FROM returns WHERE number IS NULL AND due_at <= ?"
                " ORDER BY due_at, serial",
                (now,),
            ).fetchall()
        for row in due:
            with self._transaction() as connection:
                connection.execute(
                    "UPDATE returns SET number = (SELECT coalesce(max(number), 0) + 1 FROM returns)"
                    " WHERE serial = ? AND number IS NULL",
                    (row["serial"],),
                )

    def listed(self, *, account: str, after: int, limit: int) -> list[ListedReturn]:
        """The returns to collect whose number is above `after`, in order."""
        with self._connect() as connection:
            return [
                ListedReturn(*row) for row in connection.execute(_LISTED, (account, after, limit))
            ]

    def returned(self, *, account: str, number: int) -> tuple[Kind, bytes] | None:
        """Kind and bytes of a published return, acknowledged or not, or None."""
        with self._connect() as connection:
            row = connection.execute(
                "SELECT kind, r.content FROM returns r JOIN deposits d ON d.id = r.deposit"
                " WHERE account = ? AND number = ?",
                (account, number),
            ).fetchone()
        return None if row is None else (row[0], row[1])

    def acknowledge(self, *, account: str, number: int, at: datetime) -> bool:
        """Take a return off the list, and keep it. False when there is no such return."""
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE returns SET acknowledged_at = coalesce(acknowledged_at, ?) WHERE number = ?"
                " AND deposit IN (SELECT id FROM deposits WHERE account = ?)",
                (at.isoformat(), number, account),
            )
            return changed.rowcount > 0

    def counters(self, account: str) -> dict[str, object]:
        """Deposits, doubles, deposits by kind and state, returns by state, for one account."""
        with self._connect() as connection:
            kinds = {kind: _count_deposits(connection, account, kind) for kind in KINDS}
            returns = _count_returns(connection, account)
        return {
            "deposits": sum(counts["deposits"] for counts in kinds.values()),
            "doubles": sum(counts["doubles"] for counts in kinds.values()),
            "kinds": kinds,
            "returns": returns,
        }


def _receipt(connection: sqlite3.Connection, account: str, kind: Kind, name: str) -> Receipt | None:
    row = connection.execute(
        f"{_RECEIPT} WHERE account = ? AND kind = ? AND name = ?", (account, kind, name)
    ).fetchone()
    return None if row is None else Receipt(*row)


def _leave_waiting(connection: sqlite3.Connection, deposit: Deposit, state: str) -> bool:
    changed = connection.execute(
        "UPDATE deposits SET state = ? WHERE id = ? AND state = 'waiting'", (state, deposit.id)
    )
    return changed.rowcount == 1


def _count_deposits(connection: sqlite3.Connection, account: str, kind: Kind) -> dict[str, int]:
    row = connection.execute(
        "SELECT count(*) AS deposits, coalesce(sum(count - 1), 0) AS doubles,"
        " count(*) FILTER (WHERE state = 'waiting') AS waiting,"
        " count(*) FILTER (WHERE state = 'answered') AS answered,"
        " count(*) FILTER (WHERE state = 'silent') AS silent,"
        " count(*) FILTER (WHERE state = 'failed') AS failed"
        " FROM deposits WHERE account = ? AND kind = ?",
        (account, kind),
    ).fetchone()
    return dict(row)


def _count_returns(connection: sqlite3.Connection, account: str) -> dict[str, int]:
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE number IS NULL) AS held,"
        " count(*) FILTER (WHERE number IS NOT NULL AND acknowledged_at IS NULL) AS pending,"
        " count(*) FILTER (WHERE acknowledged_at IS NOT NULL) AS acknowledged"
        " FROM returns r JOIN deposits d ON d.id = r.deposit WHERE account = ?",
        (account,),
    ).fetchone()
    return dict(row)
