"""What the chart refuses, and the sentence it refuses with."""

from collections.abc import Iterator
from typing import Any

import helm_python
import pytest

from tests.helm.rendering import chart, example, objects, one, texts

FREE = {("routing", "ingress", "annotations"), ("nodeSelector",), ("postgresql", "placement")}
"""Mappings whose keys belong to the cluster, or are names of servers."""


def test_the_defaults_alone_are_not_an_installation() -> None:
    with pytest.raises(helm_python.HelmError):
        texts({})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"existingSecret": ""}, "existingSecret: name the Secret"),
        ({"host": ""}, "host: give the host"),
        ({"mail": {"from": ""}}, "mail.from: give the address"),
        ({"image": {"repository": ""}}, "image.repository: say where"),
        ({"image": {"tag": ""}}, "image: give a tag or a digest"),
        ({"exercise": {"enabled": True}}, "only run where trainingInstallation is true"),
        ({"files": {"kind": "s3"}}, "files.s3.bucket: name the bucket"),
        ({"postgresql": {"sslMode": "verify-full"}}, "caBundle.configMap: verifying"),
        ({"routing": {"ingress": {"tlsSecret": ""}}}, "routing.ingress.tlsSecret: name"),
        ({"routing": {"kind": "gateway"}}, "routing.gateway.name: name the Gateway"),
        (
            {"routing": {"kind": "gateway", "gateway": {"name": "g", "httpSectionName": "http"}}},
            "routing.gateway.sectionName: with a clear listener",
        ),
        ({"networkPolicy": {"gateway": []}}, "networkPolicy.gateway: say which pods"),
        (
            {"networkPolicy": {"egress": {"postgresql": {"peers": []}}}},
            "networkPolicy.egress.postgresql.peers: say where",
        ),
        (
            {"networkPolicy": {"egress": {"broker": {"peers": []}}}},
            "networkPolicy.egress.broker.peers: say where",
        ),
        (
            {"files": {"kind": "s3", "s3": {"bucket": "actes"}}},
            "networkPolicy.egress.s3.peers: say where",
        ),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(helm_python.HelmError, match=sentence):
        texts(example("small", **changes))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"image": {"tag": "latest"}}, "/image/tag"),
        ({"image": {"digest": "sha256:abc"}}, "/image/digest"),
        ({"host": "https://socle.example.fr"}, "/host"),
        ({"host": "*.socle.example.fr"}, "/host"),
        ({"routing": {"kind": "traefik"}}, "/routing/kind"),
        ({"files": {"kind": "nfs"}}, "/files/kind"),
        ({"web": {"replicas": 0}}, "/web/replicas"),
        ({"web": {"resources": {"limits": {"memory": None}}}}, "/web/resources/limits"),
        ({"networkPolicy": {"gateway": [{}]}}, "/networkPolicy/gateway/0"),
        ({"postgresql": {"sslMode": "prefer"}}, "/postgresql/sslMode"),
        ({"postgresql": {"placement": {"Est": ["86"]}}}, "invalid propertyName 'Est'"),
        ({"postgresql": {"placement": {"main": ["86"]}}}, "invalid propertyName 'main'"),
        ({"postgresql": {"placement": {"est": ["Vienne"]}}}, "/postgresql/placement/est/0"),
        ({"worker": {"autoscaling": {"cpuPercent": 0}}}, "/worker/autoscaling/cpuPercent"),
    ],
)
def test_what_is_wrong_is_located(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(helm_python.HelmError, match=place):
        texts(example("small", **changes))


def _mappings(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(values, dict) and path not in FREE:
        yield path
        for key, value in values.items():
            yield from _mappings(value, (*path, key))


def test_a_key_nobody_reads_is_refused_wherever_it_stands() -> None:
    for path in _mappings(chart().values):
        unknown: dict[str, Any] = {"unknownKey": "x"}
        for key in reversed(path):
            unknown = {key: unknown}
        with pytest.raises(helm_python.HelmValuesError, match="unknownKey"):
            chart().validate_schema(example("small", **unknown))


@pytest.mark.parametrize("name", ["secretKey", "masterKey", "databaseUrl", "secrets"])
def test_no_secret_can_be_given_as_a_value(name: str) -> None:
    with pytest.raises(helm_python.HelmValuesError, match=name):
        chart().validate_schema(example("small", **{name: "x" * 48}))


def test_a_digest_wins_over_a_tag() -> None:
    digest = "sha256:" + "a" * 64
    web = one(objects(example("small", image={"digest": digest})), "Deployment", "socle-web")
    (container,) = web["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"registry.example.fr/syndicat/socle@{digest}"


def test_a_cluster_may_say_where_pods_run() -> None:
    keep = {"key": "syndicat", "operator": "Exists", "effect": "NoSchedule"}
    values = example("small", nodeSelector={"zone": "fr"}, tolerations=[keep])
    web = one(objects(values), "Deployment", "socle-web")["spec"]["template"]["spec"]
    assert web["nodeSelector"] == {"zone": "fr"}
    assert web["tolerations"] == [keep]
