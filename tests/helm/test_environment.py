"""What the application reads is what the chart gives, no more and no less."""

import ast
import base64
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.urls import reverse

from socle.config import environment, health
from socle.config.environment import Environment
from socle.delivery.models import TransmissionOperator
from socle.directory.models import Organisation, OrganisationKind
from tests.helm.rendering import (
    EXAMPLES,
    REPO,
    Pod,
    example,
    kind,
    objects,
    one,
    pod,
    pods,
    release,
)
from tests.people import on_portal

DJANGO = ("web", "worker", "beat", "migrate")
VARIABLE = re.compile(r"SOCLE_[A-Z0-9_]+")
SECRET = {
    "SOCLE_SECRET_KEY": "a-secret-that-only-this-test-knows-0123456789",
    "SOCLE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
    "SOCLE_MASTER_KEY_PREVIOUS": base64.b64encode(bytes(range(1, 33))).decode(),
    "SOCLE_DATABASE_URL": "postgresql://socle:mot%2Fde%2Fpasse@10.20.0.10:5432/socle",
    "SOCLE_DATABASE_OWNER_URL": "postgresql://owner:mot@10.20.0.10:5432/socle",
    "SOCLE_DATABASE_REPLICA_URL": "postgresql://socle:mot@10.20.0.15:5432/socle",
    "SOCLE_CELLS": "est=postgresql://socle:mot@10.20.0.20:5432/socle",
    "SOCLE_CELLS_OWNER": "est=postgresql://owner:mot@10.20.0.20:5432/socle",
    "SOCLE_CELLS_REPLICA": "est=postgresql://socle:mot@10.20.0.25:5432/socle",
    "SOCLE_BROKER_URL": "rediss://:passe@10.20.0.11:6379/0?ssl_cert_reqs=required",
    "SOCLE_MAIL_URL": "smtps://socle:passe@mail.example.fr:465",
    "SOCLE_PROXY_SECRET": "between-the-gateway-and-us",
    "SOCLE_SENTRY_DSN": "https://public@sentry.example.fr/1",
    "SOCLE_EXERCISE_TOKEN": "a-practice-token",
    "AWS_ACCESS_KEY_ID": "acces",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
OWNERS = {"SOCLE_DATABASE_OWNER_URL", "SOCLE_CELLS_OWNER"}
MINIMAL = SECRET.keys() - {
    "SOCLE_MASTER_KEY_PREVIOUS",
    "SOCLE_PROXY_SECRET",
    "SOCLE_SENTRY_DSN",
    "SOCLE_DATABASE_REPLICA_URL",
    "SOCLE_CELLS",
    "SOCLE_CELLS_OWNER",
    "SOCLE_CELLS_REPLICA",
}


def _read_by_the_application() -> set[str]:
    tree = ast.parse(Path(environment.__file__).read_text(encoding="utf-8"))
    arguments = [arg for call in ast.walk(tree) if isinstance(call, ast.Call) for arg in call.args]
    constants = [arg.value for arg in arguments if isinstance(arg, ast.Constant)]
    return {name for name in constants if isinstance(name, str) and VARIABLE.fullmatch(name)}


def _as_the_pod_sees_it(name: str, mine: Pod, secret: dict[str, str]) -> dict[str, str]:
    seen: dict[str, str] = {}
    for source in mine.container.get("envFrom", []):
        seen |= one(release(name), "ConfigMap", source["configMapRef"]["name"])["data"]
    for entry in mine.container["env"]:
        if "value" in entry:
            seen[entry["name"]] = entry["value"]
        elif reference := entry["valueFrom"].get("secretKeyRef"):
            if reference["key"] in secret or not reference.get("optional"):
                seen[entry["name"]] = secret[reference["key"]]
    return seen


def _entries(mine: Pod) -> list[dict[str, Any]]:
    return mine.container["env"]


def test_every_variable_the_application_reads_is_given() -> None:
    given = {
        variable
        for name in EXAMPLES
        for component in DJANGO
        for variable in _as_the_pod_sees_it(name, pod(name, component), SECRET)
        if VARIABLE.fullmatch(variable)
    }
    assert given == _read_by_the_application()


@pytest.mark.parametrize("component", DJANGO)
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_application_starts_with_what_its_pod_is_given(name: str, component: str) -> None:
    seen = _as_the_pod_sees_it(name, pod(name, component), {k: SECRET[k] for k in MINIMAL})
    read = Environment.read(seen)
    assert read.https
    assert not read.demo
    assert read.port == ""
    assert read.proxies == 1
    assert read.master_key == bytes(range(32))
    assert read.database()["HOST"] == "10.20.0.10"
    assert bool(read.s3_bucket) != bool(read.files_dir)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_migration_is_told_what_the_web_is_told_and_the_owner(name: str) -> None:
    web = _as_the_pod_sees_it(name, pod(name, "web"), SECRET)
    migration = _as_the_pod_sees_it(name, pod(name, "migrate"), SECRET)
    for owner in OWNERS:
        assert migration.pop(owner) == SECRET[owner]
    assert migration == web


@pytest.mark.parametrize("component", ["web", "worker", "beat"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_who_serves_never_learns_the_owner(name: str, component: str) -> None:
    seen = _as_the_pod_sees_it(name, pod(name, component), SECRET)
    assert not OWNERS & seen.keys()


def test_the_placement_of_the_values_is_what_the_application_reads() -> None:
    placement = {"est": ["86", "2A", "200081511"]}
    found = objects(example("production", postgresql={"placement": placement}))
    told = one(found, "ConfigMap", "socle")["data"]
    with_cells = {"SOCLE_CELLS": SECRET["SOCLE_CELLS"], **{k: SECRET[k] for k in MINIMAL}}
    read = Environment.read(told | with_cells)
    assert read.places() == {"086": "est", "02A": "est", "200081511": "est"}
    web = one(found, "Deployment", "socle-web")["spec"]["template"]["spec"]["containers"][0]
    (entry,) = (entry for entry in web["env"] if entry["name"] == "SOCLE_CELLS")
    assert "optional" not in entry["valueFrom"]["secretKeyRef"], "no pod starts without them"


@pytest.mark.parametrize("name", EXAMPLES)
def test_secrets_come_from_the_named_secret_and_from_nowhere_else(name: str) -> None:
    secret = example(name)["existingSecret"]
    for mine in pods(name):
        for entry in _entries(mine):
            if entry["name"] in SECRET:
                assert entry["valueFrom"]["secretKeyRef"]["name"] == secret
                assert entry["valueFrom"]["secretKeyRef"]["key"] == entry["name"]
    assert not SECRET.keys() & one(release(name), "ConfigMap", "socle")["data"].keys()
    assert kind(release(name), "Secret") == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_pod_takes_a_whole_secret(name: str) -> None:
    for mine in pods(name):
        assert not [s for s in mine.container.get("envFrom", []) if "secretRef" in s]
        assert not [v for v in mine.spec["volumes"] if "secret" in v]


def test_the_practice_office_knows_its_token_and_nothing_else() -> None:
    assert [entry["name"] for entry in _entries(pod("training", "exercise"))] == [
        "SOCLE_EXERCISE_TOKEN"
    ]
    assert "envFrom" not in pod("training", "exercise").container


def test_postgresql_is_spoken_to_over_tls_unless_told_otherwise() -> None:
    seen = _as_the_pod_sees_it("training", pod("training", "web"), SECRET)
    assert seen["PGSSLMODE"] == "require"


def test_a_verified_postgresql_is_verified_against_a_mounted_authority() -> None:
    mine = pod("production", "web")
    seen = _as_the_pod_sees_it("production", mine, SECRET)
    (mount,) = (m for m in mine.container["volumeMounts"] if m["name"] == "ca")
    assert seen["PGSSLMODE"] == "verify-full"
    assert seen["PGSSLROOTCERT"] == f"{mount['mountPath']}/ca.pem"


def test_the_chart_says_how_many_proxies_stand_before_it() -> None:
    found = objects(example("small", proxies=2))
    assert one(found, "ConfigMap", "socle")["data"]["SOCLE_PROXIES"] == "2"


def test_the_probe_of_readiness_waits_longer_than_socle_waits_for_its_broker() -> None:
    probe = pod("production", "web").container["readinessProbe"]
    assert probe["timeoutSeconds"] > 2 * environment.BROKER_PATIENCE  # to connect, then to answer


def test_the_probes_are_those_the_application_answers() -> None:
    web = pod("production", "web").container
    assert web["startupProbe"]["httpGet"]["path"] == health.ALIVE
    assert web["livenessProbe"]["httpGet"]["path"] == health.ALIVE
    assert web["readinessProbe"]["httpGet"]["path"] == health.READY


def test_a_probe_that_comes_by_address_is_answered(client: Any) -> None:
    answer = client.get(health.ALIVE, HTTP_HOST="10.1.2.3:8000")
    assert answer.status_code == 200


# The operator's guide

GUIDE = REPO / "docs" / "operations" / "production.md"


def test_the_guide_lists_every_variable_and_no_other() -> None:
    rows = re.findall(r"^\| `(SOCLE_[A-Z0-9_]+)` \|", GUIDE.read_text(encoding="utf-8"), re.M)
    assert len(rows) == len(set(rows))
    assert set(rows) == _read_by_the_application()


def test_the_guide_names_every_key_of_the_secret() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [key for key in SECRET if f"`{key}`" not in guide] == []


def test_the_comment_of_the_values_names_every_key_of_the_secret() -> None:
    values = (REPO / "helm/socle/values.yaml").read_text(encoding="utf-8")
    assert [key for key in SECRET if key not in values] == []


COMMAND = re.compile(r"^    kubectl --namespace socle exec \S+ -- manage ((?:.*\\\n)*.*)$", re.M)


def _commands() -> list[list[str]]:
    found = COMMAND.findall(GUIDE.read_text(encoding="utf-8"))
    return [shlex.split(words.replace("\\\n", " ")) for words in found]


def test_the_guide_names_commands_of_the_image() -> None:
    quoted = re.findall(r" -- manage (\w+)", GUIDE.read_text(encoding="utf-8"))
    assert {"set_up", "operator", "import_communes", "rotate_master_key"} <= set(quoted)
    assert [name for name in quoted if name not in get_commands()] == []


def test_the_first_start_of_the_guide_works(
    portal: Any,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Organisation.objects.filter(kind=OrganisationKind.SYNDICAT).update(kind=OrganisationKind.OTHER)
    TransmissionOperator.objects.all().delete()
    (set_up,) = (words for words in _commands() if words[0] == "set_up")
    operators = [words for words in _commands() if words[0] == "operator"]

    for words in (set_up, *operators):
        call_command(*words)

    assert sorted(one.is_exercise for one in TransmissionOperator.objects.all()) == [False, True]
    said = capsys.readouterr().out
    (address,) = re.findall(r"^Identifiant : (\S+)$", said, re.M)
    (password,) = re.findall(r"^Premier mot de passe : (\S+)$", said, re.M)
    login = reverse("accounts:login", urlconf=settings.PUBLIC_SCHEMA_URLCONF)
    page = on_portal().post(login, {"email": address, "password": password})
    assert page.status_code == 302


def test_no_password_of_a_person_stands_on_a_command_line() -> None:
    parser = load_command_class("tenants", "set_up").create_parser("manage", "set_up")
    taking = [one.dest for one in parser._actions if "password" in one.dest and one.nargs != 0]
    assert taking == []
