"""The embedded PostgreSQL: it starts anywhere, keeps the data, and survives brutal ends."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from socle.stack import postgres as module
from socle.stack import processes
from socle.stack.binaries import ProgramMissing
from socle.stack.postgres import Postgres
from socle.stack.state import AlreadyInUse

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as another user")


@pytest.fixture(scope="module")
def server(module_state: Path) -> Iterator[Postgres]:
    server = Postgres(module_state, durable=False)
    server.start()
    yield server
    server.stop()
    server.erase()


def rows(server: Postgres) -> list[tuple[int]]:
    with server.connect() as db:
        return db.execute("SELECT number FROM kept ORDER BY number").fetchall()


def keep(server: Postgres, number: int) -> None:
    with server.connect() as db:
        db.execute("SET synchronous_commit TO on")  # off, a crash may lose the last moments
        db.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        db.execute("INSERT INTO kept VALUES (%s)", [number])


def one_value(server: Postgres, query: str) -> object:
    with server.connect() as db:
        row = db.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_it_speaks_utf8_and_knows_french_capitals(server: Postgres) -> None:
    assert one_value(server, "SELECT upper('élève')") == "ÉLÈVE"


def test_a_wrong_password_is_refused(server: Postgres) -> None:
    wrong = server.url().replace(server.password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_socket_asks_for_the_password_too(server: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(
            host=str(server.socket_dir), port=server.port, user="socle_admin", dbname="postgres"
        )


def test_the_password_is_kept_from_other_users(server: Postgres) -> None:
    assert (server.state_dir / "pg.password").stat().st_mode & 0o777 == 0o600


def test_the_password_shows_neither_in_the_process_list_nor_in_the_log(server: Postgres) -> None:
    server.ensure_role("discreet")
    command_line = Path(f"/proc/{server.pid()}/cmdline").read_text()
    assert server.password not in command_line + server.log.read_text()


@as_root
def test_started_by_root_it_runs_as_nobody(server: Postgres) -> None:
    assert Path(f"/proc/{server.pid()}").stat().st_uid == pwd.getpwnam("nobody").pw_uid


def test_our_environment_is_not_handed_to_the_server(server: Postgres) -> None:
    environment = Path(f"/proc/{server.pid()}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0] for entry in environment if entry}
    assert b"PATH" in names
    assert not names & {name.encode() for name in os.environ} - {b"PATH", b"LC_ALL", b"TZ"}


def test_it_has_room_for_a_thousand_communes(server: Postgres) -> None:
    assert one_value(server, "SHOW max_connections") == "120"
    assert one_value(server, "SHOW max_locks_per_transaction") == "512"


def test_a_role_is_created_once_and_adjusted_afterwards(server: Postgres) -> None:
    server.ensure_role("application")
    server.ensure_role("application", "CREATEROLE")
    query = "SELECT rolcreaterole FROM pg_roles WHERE rolname = 'application'"
    assert one_value(server, query) is True


def test_a_database_belongs_to_its_role_and_is_created_once(server: Postgres) -> None:
    server.ensure_role("owner")
    assert server.ensure_database("owned", owner="owner")
    assert not server.ensure_database("owned", owner="owner")
    with psycopg.connect(server.url("owned", "owner")) as db:
        db.execute("CREATE EXTENSION unaccent")


def test_a_second_supervisor_is_refused_with_a_sentence(server: Postgres) -> None:
    with pytest.raises(AlreadyInUse, match="sert déjà à une autre instance en marche"):
        Postgres(server.state_dir).start()


def test_data_in_use_are_not_erased(server: Postgres) -> None:
    with pytest.raises(AlreadyInUse):
        Postgres(server.state_dir).erase()
    assert server.data.exists()


def test_the_data_and_the_port_are_found_again_at_the_next_start(state: Path) -> None:
    first = Postgres(state, durable=False)
    with first:
        keep(first, 1)
    with Postgres(state, durable=False) as second:
        assert rows(second) == [(1,)]
        assert second.port == first.port


def test_what_was_committed_survives_a_killed_server(state: Path) -> None:
    with Postgres(state, durable=False) as server:
        keep(server, 1)
        os.kill(server.pid() or 0, signal.SIGKILL)
        server.stop()
        server.start()
        assert rows(server) == [(1,)]


def test_a_server_whose_supervisor_died_is_replaced(state: Path) -> None:
    abandon = (
        "import os, sys; from pathlib import Path; from socle.stack.postgres import Postgres\n"
        "server = Postgres(Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.pid(), flush=True); os._exit(0)"
    )
    orphan = int(subprocess.check_output([sys.executable, "-c", abandon, str(state)], text=True))
    with Postgres(state, durable=False) as server:
        keep(server, 1)
        assert server.pid() != orphan
        assert processes.started_at(orphan) == ""


def test_the_number_of_a_dead_server_given_to_another_process_is_no_obstacle(state: Path) -> None:
    with Postgres(state, durable=False):
        pass
    (state / "pg" / "postmaster.pid").write_text(f"{os.getpid()}\n{state / 'pg'}\n")
    with Postgres(state, durable=False) as server:
        assert server.alive()


def test_a_half_made_cluster_is_made_again(state: Path) -> None:
    (state / "pg" / "base").mkdir(parents=True)
    with Postgres(state, durable=False) as server:
        keep(server, 1)
        assert rows(server) == [(1,)]


def test_a_path_too_long_for_a_socket_does_not_matter(state: Path) -> None:
    deep = state / ("commune" * 12) / ("syndicat" * 10)
    for directory in (deep.parent, deep):
        directory.mkdir()
        directory.chmod(0o711)
    with Postgres(deep, durable=False) as server:
        with psycopg.connect(
            host=str(server.socket_dir), port=server.port, user="socle_admin",
            password=server.password, dbname="postgres",
        ) as db:  # fmt: skip
            assert db.execute("SELECT 1").fetchone() == (1,)
        server.stop()
        server.erase()


@as_root
def test_root_opens_the_way_into_its_own_state_directory(state: Path) -> None:
    closed = state / "closed"
    closed.mkdir(mode=0o700)
    with Postgres(closed, durable=False) as server:
        assert not server.data.is_symlink()
        server.stop()
        server.erase()


@as_root
def test_data_go_elsewhere_when_nobody_cannot_reach_the_state_directory(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = state / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(module, "ROOT_DATA", state / "elsewhere")
    with Postgres(closed / "state", durable=False) as server:
        keep(server, 1)
        server.stop()
        server.start()
        assert rows(server) == [(1,)]
        assert server.data.resolve().is_relative_to(state / "elsewhere")
        server.stop()
        server.erase()
    assert list((state / "elsewhere").iterdir()) == []


def test_data_of_an_unknown_version_are_refused_with_both_versions(state: Path) -> None:
    (state / "pg").mkdir()
    (state / "pg" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ProgramMissing, match=r"PostgreSQL 9.*version \d\d"):
        Postgres(state).start()


def test_a_wrong_pg_bin_is_named_in_the_refusal(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN", "/nowhere/bin")
    with pytest.raises(ProgramMissing, match="PG_BIN désigne /nowhere/bin"):
        Postgres(state).start()


def test_a_refused_start_gives_the_directory_back(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Postgres(state, durable=False)
    with monkeypatch.context() as patch:
        patch.setenv("PG_BIN", "/nowhere/bin")
        with pytest.raises(ProgramMissing):
            server.start()
    with server:
        assert server.alive()
