"""What the surroundings must tell Socle before it starts, read once and typed.

A missing or unsafe value stops the start with one sentence that names the variable: a service that
starts half-configured fails later, in front of a secretary.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Never
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from socle.documents.clamd import Place

LOOPBACK: Final = ("localhost", "127.0.0.1")
MASTER_KEY_BYTES: Final = 32
SHORTEST_SECRET: Final = 32
POOLING: Final = ("session", "transaction")
DATABASE_PARAMETERS: Final = ("options", "sslmode", "sslrootcert")
SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
MAIL_PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
MAIN_CELL: Final = "main"
CELL_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,6}")  # it stands in the numbers of invoices
RESERVED_CELLS: Final = frozenset({MAIN_CELL, "default", "replica", "celery", "public"})
PLACE: Final = re.compile(r"[0-9][0-9][0-9AB]|[0-9]{9}")
SIREN_DIGITS: Final = 9
LEASE_WITH_ANTIVIRUS: Final = 60
"""Seconds: what `documents.antivirus` takes at most, and the time to store the outcome."""
BROKER_PATIENCE: Final = 2.0
"""Seconds a broker is given to take a connection, then to answer: a page may wait for it."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails are handed over; `starttls` and `tls` are never both true."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls: bool


@dataclass(frozen=True, slots=True)
class Environment:
    """Typed settings; every attribute comes from the variable `SOCLE_<NAME>`."""

    database_url: str
    database_owner_url: str
    database_replica_url: str
    replica_lag: int
    cells: str
    cells_owner: str
    cells_replica: str
    placement: str
    cell: str
    pooling: str
    broker_url: str
    secret_key: str
    master_key: bytes
    master_key_previous: bytes | None
    base_host: str
    port: str
    https: bool
    demo: bool
    files_dir: Path | None
    s3_bucket: str
    s3_endpoint: str
    exercise_url: str
    exercise_token: str
    mail_url: str
    mail_from: str
    sentry_dsn: str
    proxy_secret: str
    proxies: int
    antivirus: str
    delivery_lease: int
    help_mail: str
    help_phone: str
    help_hours: str

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "Environment":
        """Read and check `variables` (usually `os.environ`).

        Raises ImproperlyConfigured with one sentence naming the variable at fault.
        """
        found = cls(
            database_url=_required(variables, "SOCLE_DATABASE_URL"),
            database_owner_url=variables.get("SOCLE_DATABASE_OWNER_URL", ""),
            database_replica_url=variables.get("SOCLE_DATABASE_REPLICA_URL", ""),
            replica_lag=_seconds(variables, "SOCLE_REPLICA_LAG", default=30),
            cells=variables.get("SOCLE_CELLS", ""),
            cells_owner=variables.get("SOCLE_CELLS_OWNER", ""),
            cells_replica=variables.get("SOCLE_CELLS_REPLICA", ""),
            placement=variables.get("SOCLE_PLACEMENT", ""),
            cell=variables.get("SOCLE_CELL", "") or MAIN_CELL,
            pooling=variables.get("SOCLE_POOLING", "session"),
            broker_url=_required(variables, "SOCLE_BROKER_URL"),
            secret_key=_required(variables, "SOCLE_SECRET_KEY"),
            master_key=_key(variables, "SOCLE_MASTER_KEY") or _missing("SOCLE_MASTER_KEY"),
            master_key_previous=_key(variables, "SOCLE_MASTER_KEY_PREVIOUS"),
            base_host=variables.get("SOCLE_BASE_HOST", "localhost"),
            port=variables.get("SOCLE_PORT", ""),
            https=_flag(variables, "SOCLE_HTTPS"),
            demo=_flag(variables, "SOCLE_DEMO"),
            files_dir=Path(files) if (files := variables.get("SOCLE_FILES_DIR")) else None,
            s3_bucket=variables.get("SOCLE_S3_BUCKET", ""),
            s3_endpoint=variables.get("SOCLE_S3_ENDPOINT", ""),
            exercise_url=variables.get("SOCLE_EXERCISE_URL", ""),
            exercise_token=variables.get("SOCLE_EXERCISE_TOKEN", ""),
            mail_url=variables.get("SOCLE_MAIL_URL", ""),
            mail_from=variables.get("SOCLE_MAIL_FROM", "socle@localhost"),
            sentry_dsn=variables.get("SOCLE_SENTRY_DSN", ""),
            proxy_secret=variables.get("SOCLE_PROXY_SECRET", ""),
            proxies=_whole(variables, "SOCLE_PROXIES", default=0),
            help_mail=variables.get("SOCLE_HELP_MAIL", ""),
            help_phone=variables.get("SOCLE_HELP_PHONE", ""),
            help_hours=variables.get("SOCLE_HELP_HOURS", ""),
            antivirus=variables.get("SOCLE_ANTIVIRUS", ""),
            delivery_lease=_seconds(variables, "SOCLE_DELIVERY_LEASE", default=60),
        )
        found.check()
        return found

    def check(self) -> None:
        """Refuse combinations that would be unsafe to serve with."""
        if len(self.secret_key) < SHORTEST_SECRET:
            raise ImproperlyConfigured(
                f"SOCLE_SECRET_KEY is shorter than {SHORTEST_SECRET} characters: "
                "generate one with `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
            )
        if self.demo and self.base_host not in LOOPBACK:
            raise ImproperlyConfigured(
                "SOCLE_DEMO shows one-time codes on the login page: it is only allowed "
                f"when SOCLE_BASE_HOST is localhost, not {self.base_host}."
            )
        if not self.https and self.base_host not in LOOPBACK:
            raise ImproperlyConfigured(
                f"SOCLE_HTTPS must be 1 to serve {self.base_host}: "
                "passwords and acts never travel in clear."
            )
        if not (self.files_dir or self.s3_bucket):
            raise ImproperlyConfigured(
                "Neither SOCLE_FILES_DIR nor SOCLE_S3_BUCKET is set: Socle needs one place "
                "for its encrypted files."
            )
        if self.pooling not in POOLING:
            raise ImproperlyConfigured(
                f"SOCLE_POOLING must be one of {', '.join(POOLING)}, not {self.pooling!r}."
            )
        self.owners()
        self.replicas()
        self.places()
        if self.cell not in self.databases():
            raise ImproperlyConfigured(
                f"SOCLE_CELL names {self.cell!r}, which is not in SOCLE_CELLS."
            )
        self.broker_options()
        self.mail()
        self.clamd()

    def database(self) -> dict[str, Any]:
        """The parts of the database URL, as Django names them.

        `sslmode`, `sslrootcert` and `options` may stand after the question mark. Raises
        ImproperlyConfigured, naming what it does not know.
        """
        return _database("SOCLE_DATABASE_URL", self.database_url)

    def databases(self) -> dict[str, dict[str, Any]]:
        """The database of every cell, the main one first (docs/decisions/0009-growing.md).

        `SOCLE_CELLS` holds `name=URL`, one after the other. Raises ImproperlyConfigured.
        """
        return {MAIN_CELL: self.database()} | _databases("SOCLE_CELLS", self.cells)

    def owners(self) -> dict[str, dict[str, Any]]:
        """The same for the role that owns the tables; only commands that migrate are told it.

        A cell whose owner is not said is not there.
        """
        main = self._main("SOCLE_DATABASE_OWNER_URL", self.database_owner_url)
        return main | self._known("SOCLE_CELLS_OWNER", self.cells_owner)

    def replicas(self) -> dict[str, dict[str, Any]]:
        """The read replica of each cell that has one."""
        main = self._main("SOCLE_DATABASE_REPLICA_URL", self.database_replica_url)
        return main | self._known("SOCLE_CELLS_REPLICA", self.cells_replica)

    def places(self) -> dict[str, str]:
        """The cell of each département (`086`) or body (its SIREN) that is not in the main one.

        `SOCLE_PLACEMENT` reads `est=86,16,200083897 ouest=44`.
        """
        found: dict[str, str] = {}
        for cell, codes in _pairs("SOCLE_PLACEMENT", self.placement):
            if cell not in self.databases():
                raise ImproperlyConfigured(
                    f"SOCLE_PLACEMENT names the cell {cell!r}, which is not in SOCLE_CELLS."
                )
            for code in codes.split(","):
                key = code if len(code) == SIREN_DIGITS else code.zfill(3)
                if not PLACE.fullmatch(key) or key in found:
                    raise ImproperlyConfigured(
                        f"SOCLE_PLACEMENT: {code!r} is neither a département nor a SIREN, "
                        "or stands there twice."
                    )
                found[key] = cell
        return found

    def _main(self, variable: str, value: str) -> dict[str, dict[str, Any]]:
        return {MAIN_CELL: _database(variable, value)} if value else {}

    def _known(self, variable: str, text: str) -> dict[str, dict[str, Any]]:
        found = _databases(variable, text)
        if strangers := found.keys() - self.databases().keys():
            raise ImproperlyConfigured(
                f"{variable} names {', '.join(sorted(strangers))}, not in SOCLE_CELLS."
            )
        return found

    def pooling_settings(self) -> dict[str, Any]:
        """What Django's connection must know of a pooler between it and PostgreSQL."""
        if self.pooling == "session":
            return {}
        return {"POOLING": self.pooling, "DISABLE_SERVER_SIDE_CURSORS": True}

    def clamd(self) -> Place | None:
        """Where the antivirus listens, or None when SOCLE_ANTIVIRUS is not set.

        Raises ImproperlyConfigured when it reads neither `unix:/path` nor `tcp://host:port`, and
        when a file would be looked at for longer than its worker owns it.
        """
        if not self.antivirus:
            return None
        if self.delivery_lease < LEASE_WITH_ANTIVIRUS:
            raise ImproperlyConfigured(
                f"SOCLE_DELIVERY_LEASE is {self.delivery_lease} seconds: an antivirus needs "
                f"{LEASE_WITH_ANTIVIRUS} or more, or another worker would take the file meanwhile."
            )
        try:
            return Place.parse(self.antivirus)
        except ValueError:
            raise ImproperlyConfigured(
                "SOCLE_ANTIVIRUS must look like unix:/run/clamav/clamd.ctl or "
                f"tcp://antivirus:3310, not {self.antivirus!r}."
            ) from None

    def mail(self) -> MailServer | None:
        """The mail server, or None when SOCLE_MAIL_URL is not set.

        Raises ImproperlyConfigured for a scheme that is not in `MAIL_PORTS`.
        """
        if not self.mail_url:
            return None
        url, port = _split("SOCLE_MAIL_URL", self.mail_url)
        if url.scheme not in MAIL_PORTS or not url.hostname:
            raise ImproperlyConfigured(
                "SOCLE_MAIL_URL must look like smtps://user:password@host, smtp+starttls://… "
                f"or smtp://…, and not begin with {url.scheme or 'nothing'}://{url.hostname or ''}."
            )
        return MailServer(
            host=url.hostname,
            port=port or MAIL_PORTS[url.scheme],
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            starttls=url.scheme == "smtp+starttls",
            tls=url.scheme == "smtps",
        )

    def broker_options(self) -> dict[str, Any]:
        """How long Celery waits for its broker, in the words of the transport.

        Without a limit, a broker that accepts connections and stays silent holds every request
        that queues something, then the whole site. Raises ImproperlyConfigured for a broker of
        another kind.
        """
        kind = urlsplit(self.broker_url).scheme.partition("+")[0]
        if kind in {"redis", "rediss", "sentinel"}:
            # Redis and Valkey only give a lost message back after the visibility timeout and at
            # the next scan: both are short, since a message is but a wake-up call and every task
            # may run twice.
            return {
                "visibility_timeout": 120,
                "unacked_restore_interval": 5,
                "unacked_restore_throttle": 1,
                "socket_connect_timeout": BROKER_PATIENCE,
                "socket_timeout": BROKER_PATIENCE,
                "max_retries": 0,
            }
        if kind in {"amqp", "amqps"}:
            return {
                "connect_timeout": BROKER_PATIENCE,
                "read_timeout": BROKER_PATIENCE,
                "write_timeout": BROKER_PATIENCE,
                "max_retries": 0,
            }
        if kind == "memory":  # inside one process: the tests
            return {}
        raise ImproperlyConfigured(
            "SOCLE_BROKER_URL must begin with redis:// or rediss:// (Redis, Valkey), amqp:// or "
            f"amqps:// (RabbitMQ), not with {kind or 'nothing'}://."
        )


def _missing(name: str) -> Never:
    raise ImproperlyConfigured(f"{name} is not set; see docs/operations/production.md.")


def _required(variables: Mapping[str, str], name: str) -> str:
    return variables.get(name) or _missing(name)


def _flag(variables: Mapping[str, str], name: str) -> bool:
    value = variables.get(name, "0")
    if value not in {"0", "1"}:
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1"


def _whole(variables: Mapping[str, str], name: str, *, default: int) -> int:
    text = variables.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _seconds(variables: Mapping[str, str], name: str, *, default: int) -> int:
    found = _whole(variables, name, default=default)
    if not found:
        raise ImproperlyConfigured(f"{name} must be one second at least.")
    return found


def _split(name: str, text: str) -> tuple[SplitResult, int | None]:
    """An address and its port. The text is not repeated: it holds a password."""
    try:
        url = urlsplit(text)
        return url, url.port
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is not an address: percent-encode the special characters of its password."
        ) from None


def _database(name: str, text: str) -> dict[str, Any]:
    url, port = _split(name, text)
    if url.scheme not in {"postgres", "postgresql"} or not url.path.strip("/"):
        raise ImproperlyConfigured(
            f"{name} must look like postgresql://user:password@host:5432/name."
        )
    return {
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(port or ""),
        "OPTIONS": _database_options(name, url.query),
    }


def _database_options(variable: str, query: str) -> dict[str, str]:
    found = dict(parse_qsl(query, keep_blank_values=True))
    for name in found:
        if name not in DATABASE_PARAMETERS:
            raise ImproperlyConfigured(
                f"{variable} has the parameter {name!r}, which Socle does not know: "
                f"only {', '.join(DATABASE_PARAMETERS)} may follow the question mark."
            )
    if found.get("sslmode", "require") not in SSL_MODES:
        raise ImproperlyConfigured(
            f"{variable}: sslmode must be one of {', '.join(SSL_MODES)}, not {found['sslmode']!r}."
        )
    return found


def _pairs(variable: str, text: str) -> list[tuple[str, str]]:
    """`name=value` words; the value may hold further equal signs."""
    found = []
    for word in text.split():
        name, equal, value = word.partition("=")
        if not (equal and value):
            raise ImproperlyConfigured(f"{variable} must read name=value name=value, not {name!r}.")
        found.append((name, value))
    return found


def _databases(variable: str, text: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, url in _pairs(variable, text):
        if not CELL_NAME.fullmatch(name) or name in RESERVED_CELLS or name in found:
            raise ImproperlyConfigured(
                f"{variable}: {name!r} cannot be the name of a cell: two to seven small letters "
                f"and digits, each name once, none of {', '.join(sorted(RESERVED_CELLS))}."
            )
        found[name] = _database(f"{variable} ({name})", url)
    return found


def _key(variables: Mapping[str, str], name: str) -> bytes | None:
    if not (text := variables.get(name)):
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise ImproperlyConfigured(
            f"{name} must be {MASTER_KEY_BYTES} random bytes in base64: "
            "`python -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'`."
        )
    return key
