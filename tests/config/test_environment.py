"""Socle refuses to start half-configured or unsafe, with one sentence that names the variable."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client

from socle.config.environment import Environment
from socle.config.reporting import without_private_data

REPO = Path(__file__).resolve().parents[2]
GOOD = {
    "SOCLE_DATABASE_URL": "postgresql://socle:p%40ss@db:5432/socle",
    "SOCLE_BROKER_URL": "redis://:x@broker/0",
    "SOCLE_SECRET_KEY": "s" * 48,
    "SOCLE_MASTER_KEY": base64.b64encode(b"k" * 32).decode(),
    "SOCLE_FILES_DIR": "/var/lib/socle",
}


def test_a_whole_environment_is_read() -> None:
    found = Environment.read(GOOD)
    assert found.database()["PASSWORD"] == "p@ss"
    assert found.base_host == "localhost"
    assert not found.demo


@pytest.mark.parametrize("name", [name for name in GOOD if name != "SOCLE_FILES_DIR"])
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        Environment.read({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SOCLE_SECRET_KEY": "short"}, "SOCLE_SECRET_KEY"),
        ({"SOCLE_MASTER_KEY": "not base64!"}, "SOCLE_MASTER_KEY"),
        ({"SOCLE_MASTER_KEY": base64.b64encode(b"k" * 16).decode()}, "SOCLE_MASTER_KEY"),
        ({"SOCLE_DEMO": "yes"}, "SOCLE_DEMO"),
        ({"SOCLE_DEMO": "1", "SOCLE_BASE_HOST": "socle.example", "SOCLE_HTTPS": "1"}, "SOCLE_DEMO"),
        ({"SOCLE_BASE_HOST": "socle.example"}, "SOCLE_HTTPS"),
        ({"SOCLE_FILES_DIR": ""}, "SOCLE_FILES_DIR"),
        ({"SOCLE_DELIVERY_LEASE": "soon"}, "SOCLE_DELIVERY_LEASE"),
        ({"SOCLE_DELIVERY_LEASE": "0"}, "SOCLE_DELIVERY_LEASE"),
        ({"SOCLE_ANTIVIRUS": "clamd:3310"}, "SOCLE_ANTIVIRUS"),
        ({"SOCLE_ANTIVIRUS": "tcp://clamd", "SOCLE_DELIVERY_LEASE": "30"}, "SOCLE_DELIVERY_LEASE"),
        ({"SOCLE_PROXIES": "all"}, "SOCLE_PROXIES"),
        ({"SOCLE_PROXIES": "-1"}, "SOCLE_PROXIES"),
        ({"SOCLE_BROKER_URL": "valkey://broker/0"}, "SOCLE_BROKER_URL"),
        ({"SOCLE_MAIL_URL": "smpt://mail"}, "SOCLE_MAIL_URL"),
        ({"SOCLE_MAIL_URL": "mail.example.fr"}, "SOCLE_MAIL_URL"),
        ({"SOCLE_MAIL_URL": "smtp://mail:port"}, "SOCLE_MAIL_URL"),
        ({"SOCLE_DATABASE_URL": "postgresql://u:p/w@db/socle"}, "SOCLE_DATABASE_URL"),
        ({"SOCLE_DATABASE_URL": "postgresql://db/socle?sslmod=require"}, "'sslmod'"),
        ({"SOCLE_DATABASE_URL": "postgresql://db/socle?sslmode=yes"}, "'yes'"),
        ({"SOCLE_CELLS": "est"}, "SOCLE_CELLS"),
        ({"SOCLE_CELLS": "Est=postgresql://db/socle"}, "'Est'"),
        ({"SOCLE_CELLS": "main=postgresql://db/socle"}, "'main'"),
        ({"SOCLE_CELLS": "est=postgresql://a/s est=postgresql://b/s"}, "'est'"),
        ({"SOCLE_CELLS": "est=sqlite:///x"}, "SOCLE_CELLS"),
        ({"SOCLE_CELLS_OWNER": "est=postgresql://a/s"}, "SOCLE_CELLS_OWNER"),
        ({"SOCLE_CELLS_REPLICA": "est=postgresql://a/s"}, "SOCLE_CELLS_REPLICA"),
        ({"SOCLE_CELL": "est"}, "SOCLE_CELL"),
        ({"SOCLE_PLACEMENT": "est=86"}, "SOCLE_PLACEMENT"),
        ({"SOCLE_CELLS": "est=postgresql://a/s", "SOCLE_PLACEMENT": "est=Vienne"}, "'Vienne'"),
        ({"SOCLE_CELLS": "est=postgresql://a/s", "SOCLE_PLACEMENT": "est=86,86"}, "'86'"),
        ({"SOCLE_REPLICA_LAG": "0"}, "SOCLE_REPLICA_LAG"),
    ],
)
def test_an_unsafe_value_is_refused_by_name(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words):
        Environment.read(GOOD | changes)


def test_several_servers_are_read_with_what_is_placed_on_each() -> None:
    cells = {
        "SOCLE_CELLS": "est=postgresql://u:p@h2/socle?sslmode=require ouest=postgresql://h3/socle",
        "SOCLE_PLACEMENT": "est=86,2A,200081511 ouest=044",
        "SOCLE_CELL": "est",
    }
    found = Environment.read(GOOD | cells)
    assert list(found.databases()) == ["main", "est", "ouest"]
    assert found.databases()["est"]["OPTIONS"] == {"sslmode": "require"}
    assert found.places() == {"086": "est", "02A": "est", "200081511": "est", "044": "ouest"}


def test_a_database_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="SOCLE_DATABASE_URL"):
        Environment.read(GOOD | {"SOCLE_DATABASE_URL": "sqlite:///x"}).database()


def test_the_owner_is_optional_and_read_like_the_other() -> None:
    assert Environment.read(GOOD).owners() == {}
    owner = {"SOCLE_DATABASE_OWNER_URL": "postgresql://o:p%40ss@db/socle"}
    assert Environment.read(GOOD | owner).owners()["main"]["PASSWORD"] == "p@ss"
    with pytest.raises(ImproperlyConfigured, match="SOCLE_DATABASE_OWNER_URL"):
        Environment.read(GOOD | {"SOCLE_DATABASE_OWNER_URL": "sqlite:///x"})


def test_transaction_pooling_is_said_to_the_connection() -> None:
    assert Environment.read(GOOD).pooling_settings() == {}
    said = Environment.read(GOOD | {"SOCLE_POOLING": "transaction"}).pooling_settings()
    assert said == {"POOLING": "transaction", "DISABLE_SERVER_SIDE_CURSORS": True}
    with pytest.raises(ImproperlyConfigured, match="SOCLE_POOLING"):
        Environment.read(GOOD | {"SOCLE_POOLING": "statement"})


def test_no_refusal_repeats_a_password() -> None:
    for name in ("SOCLE_DATABASE_URL", "SOCLE_MAIL_URL", "SOCLE_BROKER_URL"):
        with pytest.raises(ImproperlyConfigured) as refusal:
            Environment.read(GOOD | {name: "nonsense://someone:tres-secret@host:1/x"})
        assert "tres-secret" not in str(refusal.value)


def test_the_parameters_of_the_database_reach_its_driver() -> None:
    where = "postgresql://db/socle?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    read = Environment.read(
        GOOD | {"SOCLE_DATABASE_URL": f"{where}&options=-c%20statement_timeout%3D30s"}
    )
    assert read.database()["OPTIONS"] == {
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.pem",
        "options": "-c statement_timeout=30s",
    }


def test_postgresql_obeys_the_parameters_of_its_address(db: None) -> None:
    address = os.environ["SOCLE_TEST_SERVER"].partition("?")[0]
    wanted = {"SOCLE_DATABASE_URL": f"{address}?options=-c%20statement_timeout%3D7s"}
    found = DatabaseWrapper(
        {**connection.settings_dict, **Environment.read(GOOD | wanted).database()}
    )
    try:
        with found.temporary_connection() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("7s",)
    finally:
        found.close()


@pytest.mark.parametrize(
    ("url", "port", "starttls", "tls"),
    [
        ("smtp://relais", 25, False, False),
        ("smtp+starttls://relais", 587, True, False),
        ("smtps://relais", 465, False, True),
        ("smtps://relais:2465", 2465, False, True),
    ],
)
def test_each_way_of_mailing_has_its_port(url: str, port: int, starttls: bool, tls: bool) -> None:
    mail = Environment.read(GOOD | {"SOCLE_MAIL_URL": url}).mail()
    assert mail is not None
    assert (mail.host, mail.port, mail.starttls, mail.tls) == ("relais", port, starttls, tls)


def test_the_password_of_the_mail_server_is_decoded() -> None:
    mail = Environment.read(GOOD | {"SOCLE_MAIL_URL": "smtps://socle:p%40ss@relais"}).mail()
    assert mail is not None
    assert (mail.user, mail.password) == ("socle", "p@ss")


def test_without_a_mail_server_there_is_none() -> None:
    assert Environment.read(GOOD).mail() is None


def test_the_process_really_stops() -> None:
    bare = {key: value for key, value in os.environ.items() if not key.startswith("SOCLE_")}
    run = subprocess.run(
        [sys.executable, "platform/manage.py", "check"],
        cwd=REPO,
        env=bare,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "SOCLE_DATABASE_URL is not set" in run.stderr


def test_the_probes_answer_before_routing(db: None) -> None:
    by_address = Client(HTTP_HOST="10.1.2.3")  # no commune, not even an allowed host
    assert by_address.get("/sante/vivant").json() == {"vivant": True}
    ready = by_address.get("/sante/pret")
    assert ready.status_code == 200
    assert ready.json()["base"] is True


def test_an_unknown_host_says_so_in_french(db: None) -> None:
    page = Client(HTTP_HOST="nulle-part.localhost").get("/")
    assert page.status_code == 404
    assert "aucune commune" in page.content.decode()


def test_a_report_holds_no_person_no_form_and_no_message() -> None:
    event: dict[str, Any] = {
        "user": {"email": "claire@melle.fr"},
        "request": {
            "url": "http://melle.localhost/actes/",
            "data": {"objet": "secret"},
            "cookies": {"socle_session": "x"},
            "headers": {"Cookie": "x"},
        },
        "exception": {"values": [{"type": "ValueError", "value": "Madame Martin, née le…"}]},
        "tags": {"tenant": "t_200081511"},
    }
    cleaned = without_private_data(event, {})
    assert "claire" not in str(cleaned)
    assert "secret" not in str(cleaned)
    assert "Martin" not in str(cleaned)
    assert cleaned["tags"] == {"tenant": "t_200081511"}
    assert cleaned["exception"]["values"][0]["type"] == "ValueError"
