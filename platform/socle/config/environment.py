"""What the surroundings must tell Socle before it starts, read once and typed.

A missing or unsafe value stops the start with one sentence that names the variable: a service that
starts half-configured fails later, in front of a secretary.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

LOOPBACK: Final = ("localhost", "127.0.0.1")
MASTER_KEY_BYTES: Final = 32
SHORTEST_SECRET: Final = 32


@dataclass(frozen=True, slots=True)
class Environment:
    """Typed settings; every attribute comes from the variable `SOCLE_<NAME>`."""

    database_url: str
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
    delivery_lease: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "Environment":
        """Read and check `variables` (usually `os.environ`).

        Raises ImproperlyConfigured with one sentence naming the variable at fault.
        """
        found = cls(
            database_url=_required(variables, "SOCLE_DATABASE_URL"),
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

    def database(self) -> dict[str, str]:
        """The parts of the database URL, as Django names them."""
        url = urlsplit(self.database_url)
        if url.scheme not in {"postgres", "postgresql"} or not url.path.strip("/"):
            raise ImproperlyConfigured(
                "SOCLE_DATABASE_URL must look like postgresql://user:password@host:5432/name."
            )
        return {
            "NAME": unquote(url.path.strip("/")),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": unquote(url.hostname or ""),
            "PORT": str(url.port or ""),
        }


def _missing(name: str) -> Never:
    raise ImproperlyConfigured(f"{name} is not set; see docs/operations/production.md.")


def _required(variables: Mapping[str, str], name: str) -> str:
    return variables.get(name) or _missing(name)


def _flag(variables: Mapping[str, str], name: str) -> bool:
    value = variables.get(name, "0")
    if value not in {"0", "1"}:
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1"


def _seconds(variables: Mapping[str, str], name: str, *, default: int) -> int:
    text = variables.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ImproperlyConfigured(f"{name} must be a number of seconds, not {text!r}.")
    return int(text)


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
