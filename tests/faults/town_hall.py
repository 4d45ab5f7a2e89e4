"""A PostgreSQL of its own with six communes, to be restarted, filled up and killed at will."""
# ruff: noqa: S608 -- the names of our own schemas

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from socle.core.roles import COMMUNE, OWNER, WEB
from socle.stack import binaries, roles
from socle.stack.postgres import Postgres
from tests.conftest import REPO, SERVER, TEMPLATE

COMMUNES: Final = 6
NEXT: Final = {"documents": "tests.faults.next_documents"}
STANDINGS: Final = """
SELECT schema_name, blueprint FROM tenants_tenant WHERE organisation_id IS NOT NULL
"""
UPGRADE: Final = """
from django.core.management import CommandError, call_command
try:
    call_command("migrate_tenants", batch=2, workers=2)
except CommandError as problem:
    print("ERREUR", problem)
    raise SystemExit(3)
"""
PROVISION: Final = """
from django.utils import timezone
from socle.core.refusals import Refusal
from socle.directory.models import Organisation
from tenants.provisioning import provision
for organisation in Organisation.objects.filter(kind="commune", tenant=None).order_by("pk")[:{}]:
    try:
        provision(organisation=organisation, by="tests", at=timezone.now())
        print("ouvert", organisation.siren)
    except Refusal as refusal:
        print("refusé", refusal.code)
"""


class Forge:
    """The process that forks (see `forge`)."""

    def __init__(self, url: str, place: Path) -> None:
        self.place, self.user = place, OWNER
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forge"],
            cwd=REPO,
            env=os.environ | {"SOCLE_DATABASE_URL": url, "SOCLE_FILES_DIR": str(place / "files")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, code: str, database: str, **order: Any) -> int:
        """Fork a process that executes `code`; its number."""
        log = str(self.place / "log")
        return self._ask({"user": OWNER, "log": log, "code": code, "database": database, **order})

    def wait(self, pid: int) -> int:
        """The exit code of a child; the number of the signal, negated, when it was killed."""
        return self._ask({"wait": pid})

    def said(self) -> str:
        """What the last child wrote."""
        return (self.place / "log").read_text()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()

    def _ask(self, order: dict[str, Any]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@dataclass
class TownHall:
    """The server, the forge, and the database of the test."""

    server: Postgres
    forge: Forge
    database: str = ""

    def connect(self, role: str = "") -> psycopg.Connection[tuple[Any, ...]]:
        """A connection in autocommit mode, the superuser's when no role is named."""
        url = self.server.url(self.database, role) if role else self.server.url(self.database)
        return psycopg.connect(url, autocommit=True)

    def query(self, question: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with self.connect() as db:
            return db.execute(question).fetchall()

    def execute(self, *statements: str) -> None:
        """Change it, as the superuser."""
        with self.connect() as db:
            for statement in statements:
                db.execute(statement)

    def schemas(self) -> list[str]:
        """The schemas of the communes."""
        found = (
            "SELECT schema_name FROM tenants_tenant WHERE organisation_id IS NOT NULL ORDER BY 1"
        )
        return [name for (name,) in self.query(found)]

    def start_upgrade(self, **order: Any) -> int:
        """Start `migrate_tenants` of the next release."""
        return self.forge.start(UPGRADE, self.database, modules=NEXT, **order)

    def upgrade(self, **order: Any) -> int:
        """Run it to its end; the exit code."""
        return self.forge.wait(self.start_upgrade(**order))

    def places(self) -> dict[str, int]:
        """How many of the three migrations each commune has, once every sign of it agrees.

        Fails on a commune inside a migration: its column, its rows, its table, what it noted of
        Django's migrations and the blueprint it stands at must all say the same.
        """
        with self.connect() as db:
            known = dict(db.execute("SELECT fingerprint, migrations FROM tenants_blueprint"))
            stands = db.execute(STANDINGS).fetchall()
            return {schema: _place(db, schema, known[pk]) for schema, pk in stands}


def _place(db: Any, schema: str, migrations: list[list[str]]) -> int:
    noted = db.execute(
        f"SELECT count(*) FROM {schema}.django_migrations "
        "WHERE app = 'documents' AND name <> '0001_initial'"
    ).fetchone()[0]
    recorded = sum(app == "documents" and name != "0001_initial" for app, name in migrations)
    column = db.execute(
        "SELECT FROM information_schema.columns WHERE table_schema = %s "
        "AND table_name = 'documents_storedfile' AND column_name = 'note'",
        [schema],
    ).fetchone()
    read = f"SELECT note FROM {schema}.documents_storedfile"
    rows = NOTES[db.execute(read).fetchone()[0]] if column is not None else 0
    table = db.execute("SELECT to_regclass(%s)", [f"{schema}.documents_label"]).fetchone()[0]
    seen = rows + (table is not None)
    assert noted == recorded == seen, (schema, noted, recorded, rows, table)
    return seen


NOTES: Final = {"repris": 1, "acte.pdf par Python": 2}
STORED: Final = """
INSERT INTO {}.documents_storedfile
    (id, name, media_type, size, sha256, storage_key, created_at, created_by_label)
SELECT gen_random_uuid(), 'acte.pdf', 'application/pdf', 1, repeat('a', 64),
       repeat('a', 64), now(), 'tests'
"""


@contextmanager
def town_hall(place: Path) -> Iterator[TownHall]:
    """Start the server, copy the world of the tests into it, open a few more communes."""
    with Postgres(place / "state", durable=False) as server:
        roles.ensure_roles(server)
        _copy_world(server)
        forge = Forge(server.url("origin", OWNER), place)
        hall = TownHall(server, forge, "origin")
        try:
            assert forge.wait(forge.start(PROVISION.format(COMMUNES - 3), "origin", user=WEB)) == 0
            hall.execute(*(STORED.format(schema) for schema in hall.schemas()))
            yield hall
        finally:
            forge.close()
            hall.database = "postgres"
    server.erase()


@contextmanager
def copy(hall: TownHall, name: str) -> Iterator[TownHall]:
    """The communes in a database of one test."""
    with psycopg.connect(hall.server.url("postgres"), autocommit=True) as db:
        create = f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE origin STRATEGY file_copy"
        db.execute(create)
        db.execute(roles.connect_script(name))
    mine = TownHall(hall.server, hall.forge, name)
    mine.execute(roles.CLOSE)
    try:
        yield mine
    finally:
        with psycopg.connect(hall.server.url("postgres"), autocommit=True) as db:
            db.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _copy_world(server: Postgres) -> None:
    """The template database of the tests, by `pg_dump`: it is on another server."""
    with psycopg.connect(SERVER, autocommit=True) as source:
        communes = [
            name
            for (name,) in source.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 't\\_%'")
        ]
    programs = binaries.postgres_bin(None)
    parts = urlsplit(SERVER)
    dump = subprocess.run(
        [programs / "pg_dump", parts._replace(path=f"/{TEMPLATE}").geturl()],
        check=True,
        capture_output=True,
    )
    with server.connect() as db:
        db.execute(f"SET ROLE {OWNER}")  # who makes a role may give it
        for role in (COMMUNE, *communes):
            db.execute(f"CREATE ROLE {role} NOLOGIN")
        db.execute("RESET ROLE")
        db.execute(f"CREATE DATABASE origin OWNER {OWNER} TEMPLATE template0")
        db.execute(roles.connect_script("origin"))
    subprocess.run(
        [programs / "psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", server.url("origin")],
        input=dump.stdout,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with server.connect("origin") as db:
        db.execute(roles.CLOSE)
        db.execute(f"SET ROLE {OWNER}")
        for role in communes:
            here = "WHERE to_regnamespace(%(role)s) IS NOT NULL"
            db.execute(f"SELECT public.socle_fence(%(role)s) {here}", {"role": role})
