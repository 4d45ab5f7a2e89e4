"""Django's database backend with fences: schema and role change together, in one round trip.

While a fence is up the session works under the role of the commune, which the database lets see
its own schema and its own rows only. The role alone would not stop an injected `RESET ROLE`: on a
fenced session every statement goes by the extended protocol, where PostgreSQL takes one statement
at a time, and must begin with a word of `statements.ALLOWED`.
"""

from typing import Any, Final
from weakref import WeakSet

import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql import base as postgresql
from django.db.backends.postgresql.psycopg_any import register_tzloader
from django.db.utils import DatabaseError
from django_tenants.postgresql_backend import base
from django_tenants.utils import get_public_schema_name
from psycopg import pq, sql

from socle.core.postgres.statements import check_statement
from socle.core.roles import COMMUNE_SCHEMA

FENCED: Final = "socle_fenced"
LOCAL: Final = "socle_local"
COMMUNES_PER_SESSION: Final = 80
"""A session of PostgreSQL keeps what it learned of every table it met: 0.6 MB for a commune whose
tables were all read, never given back. It is left for a new one before it meets more communes."""


def is_fenced(connection: Any) -> bool:
    """Whether the session of a psycopg connection is, or may be, under a commune's role."""
    return getattr(connection, FENCED, False)


def plain(connection: Any) -> None:
    """Put a psycopg connection back as it was opened: what a pool does when it takes one back."""
    if is_fenced(connection):
        setattr(connection, FENCED, False)
        connection.autocommit = True
        connection.execute("RESET ROLE")


class _Fence:
    """What both kinds of cursors add to psycopg's."""

    def _execute_send(self, query: Any, **options: Any) -> None:
        """psycopg's last step before the wire, whatever called it (execute, stream, copy)."""
        if is_fenced(self._conn):  # type: ignore[attr-defined]
            check_statement(query.query)
            options["force_extended"] = True
        super()._execute_send(query, **options)  # type: ignore[misc]


class Cursor(_Fence, postgresql.Cursor):
    """Django's cursor behind the fence.

    In transaction pooling, a statement outside any transaction gets one of its own, which begins
    with the schema and the role.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Execute one statement."""
        if not (local := _local(self._conn)):
            return super().execute(query, params, **options)
        with self._conn.transaction():
            _say(self._conn, local)
            return super().execute(query, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Execute one statement for each set of parameters."""
        if not (local := _local(self._conn)):
            return super().executemany(query, params_seq, **options)
        with self._conn.transaction():
            _say(self._conn, local)
            return super().executemany(query, params_seq, **options)


class ServerSideCursor(_Fence, postgresql.ServerSideCursor):
    """Django's cursor of long lists behind the fence."""


class DatabaseWrapper(base.DatabaseWrapper):
    """The connection of one thread. `fenced` says whether a commune's schema brings its role."""

    def __init__(self, settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> None:
        self.fenced = False
        self._met: set[str] = set()
        self._streams: WeakSet[ServerSideCursor] = WeakSet()
        self.cell = settings_dict.get("CELL", "")
        if alias in {self.cell, f"{self.cell}_replica"}:
            # Seen as the default one when it takes its place (`cells`): that name is in querysets,
            # in the router, in objects. Pools go by the name: two servers would share one.
            alias = DEFAULT_DB_ALIAS
            if settings_dict["OPTIONS"].get("pool"):
                raise ImproperlyConfigured("a pool inside the process cannot serve several cells")
        super().__init__(settings_dict, alias)

    @property
    def role(self) -> str | None:
        """The role that statements must run under; None for the one that logged in."""
        here = str(self.schema_name)
        return here if self.fenced and here != get_public_schema_name() else None

    def fence(self, *, up: bool) -> None:
        """Raise or lower the fence for the statements that follow."""
        before, self.fenced = self.role, up
        if self.role != before:
            self.search_path_set_schemas = None

    @property
    def pools_transactions(self) -> bool:
        """Whether a pooler gives each transaction another session (`SOCLE_POOLING`)."""
        return self.settings_dict.get("POOLING") == "transaction"

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with our cursor."""
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def init_connection_state(self) -> None:
        """Django's first words on a new session, said by whoever logged in."""
        self._met = set()
        self._setting_search_path = True
        try:
            super().init_connection_state()
        finally:
            self._setting_search_path = False

    def create_cursor(self, name: str | None = None) -> Any:
        """Django's, with our server-side cursor."""
        if name is None:
            return super().create_cursor()
        cursor = ServerSideCursor(
            self.connection, name=name, scrollable=False, withhold=self.connection.autocommit
        )
        register_tzloader(self.timezone, cursor)
        self._streams.add(cursor)
        return cursor

    def _cursor(self, name: str | None = None) -> Any:
        if self._is_tired():
            self.close()
        return super()._cursor(name)

    def _is_tired(self) -> bool:
        """Whether the session met enough communes, and nothing of it is needed any more.

        Behind a pooler, the sessions are the pooler's: its `server_lifetime` ends them.
        """
        return (
            len(self._met) >= COMMUNES_PER_SESSION
            and self.schema_name not in self._met
            and self.connection is not None
            and not self.pools_transactions
            and self.connection.info.transaction_status == pq.TransactionStatus.IDLE
            and not self.in_atomic_block
            and all(stream.closed for stream in self._streams)
        )

    def _commit(self) -> None:
        super()._commit()
        if self.pools_transactions:  # the next transaction is in another session
            self.search_path_set_schemas = None

    def _handle_search_path(self, cursor: Any = None) -> None:
        """Put schema and role in place, unless they are."""
        if self._setting_search_path or self.search_path_set_schemas:
            return
        paths = self._get_cursor_search_paths()
        local = self.pools_transactions
        script = _script(paths, self.role, local=local)
        if local and self.connection.autocommit:
            setattr(self.connection, LOCAL, script)
            setattr(self.connection, FENCED, self.role is not None)
            return
        self._setting_search_path = True
        try:
            self._enter(script, cursor)
            self.search_path_set_schemas = paths
            self._met.add(str(self.schema_name))
        finally:
            self._setting_search_path = False

    def _enter(self, script: str, cursor: Any) -> None:
        """Send our own words to the session. What it did not take leaves it fenced."""
        connection = self.connection
        setattr(connection, LOCAL, "")
        failed = connection.info.transaction_status == pq.TransactionStatus.INERROR
        setattr(connection, FENCED, False)
        try:
            (cursor or connection.cursor()).execute(script)
        except (DatabaseError, psycopg.Error):
            setattr(connection, FENCED, True)
            if not failed:  # never go on under a role that was not asked for
                raise
        else:
            setattr(connection, FENCED, self.role is not None)

    def _get_cursor_search_paths(self) -> list[str]:
        paths: list[str] = super()._get_cursor_search_paths()
        if self.role is not None:
            paths.insert(1, COMMUNE_SCHEMA)
        return paths


def _script(paths: list[str], role: str | None, *, local: bool) -> str:
    word = "SET LOCAL" if local else "SET"
    names = sql.SQL(", ").join(map(sql.Identifier, paths)).as_string(None)
    whose = sql.Identifier(role).as_string(None) if role else "NONE"
    return f"{word} search_path = {names}; {word} ROLE {whose}"


def _local(connection: Any) -> str:
    """What a statement outside any transaction must be preceded by; "" when nothing."""
    idle = connection.info.transaction_status == pq.TransactionStatus.IDLE
    return getattr(connection, LOCAL, "") if idle else ""


def _say(connection: Any, script: str) -> None:
    fenced = is_fenced(connection)
    setattr(connection, FENCED, False)
    try:
        psycopg.ClientCursor(connection).execute(script)
    finally:
        setattr(connection, FENCED, fenced)
