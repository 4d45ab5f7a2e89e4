"""Sessions that many requests share: kept, pooled in the process, pooled by PgBouncer."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from socle.core.postgres.base import DatabaseWrapper, plain
from socle.core.roles import WEB
from socle.stack.waiting import wait_until

A, B = "t_200081511", "t_200083897"
EXPECTED = {
    A: (A, f"{A}, socle_commune, public"),
    B: (B, f"{B}, socle_commune, public"),
    "public": (WEB, "public"),
}
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")


def _wrapper(alias: str, **settings: Any) -> DatabaseWrapper:
    return DatabaseWrapper({**connection.settings_dict, **settings}, alias=alias)


def _visit(database: DatabaseWrapper, schema: str) -> tuple[Any, ...]:
    """What one request does: enter, ask, leave, give the session back."""
    database.set_schema(schema)
    database.fence(up=True)
    with database.cursor() as cursor:
        cursor.execute("SELECT current_user::text, current_setting('search_path')")
        row: tuple[Any, ...] = cursor.fetchone()
    database.fence(up=False)
    database.set_schema_to_public()
    return row


def _wrong(make: Any, *, close: bool) -> list[Any]:
    """Six threads, each going from commune to commune: the answers of another one."""

    def run(number: int) -> list[Any]:
        database = make()
        found = []
        for turn in range(40):
            schema = (A, B, "public")[(number + turn) % 3]
            if (row := _visit(database, schema)) != EXPECTED[schema]:
                found.append((schema, row))
            if close:
                database.close()
        database.close()
        return found

    with ThreadPoolExecutor(6) as threads:
        return [one for found in threads.map(run, range(6)) for one in found]


@pytest.fixture
def database(portal: Any) -> None:
    """The settings of the worker's database; these tests only read, from sessions of their own."""


@pytest.mark.usefixtures("database")
def test_a_session_that_is_kept_changes_role_with_the_request() -> None:
    assert _wrong(lambda: _wrapper("kept"), close=False) == []


@pytest.mark.usefixtures("database")
def test_sessions_of_the_pool_of_the_process_never_cross() -> None:
    pool = {"min_size": 1, "max_size": 2, "timeout": 30, "reset": plain}
    try:
        made = lambda: _wrapper("pooled", OPTIONS={"pool": pool}, CONN_MAX_AGE=0)  # noqa: E731
        assert _wrong(made, close=True) == []
    finally:
        _wrapper("pooled", OPTIONS={"pool": pool}, CONN_MAX_AGE=0).close_pool()


@pytest.mark.usefixtures("database")
def test_a_session_comes_back_to_the_pool_without_its_role() -> None:
    pool = {"min_size": 1, "max_size": 1, "reset": plain}
    database = _wrapper("pooled-once", OPTIONS={"pool": pool}, CONN_MAX_AGE=0)
    try:
        database.set_schema(A)
        database.fence(up=True)
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
        database.close()
        with database.pool.connection() as bare:
            assert bare.execute("SELECT current_user::text").fetchone() == (WEB,)
    finally:
        database.close_pool()


@pytest.mark.usefixtures("database")
def test_the_first_words_on_a_session_are_the_platforms() -> None:
    """A server in another time zone: the session is told ours before it takes its role."""
    database = _wrapper("elsewhere", OPTIONS={"options": "-c timezone=Pacific/Noumea"})
    try:
        assert _visit(database, A) == EXPECTED[A]
        with database.cursor() as cursor:
            cursor.execute("SHOW timezone")
            assert cursor.fetchone() == ("UTC",)
    finally:
        database.close()


@pytest.fixture
def pgbouncer(portal: Any, tmp_path: Path) -> Iterator[int]:
    """PgBouncer in transaction mode with ONE session for everybody; its port."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer is not installed (apt-get install pgbouncer): NOT TESTED")
    there = connection.settings_dict
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "users").write_text(f'"{there["USER"]}" "{there["PASSWORD"]}"\n')
    (tmp_path / "ini").write_text(
        f"[databases]\n* = host={there['HOST']} port={there['PORT']}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {tmp_path}/users\npool_mode = transaction\n"
        "default_pool_size = 1\n"
    )
    options = []
    if os.geteuid() == 0:  # it refuses to run as root
        options = ["-u", "nobody"]
        for path in (tmp_path, *tmp_path.parents):
            if path.owner() == "root" and str(path).startswith(("/tmp/pytest", "/tmp/iso")):  # noqa: S108
                path.chmod(0o755)
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([PGBOUNCER, *options, str(tmp_path / "ini")], stderr=log)
    try:
        assert wait_until(lambda: _listens(port), seconds=10), (tmp_path / "log").read_text()
        yield port
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _through(port: int, pooling: str = "transaction") -> DatabaseWrapper:
    return _wrapper("bouncer", PORT=str(port), POOLING=pooling, DISABLE_SERVER_SIDE_CURSORS=True)


def test_pgbouncer_shares_one_session_and_no_role(pgbouncer: int) -> None:
    assert _wrong(lambda: _through(pgbouncer), close=False) == []


def test_a_transaction_behind_pgbouncer_keeps_its_role(pgbouncer: int) -> None:
    first, second = _through(pgbouncer), _through(pgbouncer)
    try:
        first.set_schema(A)
        first.fence(up=True)
        first.set_autocommit(False)
        with first.cursor() as cursor:
            cursor.execute("SELECT current_user::text")
            assert cursor.fetchone() == (A,)
            cursor.execute("SELECT current_user::text")
            assert cursor.fetchone() == (A,)
        first.commit()
        first.set_autocommit(True)
        assert _visit(second, B) == EXPECTED[B]
        assert _visit(second, "public") == EXPECTED["public"]
        with first.cursor() as cursor:
            cursor.execute("SELECT current_user::text")
            assert cursor.fetchone() == (A,)
    finally:
        first.close()
        second.close()


def test_without_the_setting_pgbouncer_mixes_communes(pgbouncer: int) -> None:
    """Why SOCLE_POOLING exists: this is what it prevents."""
    first, second = _through(pgbouncer, "session"), _through(pgbouncer, "session")
    try:
        first.ensure_connection()
        second.ensure_connection()
        first.set_schema(A)
        first.fence(up=True)
        with first.cursor() as cursor:
            cursor.execute("SELECT 1")
        _visit(second, B)
        with first.cursor() as cursor:
            cursor.execute("SELECT current_user::text")
            assert cursor.fetchone() != (A,)
    finally:
        first.close()
        second.close()
