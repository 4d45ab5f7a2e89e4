"""The certificate the gateway passes on: believed from it alone, refused in words."""

import contextlib
import http.client
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.db import connection
from django.test import RequestFactory

from socle.accounts import actions, gateway, queries
from socle.accounts.capabilities import Role
from socle.accounts.models import CertificateLevel, Login, LoginCertificate, Person
from socle.accounts.views import demo_code
from socle.actes.models import Act
from tests.people import PASSWORD, Browser, in_town, on_portal, person

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
REPO = Path(__file__).resolve().parents[2]
CONFIGURATION = REPO / "docs/operations/mtls.nginx.conf"
SECRET = "between-the-gateway-and-us"
needs_nginx = pytest.mark.skipif(
    NGINX is None, reason="nginx manque : la vraie passerelle mTLS ne tourne pas"
)


@dataclass
class Held:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def made(
    name: str,
    issuer: Held | None = None,
    *,
    start: datetime | None = None,
    days: int = 30,
    host: str = "",
) -> Held:
    """A certificate by `issuer`, or an authority of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    begins = start or datetime.now(UTC) - timedelta(days=1)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if host:
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        builder = builder.add_extension(names, critical=False)
    elif issuer:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(usage, critical=False)
    return Held(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


@pytest.fixture
def authority() -> Held:
    return made("AC de la passerelle")


@pytest.fixture
def secret(settings: Any) -> None:
    settings.PROXY_SECRET = SECRET


def said_by_gateway(held: Held | None, **changes: str) -> dict[str, str]:
    """The headers our gateway writes for a browser with this certificate."""
    headers = {
        gateway.SECRET: SECRET,
        gateway.VERIFIED: "SUCCESS" if held else "NONE",
        gateway.CERTIFICATE: quote(held.pem) if held else "",
    }
    return {name: value for name, value in (headers | changes).items() if value}


def seen(headers: dict[str, str]) -> gateway.Presented | None:
    return gateway.presented(RequestFactory().get("/", **headers))


def registered(held: Held, who: Person, siren: str, **fields: Any) -> LoginCertificate:
    found = held.certificate
    given = {
        "person": who,
        "siren": siren,
        "issuer": found.issuer.rfc4514_string(),
        "serial": f"{found.serial_number:x}",
        "fingerprint": found.fingerprint(hashes.SHA256()).hex(),
        "level": CertificateLevel.RGS2,
        "not_before": found.not_valid_before_utc,
        "not_after": found.not_valid_after_utc,
    }
    return LoginCertificate.objects.create(**(given | fields))


# Who is believed


def test_the_gateway_is_believed(secret: None, authority: Held) -> None:
    held = made("Hélène Épinay", authority)
    found = seen(said_by_gateway(held))
    assert found is not None
    assert found.certificate == held.certificate


@pytest.mark.parametrize("given", ["", "guess", SECRET.upper(), f"{SECRET} "])
def test_a_forged_header_is_nothing(secret: None, authority: Held, given: str) -> None:
    assert seen(said_by_gateway(made("Moi", authority), **{gateway.SECRET: given})) is None


def test_without_a_secret_nobody_is_believed(settings: Any, authority: Held) -> None:
    settings.PROXY_SECRET = ""
    held = made("Moi", authority)
    assert seen(said_by_gateway(held)) is None
    assert seen(said_by_gateway(held, **{gateway.SECRET: ""})) is None


@pytest.mark.parametrize("verified", ["NONE", "", "success", "SUCCESS,NONE"])
def test_only_a_verified_certificate_counts(secret: None, authority: Held, verified: str) -> None:
    headers = said_by_gateway(made("Moi", authority), **{gateway.VERIFIED: verified})
    assert seen(headers) is None


@pytest.mark.parametrize("text", ["bonjour", "%%%", "-----BEGIN CERTIFICATE-----", "A" * 20_000])
def test_an_unreadable_certificate_is_a_problem_not_an_incident(secret: None, text: str) -> None:
    found = seen(said_by_gateway(None, **{gateway.VERIFIED: "SUCCESS", gateway.CERTIFICATE: text}))
    assert found is not None
    assert (found.certificate, found.problem) == (None, "unreadable")


# The login


class Door:
    """Somebody at the door of the portal, her password already typed."""

    def __init__(self, who: Person) -> None:
        self.browser = on_portal()
        self.browser.post("/connexion/", {"email": who.email, "password": PASSWORD})

    def enter(self, headers: dict[str, str]) -> str:
        """Press « Entrer avec mon certificat » and read the page that follows."""
        answer = self.browser.post("/connexion/certificat/", follow=True, **headers)
        return answer.content.decode()


@pytest.fixture
def agent(syndicat: Any) -> Person:
    return person(Role.RA_OPERATOR, at=syndicat)


def test_the_certificate_stands_for_the_code(
    secret: None, portal: Any, agent: Person, syndicat: Any, authority: Held
) -> None:
    held = made("Agent", authority)
    registered(held, agent, syndicat.siren)
    door = Door(agent)
    assert "Entrer avec mon certificat" in door.browser.get("/connexion/code/").content.decode()
    door.enter(said_by_gateway(held))
    assert Login.objects.get(person=agent).factor == "certificate"
    assert door.browser.get("/certificats/").status_code == 200


def test_without_the_password_a_certificate_opens_nothing(
    secret: None, portal: Any, agent: Person, syndicat: Any, authority: Held
) -> None:
    held = made("Agent", authority)
    registered(held, agent, syndicat.siren)
    answer = on_portal().post("/connexion/certificat/", **said_by_gateway(held))
    assert answer["Location"] == "/connexion/"
    assert not Login.objects.exists()


def test_each_refusal_says_why(
    secret: None, portal: Any, agent: Person, syndicat: Any, authority: Held
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=400)
    other, now = person(Role.AUDITOR, at=syndicat), datetime.now(UTC)
    cases = {
        "aucun certificat": None,
        "n’est pas enregistré ici": made("Inconnu", authority),
        "celui d’une autre personne": made("Autre", authority),
        "est révoqué": made("Révoqué", authority),
        "dates de validité": made("Expiré", authority, start=long_ago),
    }
    registered(cases["celui d’une autre personne"], other, syndicat.siren)
    registered(cases["est révoqué"], agent, syndicat.siren, withdrawn_at=now)
    registered(cases["dates de validité"], agent, syndicat.siren)
    for words, held in cases.items():
        assert words in Door(agent).enter(said_by_gateway(held)), words
    assert not Login.objects.filter(factor="certificate").exists()


def test_the_same_serial_of_another_certificate_is_not_hers(
    secret: None, portal: Any, agent: Person, syndicat: Any, authority: Held
) -> None:
    held = made("Agent", authority)
    registered(held, agent, syndicat.siren, fingerprint="0" * 64)
    assert "n’est pas enregistré ici" in Door(agent).enter(said_by_gateway(held))


def test_what_the_gateway_refused_is_said_in_french(secret: None, portal: Any) -> None:
    headers = said_by_gateway(None, **{gateway.VERIFIED: "FAILED:certificate has expired"})
    shown = on_portal().get("/connexion/certificat/", follow=True, **headers)
    assert "il a expiré" in shown.content.decode()


def test_one_certificate_serves_several_bodies_once_they_agreed(
    portal: Any, agent: Person, syndicat: Any, neighbour: Any, authority: Held
) -> None:
    known = registered(made("Agent", authority), agent, syndicat.siren)
    now, siren = datetime.now(UTC), neighbour.organisation.siren
    assert queries.usable_certificate(agent, siren=siren, at=now) is None
    for _ in range(2):
        actions.agree_body(certificate=known, siren=siren, by=agent, at=now)
    assert queries.usable_certificate(agent, siren=siren, at=now) == known
    assert known.serves(siren)
    actions.withdraw_certificate(fingerprint=known.fingerprint, at=now)
    assert queries.usable_certificate(agent, siren=siren, at=now) is None


# The step-up


def transmits(browser: Browser, act: Act) -> str:
    """Where pressing « Transmettre » leads."""
    page = f"/actes/{act.pk}/verifier/"
    host = browser.defaults["HTTP_HOST"]
    answer = browser.post(f"/actes/{act.pk}/transmettre/", HTTP_REFERER=f"https://{host}{page}")
    return str(answer["Location"])


def age(who: Person, minutes: int) -> None:
    Login.objects.filter(person=who).update(
        started_at=datetime.now(UTC) - timedelta(minutes=minutes)
    )


@pytest.fixture
def secretary(neighbour: Any, portal: Any) -> Person:
    return person(Role.TRANSMITTER, at=neighbour.organisation)


@pytest.fixture
def act(neighbour: Any, secretary: Person) -> Act:
    connection.set_tenant(neighbour)
    draft = Act.objects.create(
        nature=1,
        number="2026-1",
        objet="Un brouillon",
        decided_on=datetime.now(UTC).date(),
        created_at=datetime.now(UTC),
        created_by=secretary,
    )
    connection.set_schema_to_public()
    return draft


def rule(neighbour: Any, by: Person, minutes: int, factor: str = "any") -> None:
    actions.set_step_up(
        siren=neighbour.organisation.siren,
        minutes=minutes,
        factor=factor,
        by=by,
        at=datetime.now(UTC),
    )


def test_an_old_session_proves_itself_before_it_transmits(
    secretary: Person, act: Act, neighbour: Any
) -> None:
    browser = in_town(neighbour, secretary)
    age(secretary, 20)
    assert "/confirmation/" not in transmits(browser, act)  # no rule, nothing asked
    rule(neighbour, secretary, 15)
    asked = transmits(browser, act)
    assert asked.startswith("/confirmation/?suite=%2Factes%2F")
    shown = browser.get(asked).content.decode()
    assert "15 minutes" in shown.replace("\xa0", " ")
    code = demo_code(secretary)
    back = browser.post(asked, {"code": code, "suite": "/actes/"})
    assert back["Location"] == "/actes/"
    assert "/confirmation/" not in transmits(browser, act)
    assert Login.objects.get(person=secretary).confirmed_factor == "totp"


def test_a_wrong_code_confirms_nothing(secretary: Person, act: Act, neighbour: Any) -> None:
    rule(neighbour, secretary, 15)
    browser = in_town(neighbour, secretary)
    age(secretary, 20)
    assert "n’est pas le bon" in browser.post("/confirmation/", {"code": "000000"}).content.decode()
    assert "/confirmation/" in transmits(browser, act)


def test_a_commune_may_want_the_certificate_only(
    secret: None, secretary: Person, act: Act, neighbour: Any, authority: Held
) -> None:
    rule(neighbour, secretary, 15, "certificate")
    browser = in_town(neighbour, secretary)
    assert "/confirmation/" in transmits(browser, act)  # a code opened this session
    held = made("Secrétaire", authority)
    registered(held, secretary, neighbour.organisation.siren)
    refused = browser.post("/confirmation/", {"certificat": "1"})
    assert "aucun certificat" in refused.content.decode()
    browser.post("/confirmation/", {"certificat": "1"}, **said_by_gateway(held))
    assert "/confirmation/" not in transmits(browser, act)


def test_looking_and_preparing_ask_for_nothing(secretary: Person, neighbour: Any) -> None:
    rule(neighbour, secretary, 1)
    browser = in_town(neighbour, secretary)
    age(secretary, 600)
    assert browser.get("/actes/").status_code == 200


# The real nginx


@dataclass
class Upstream:
    """What stands behind the gateway: it keeps what each request brought."""

    port: int
    seen: list[dict[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def upstream() -> Iterator[Upstream]:
    """A WSGI server that answers « ok »."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        texts = {name: value for name, value in environ.items() if isinstance(value, str)}
        behind.seen.append(texts)
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    server = make_server("127.0.0.1", 0, app, handler_class=Quiet)
    behind = Upstream(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield behind
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Gateway:
    """A running nginx and what is behind it."""

    port: int
    upstream: Upstream
    folder: Path

    def get(self, held: Held | None, **headers: str) -> dict[str, str]:
        """What reaches Socle of a request with this certificate and these headers."""
        context = ssl.create_default_context(cafile=str(self.folder / "server-ca.pem"))
        if held is not None:
            (self.folder / "mine.pem").write_bytes(held.pem + held.key_pem)
            context.load_cert_chain(str(self.folder / "mine.pem"))
        browser = http.client.HTTPSConnection("localhost", self.port, timeout=10, context=context)
        named = {name.replace("__", "-"): value for name, value in headers.items()}
        browser.request("GET", "/compte/", headers=named)
        browser.getresponse().read()
        browser.close()
        return self.upstream.seen[-1]


@pytest.fixture
def real(tmp_path: Path, authority: Held) -> Iterator[Gateway]:
    """nginx with the configuration of the documentation, in front of us."""
    server_ca = made("AC du serveur")
    server = made("localhost", server_ca, host="localhost")
    for name, content in {
        "server-ca.pem": server_ca.pem,
        "server.pem": server.pem,
        "server.key": server.key_pem,
        "authorities.pem": authority.pem,
    }.items():
        (tmp_path / name).write_bytes(content)
    with upstream() as behind, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        (tmp_path / "nginx.conf").write_text(_configuration(tmp_path, port, behind.port))
        process = subprocess.Popen(
            [NGINX or "nginx", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)],
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(port, process)
            yield Gateway(port, behind, tmp_path)
        finally:
            process.terminate()
            process.wait(10)


def _configuration(folder: Path, port: int, behind: int) -> str:
    """The documented gateway, with our ports, our files and our secret."""
    values = {
        "<socle:8000>": f"127.0.0.1:{behind}",
        "<443>": f"127.0.0.1:{port}",
        "<socle.example .socle.example>": "localhost",
        "<server.pem>": str(folder / "server.pem"),
        "<server.key>": str(folder / "server.key"),
        "<authorities.pem>": str(folder / "authorities.pem"),
        "<secret>": SECRET,
    }
    text = CONFIGURATION.read_text(encoding="utf-8")
    for placeholder, value in values.items():
        assert placeholder in text, placeholder
        text = text.replace(placeholder, value)
    written = re.sub(r"#.*", "", text)
    assert "<" not in written
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; worker_processes 1; pid {folder / 'pid'}; error_log {folder / 'error.log'};"
        f"events {{ worker_connections 64; }}\nhttp {{ access_log off; {temporary}\n{written}\n}}"
    )


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        assert process.poll() is None, "nginx stopped at once"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("nginx does not answer")


def passed(environ: dict[str, str]) -> gateway.Presented | None:
    """What Socle makes of a request that came through."""
    names = (gateway.SECRET, gateway.VERIFIED, gateway.CERTIFICATE)
    return seen({name: environ[name] for name in names if name in environ})


@needs_nginx
def test_nginx_passes_the_certificate_of_the_browser(
    secret: None, real: Gateway, authority: Held
) -> None:
    held = made("Hélène Épinay", authority)
    found = passed(real.get(held))
    assert found is not None
    assert (found.certificate, found.problem) == (held.certificate, "")


@needs_nginx
def test_nginx_lets_in_whoever_has_none(secret: None, real: Gateway) -> None:
    environ = real.get(None)
    assert environ[gateway.SECRET] == SECRET
    assert environ[gateway.VERIFIED] == "NONE"
    assert passed(environ) is None


@needs_nginx
def test_nginx_wipes_what_a_browser_writes_itself(
    secret: None, real: Gateway, authority: Held
) -> None:
    stolen = quote(made("Quelqu’un d’autre", authority).pem)
    environ = real.get(
        None,
        Ssl__Client__Cert=stolen,
        Ssl__Client__Verify="SUCCESS",
        Ssl_Client_Cert=stolen,
        Ssl_Client_Verify="SUCCESS",
        X__Socle__Gateway="guess",
        X_Socle_Gateway=SECRET,
    )
    assert environ[gateway.VERIFIED] == "NONE"
    assert stolen not in environ.values()
    assert passed(environ) is None


@needs_nginx
@pytest.mark.parametrize("fault", ["expired", "unknown authority"])
def test_nginx_sends_a_refused_certificate_to_the_page_that_says_why(
    secret: None, real: Gateway, authority: Held, portal: Any, fault: str
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=400)
    held = {
        "expired": made("Trop tard", authority, start=long_ago),
        "unknown authority": made("Ailleurs", made("AC inconnue")),
    }[fault]
    environ = real.get(held)
    assert environ["PATH_INFO"] == "/connexion/certificat/"
    found = passed(environ)
    assert found is not None
    assert found.certificate is None
    headers = {name: environ[name] for name in (gateway.SECRET, gateway.VERIFIED)}
    shown = on_portal().get("/connexion/certificat/", follow=True, **headers).content.decode()
    assert {"expired": "il a expiré", "unknown authority": "pas de celles admises"}[fault] in shown


@needs_nginx
def test_a_login_through_the_real_gateway(
    secret: None, real: Gateway, authority: Held, portal: Any, agent: Person, syndicat: Any
) -> None:
    held = made("Agent", authority)
    registered(held, agent, syndicat.siren)
    environ = real.get(held)
    names = (gateway.SECRET, gateway.VERIFIED, gateway.CERTIFICATE)
    Door(agent).enter({name: environ[name] for name in names})
    assert Login.objects.get(person=agent).factor == "certificate"
