"""Who may speak to whom."""

from typing import Any

import helm_python
import pytest

from tests.helm.rendering import EXAMPLES, example, kind, objects, one, pods, release, selects

PRODUCTION = {
    "10.20.0.10/32": "postgresql",
    "10.20.0.11/32": "broker",
    "10.20.0.12/32": "s3",
    "10.20.0.13/32": "mail",
    "0.0.0.0/0": "operators",
}


def _policies(name: str, component: str) -> list[dict[str, Any]]:
    (pod,) = (each for each in pods(name) if each.component == component)
    policies = kind(release(name), "NetworkPolicy")
    return [p["spec"] for p in policies if selects(p["spec"]["podSelector"], pod.labels)]


def _destinations(component: str) -> set[str]:
    rules = [rule for p in _policies("production", component) for rule in p.get("egress", [])]
    blocks = [peer["ipBlock"]["cidr"] for r in rules for peer in r["to"] if "ipBlock" in peer]
    return {PRODUCTION[block] for block in blocks}


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_pod_starts_from_nothing_allowed(name: str) -> None:
    for pod in pods(name):
        closed = [
            policy
            for policy in _policies(name, pod.component)
            if set(policy["policyTypes"]) == {"Ingress", "Egress"}
            and not policy.get("ingress")
            and not policy.get("egress")
        ]
        assert closed, pod.component


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_rule_opens_to_everybody_or_on_every_port(name: str) -> None:
    for policy in kind(release(name), "NetworkPolicy"):
        for rule in policy["spec"].get("egress", []):
            assert rule["to"]
            assert rule["ports"]
        for rule in policy["spec"].get("ingress", []):
            assert rule["from"]
            assert rule["ports"]


def test_only_the_gateway_reaches_the_web() -> None:
    incoming = [rule for p in _policies("production", "web") for rule in p.get("ingress", [])]
    gateway = {"matchLabels": {"kubernetes.io/metadata.name": "gateway"}}
    assert [rule["from"] for rule in incoming] == [[{"namespaceSelector": gateway}]]


@pytest.mark.parametrize("component", ["worker", "beat", "migrate"])
def test_nobody_reaches_what_has_no_door(component: str) -> None:
    assert not [rule for p in _policies("production", component) for rule in p.get("ingress", [])]


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ("web", {"postgresql", "broker", "s3", "mail", "operators"}),
        ("worker", {"postgresql", "broker", "s3", "mail", "operators"}),
        ("beat", {"broker"}),
        ("migrate", {"postgresql"}),
    ],
)
def test_each_goes_where_its_work_is(component: str, expected: set[str]) -> None:
    assert _destinations(component) == expected


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("component", ["web", "worker", "beat", "migrate"])
def test_names_can_be_resolved(name: str, component: str) -> None:
    ports = [
        (port["protocol"], port["port"])
        for policy in _policies(name, component)
        for rule in policy.get("egress", [])
        for port in rule["ports"]
    ]
    assert {("UDP", 53), ("TCP", 53)} <= set(ports)


def test_the_practice_office_is_reached_by_web_and_worker_and_goes_nowhere() -> None:
    policies = _policies("training", "exercise")
    assert not [rule for p in policies for rule in p.get("egress", [])]
    (rule,) = (rule for p in policies for rule in p.get("ingress", []))
    callers = [
        pod.component
        for pod in pods("training")
        for peer in rule["from"]
        if selects(peer["podSelector"], pod.labels)
    ]
    assert sorted(callers) == ["web", "worker"]


def test_with_files_on_a_volume_nobody_goes_to_s3() -> None:
    peers = {"peers": [{"ipBlock": {"cidr": "10.20.0.12/32"}}]}
    found = objects(example("small", networkPolicy={"egress": {"s3": peers}}))
    assert "10.20.0.12/32" not in str(kind(found, "NetworkPolicy"))


def test_a_cluster_that_has_its_own_rules_may_switch_ours_off() -> None:
    found = objects(example("small", networkPolicy={"enabled": False}))
    assert kind(found, "NetworkPolicy") == []
    assert one(found, "Deployment", "socle-web")


CLAMD = {"ipBlock": {"cidr": "10.20.0.14/32"}}
ANTIVIRUS = {"address": "tcp://clamd.antivirus:3310"}


def test_the_antivirus_is_reached_where_files_pass_and_nowhere_else() -> None:
    egress = {"antivirus": {"peers": [CLAMD], "ports": [3310]}}
    found = objects(example("production", antivirus=ANTIVIRUS, networkPolicy={"egress": egress}))
    who = {
        policy["metadata"]["name"]
        for policy in kind(found, "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if CLAMD in rule["to"]
    }
    assert who == {"socle-web", "socle-worker"}
    (settings,) = (
        one["data"] for one in kind(found, "ConfigMap") if "SOCLE_ANTIVIRUS" in one.get("data", {})
    )
    assert settings["SOCLE_ANTIVIRUS"] == ANTIVIRUS["address"]


def test_an_antivirus_nothing_can_reach_is_refused() -> None:
    with pytest.raises(helm_python.HelmError, match=r"egress\.antivirus\.peers"):
        objects(example("production", antivirus=ANTIVIRUS))
