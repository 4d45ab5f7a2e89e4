"""The roles of a database of ours, and what only a superuser can close in it.

In production the same statements are typed once by whoever runs PostgreSQL
(docs/operations/production.md).
"""

from typing import Final

from psycopg import sql

from socle.core.roles import OWNER, WEB
from socle.stack.postgres import Postgres

OWNER_OPTIONS: Final = ("CREATEROLE", "NOSUPERUSER", "NOCREATEDB", "INHERIT")
WEB_OPTIONS: Final = ("NOCREATEROLE", "NOSUPERUSER", "NOCREATEDB", "NOINHERIT")

# SET ROLE is open to whoever logged in; set_config() is the same door inside a SELECT, and an
# UPDATE of pg_settings a third. Temporary tables and functions would be names of one's own first
# on the path.
CLOSE: Final = f"""
REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO {OWNER}, {WEB};
REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
"""


def ensure_roles(postgres: Postgres) -> None:
    """The role that owns and the role that serves, both with the password of the stack."""
    postgres.ensure_role(OWNER, *OWNER_OPTIONS)
    postgres.ensure_role(WEB, *WEB_OPTIONS)


def ensure_database(postgres: Postgres, dbname: str) -> None:
    """A database that `OWNER` owns and `WEB` may enter, closed as above."""
    postgres.ensure_database(dbname, owner=OWNER)
    with postgres.connect(dbname) as db:
        db.execute(CLOSE)
        db.execute(connect_script(dbname))


def connect_script(dbname: str) -> str:
    """Who may enter a database; a copy of a database does not inherit this."""
    script = sql.SQL(
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO {web}"
    )
    return script.format(name=sql.Identifier(dbname), web=sql.Identifier(WEB)).as_string(None)
