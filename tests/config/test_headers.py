"""What every answer carries, whoever made it: a page, a file, a refusal, nobody's host."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

REPO = Path(__file__).resolve().parents[2]
PAGES = {
    "a page": ("localhost", "/connexion/", 200),
    "a page that is not": ("localhost", "/nulle-part/", 404),
    "a host that is nobody's": ("nulle-part.localhost", "/", 404),
    "a host that is not ours": ("ailleurs.example", "/", 400),
    "a static file": ("localhost", "/static/web/socle.css", 200),
    "a probe": ("10.1.2.3", "/sante/vivant", 200),
}


@pytest.fixture(params=PAGES.values(), ids=PAGES.keys())
def answer(request: pytest.FixtureRequest, db: None) -> Any:
    host, path, status = request.param
    found = Client(HTTP_HOST=host).get(path)
    assert found.status_code == status
    assert found.getvalue()  # read to its end, a file is closed
    return found


def _policy(header: str) -> dict[str, list[str]]:
    directives = (directive.split() for directive in header.split(";") if directive.strip())
    return {name: values for name, *values in directives}


def test_it_lets_nothing_foreign_run(answer: Any) -> None:
    policy = _policy(answer["Content-Security-Policy"])
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert "form-action" in policy  # the one that default-src does not cover
    said = {value for values in policy.values() for value in values}
    assert not said & {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"}
    assert not {"script-src", "style-src"} & policy.keys()  # default-src stands for them


def test_it_is_never_framed(answer: Any) -> None:
    assert answer["X-Frame-Options"] == "DENY"
    assert _policy(answer["Content-Security-Policy"])["frame-ancestors"] == ["'none'"]


def test_its_type_is_not_guessed(answer: Any) -> None:
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_its_address_is_told_to_nobody(answer: Any) -> None:
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_page_of_a_host_that_is_nobodys_is_a_page(db: None) -> None:
    page = Client(HTTP_HOST="nulle-part.localhost").get("/").content.decode()
    assert '<html lang="fr">' in page
    assert "web/socle.css" in page
    assert "appelez votre syndicat" in page


def test_no_script_reads_our_cookies_and_no_other_site_sends_them(db: None) -> None:
    client = Client(HTTP_HOST="localhost")
    client.get("/connexion/")
    assert "csrftoken" in client.cookies
    for cookie in client.cookies.values():
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Lax"


IN_PRODUCTION = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
client = Client(HTTP_HOST="socle.example.fr", HTTP_X_FORWARDED_PROTO="https")
bare = Client(HTTP_HOST="socle.example.fr")
print(json.dumps({
    "headers": dict(client.get("/sante/vivant").headers),
    "bare": dict(bare.get("/sante/vivant").headers),
    "session": [
        settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY,
        settings.SESSION_COOKIE_SAMESITE,
    ],
    "csrf": [
        settings.CSRF_COOKIE_SECURE, settings.CSRF_COOKIE_HTTPONLY, settings.CSRF_COOKIE_SAMESITE,
    ],
}))
"""


@pytest.fixture(scope="module")
def production() -> Any:
    """What a process that was given the settings of a real installation answers."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "socle.config.settings",
        "SOCLE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "SOCLE_BROKER_URL": "memory://",
        "SOCLE_SECRET_KEY": "s" * 48,
        "SOCLE_MASTER_KEY": base64.b64encode(b"k" * 32).decode(),
        "SOCLE_BASE_HOST": "socle.example.fr",
        "SOCLE_HTTPS": "1",
        "SOCLE_S3_BUCKET": "socle",
        "PYTHONPATH": os.pathsep.join([str(REPO), str(REPO / "platform")]),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOCLE_")}
    run = subprocess.run(
        [sys.executable, "-c", IN_PRODUCTION],
        env=kept | ours,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_over_https_the_browser_never_comes_back_in_clear(production: Any) -> None:
    promised = production["headers"]["Strict-Transport-Security"]
    assert promised == "max-age=31536000; includeSubDomains"


def test_in_clear_nothing_is_promised(production: Any) -> None:
    assert "Strict-Transport-Security" not in production["bare"]


@pytest.mark.parametrize("cookie", ["session", "csrf"])
def test_over_https_cookies_never_travel_in_clear(production: Any, cookie: str) -> None:
    assert production[cookie] == [True, True, "Lax"]


def test_over_https_forms_lead_to_our_own_hosts_only(production: Any) -> None:
    policy = _policy(production["headers"]["Content-Security-Policy"])
    assert policy["form-action"] == [
        "'self'",
        "https://*.socle.example.fr:*",
        "https://socle.example.fr:*",
    ]
