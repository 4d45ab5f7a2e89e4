"""More servers of PostgreSQL: copies of the one the tests stand on, independent or following."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from socle.core.roles import WEB
from socle.stack.postgres import Postgres
from socle.stack.service import DidNotStart
from socle.stack.state import open_log

NAME: Final = "cell"
"""The database of every copy: the world of the tests, as `tests.world` makes it."""


class Copy(Postgres):
    """A server whose data are taken from `source` (`pg_basebackup`) instead of made by `initdb`.

    With `follows` it is a streaming replica of it for ever; else a server of its own from then on.
    """

    def __init__(self, state_dir: Path, *, source: str, follows: bool = False) -> None:
        super().__init__(state_dir, durable=False)
        self.source, self.follows = source, follows
        state_dir.mkdir(parents=True)
        kept = state_dir / "pg.password"
        kept.touch(mode=0o600)
        kept.write_text(urlsplit(source).password or "")

    def _run_initdb(self, programs: Path, draft: Path, password_file: Path) -> None:
        command = [str(programs / "pg_basebackup"), "-D", str(draft), "-d", self.source]
        command += ["--checkpoint=fast", "--no-sync", *(["-R"] if self.follows else [])]
        with open_log(self.log) as output:
            if self._run_as_server(command, stdout=output).wait():
                raise DidNotStart(self.log.read_text())

    def session(self, **changes: Any) -> dict[str, Any]:
        """The parts of Django's settings that lead to the database here, as who serves."""
        return {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "NAME": NAME,
            "USER": WEB,
            "PASSWORD": self.password,
            **changes,
        }


@contextmanager
def running(server: Postgres) -> Iterator[None]:
    """The server, started; it leaves nothing behind."""
    server.start()
    try:
        yield
    finally:
        server.stop()
        server.erase()


def world(server: str) -> None:
    """Give the database of the copies to `server`: the template of the tests."""
    from tests.conftest import TEMPLATE, create_database

    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        create_database(db, NAME, template=TEMPLATE)
