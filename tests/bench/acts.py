"""Many acts: deposited one after the other, heavy ones, and the list of them all."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django_tenants.utils import tenant_context

from socle.accounts.capabilities import Role
from socle.accounts.models import Person
from socle.actes import actions
from socle.actes.actions import Facts, Upload
from socle.actes.ground import Ground
from socle.actes.models import Act, ActState
from tenants.models import Tenant
from tests.bench import deposits
from tests.bench.clock import compare, line, seconds
from tests.bench.deposits import AT, Undo
from tests.people import Browser, in_town, person

MANY = 500
ROUNDS = 10
WANTED = 60
MEBIBYTE = 1024 * 1024
HEAVY = 150 * MEBIBYTE
ROOM = 60 * MEBIBYTE
VISITS = 60


def many_deposits() -> dict[str, Any]:
    """Acts through the action, each in its transaction, against the statements they wrote."""
    town, who = deposits.ready_commune()
    works = [_work(serial) for serial in range(MANY // ROUNDS)]
    written: list[list[tuple[str, Any]]] = []

    def recorded() -> None:
        ground = Ground(by=who, at=AT)
        for facts, main in works:
            written.append([])
            with connection.execute_wrapper(deposits._keeping(written[-1])):
                actions.deposit(facts=facts, main=main, by=who, at=AT, ground=ground)

    def bound() -> None:
        for statements in written:
            with transaction.atomic(), connection.cursor() as cursor:
                for statement, params in statements:
                    cursor.execute(statement, params)

    with tenant_context(town):
        _undone(recorded)
        return compare(
            "many deposits",
            lambda: _undone(lambda: _deposit_all(works, who)),
            lambda: _undone(bound),
            limit=8,
            rounds=ROUNDS,
            detail=f"{MANY // ROUNDS} acts of one page each round, "
            f"{sum(map(len, written)) / len(written):.0f} statements written each",
        )


def deposits_each_second() -> dict[str, Any]:
    """500 acts committed one by one: what they take of a core, against 500 / 60 seconds.

    Counted in time of the processor, ours and that of the database's process: a neighbour at work
    does not change it.
    """
    town, who = deposits.ready_commune()
    works = [_work(serial, "V") for serial in range(MANY)]
    with tenant_context(town):
        begun, wall = _processor(), time.perf_counter()
        _deposit_all(works, who)
        took, wall = _processor() - begun, time.perf_counter() - wall
    return line(
        "deposits each second",
        took / (MANY / WANTED),
        limit=1,
        detail=f"{MANY / took:.0f} acts/s of a core, database included, {WANTED} wanted; "
        f"{MANY / wall:.0f} acts/s on the clock of this run",
    )


def _deposit_all(works: list[tuple[Facts, Upload]], who: Person) -> None:
    ground = Ground(by=who, at=AT)
    for facts, main in works:
        actions.deposit(facts=facts, main=main, by=who, at=AT, ground=ground)


def _processor() -> float:
    """Seconds of processor used so far by this process and by its session in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(used[11]) + int(used[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def heavy_deposit() -> dict[str, Any]:
    """What a deposit of 150 MiB adds to the memory of a process, against 60 MB."""
    script = "import tests.conftest; from tests.bench.acts import heavy; heavy()"
    name = str(connection.settings_dict["NAME"])
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "BENCH_DATABASE": name},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    idle, peak = (int(word) * 1024 for word in told[-2:])
    return line(
        "heavy deposit",
        (peak - idle) / ROOM,
        limit=1,
        detail=f"150 MiB in one act: {(peak - idle) / 1e6:.0f} MB above the idle process",
    )


def heavy() -> None:
    """Deposit 150 MiB in this process, and print its memory (KiB) before and at its highest."""
    import tempfile

    from tests import conftest

    conftest._use_database(os.environ["BENCH_DATABASE"])
    town, who = deposits.ready_commune()
    with tenant_context(town), tempfile.TemporaryFile() as plan:
        plan.write(b"\x89PNG\r\n\x1a\n")
        for _ in range(HEAVY // MEBIBYTE - 1):
            plan.write(os.urandom(MEBIBYTE))
        facts = Facts("LOURD", 1, "5.2", date(2026, 11, 20), "Plan local")
        acte = Upload("delib.pdf", deposits.pdf())
        small = Upload("petit.png", b"\x89PNG\r\n\x1a\n" + b"plan" * 20)
        _undone(lambda: actions.deposit(facts=facts, main=acte, annexes=[small], by=who, at=AT))
        # A child inherits the highest mark of its parent: it is set back to what is in use now.
        Path("/proc/self/clear_refs").write_text("5")
        idle = _memory("VmRSS")
        actions.deposit(facts=facts, main=acte, annexes=[Upload("plan.png", plan)], by=who, at=AT)
        peak = _memory("VmHWM")
    sys.stdout.write(f"{idle} {peak}\n")


def _memory(mark: str) -> int:
    told = Path("/proc/self/status").read_text()
    return int(told.partition(f"{mark}:")[2].split()[0])


def list_of_many_acts() -> dict[str, Any]:
    """The list of a commune with 20,000 acts against the same page with 200, p95 of the visits."""
    small = Tenant.objects.select_related("organisation").get(organisation__insee="79061")
    large = Tenant.objects.select_related("organisation").get(organisation__insee="79174")
    pages = {}
    for town, count in ((small, 200), (large, 20_000)):
        who = person(Role.TRANSMITTER, at=town.organisation)
        with tenant_context(town):
            _fill(count, who)
        pages[count] = in_town(town, who)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    took: dict[int, list[float]] = {count: [] for count in pages}
    for browser in pages.values():
        _visit(browser)()
    seen: list[str] = []
    with connection.execute_wrapper(_counting(seen)):
        _visit(pages[20_000])()
    for _ in range(VISITS):
        for count, browser in pages.items():
            took[count].append(seconds(_visit(browser)))
    slow = {count: statistics.quantiles(times, n=20)[-1] for count, times in took.items()}
    return line(
        "list of acts",
        slow[20_000] / slow[200],
        limit=1.5,
        detail=f"20,000 acts / 200, p95 of {VISITS} visits: {slow[20_000] * 1000:.1f} ms / "
        f"{slow[200] * 1000:.1f} ms, {len(seen)} statements",
    )


def _work(serial: int, letter: str = "M") -> tuple[Facts, Upload]:
    number = f"{letter}2026_{serial:03d}"
    facts = Facts(number, 1, "5.2", date(2026, 11, 20), f"Délibération {number} du conseil")
    return facts, Upload(f"{number}.pdf", deposits.pdf(f"Délibération {number}"))


def _undone(work: Callable[[], object]) -> None:
    """Do the work in a transaction that is given up."""
    try:
        with transaction.atomic():
            work()
            raise Undo
    except Undo:
        pass


def _fill(count: int, who: Person) -> None:
    at: datetime = AT
    Act.objects.bulk_create(
        (
            Act(
                number=f"L{serial:05d}",
                nature=1 + serial % 4,
                matter="5.2",
                decided_on=date(2026, 11, 20) - timedelta(days=serial % 3000),
                objet=f"Délibération n° {serial} sur une affaire de la commune, comme au conseil",
                state=ActState.ACKNOWLEDGED,
                identifier=f"079-200081511-20261120-L{serial:05d}-DE",
                received_on=date(2026, 11, 21),
                created_at=at,
                created_by=who,
                deposited_at=at,
                deposited_by=who,
                deposited_by_label=str(who),
            )
            for serial in range(count)
        ),
        batch_size=2000,
    )


def _counting(seen: list[str]) -> Any:
    def count(execute: Any, statement: Any, params: Any, many: bool, context: Any) -> Any:
        seen.append(str(statement))
        return execute(statement, params, many, context)

    return count


def _visit(browser: Browser) -> Callable[[], None]:
    def visit() -> None:
        assert browser.get("/actes/").status_code == 200

    return visit


ALL = (many_deposits, deposits_each_second, heavy_deposit, list_of_many_acts)
