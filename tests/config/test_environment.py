"""Socle refuses to start half-configured or unsafe, with one sentence that names the variable."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
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
    ],
)
def test_an_unsafe_value_is_refused_by_name(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=words):
        Environment.read(GOOD | changes)


def test_a_database_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="SOCLE_DATABASE_URL"):
        Environment.read(GOOD | {"SOCLE_DATABASE_URL": "sqlite:///x"}).database()


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
