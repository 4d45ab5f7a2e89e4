"""Every object is one Kubernetes would take, and they fit together."""

from typing import Any

import helm_python
import kubernetes_validate.utils as kubernetes
import pytest

from tests.helm.rendering import (
    CHART,
    EXAMPLES,
    example,
    kind,
    objects,
    one,
    pod,
    pods,
    release,
    selects,
    texts,
)

OLDEST, NEWEST = "1.27", "1.37"
FOREIGN = {"HTTPRoute"}  # a custom resource: its exact content is checked below


@pytest.mark.parametrize("name", EXAMPLES)
def test_helm_has_nothing_to_say_against_the_chart(name: str) -> None:
    report = helm_python.lint(CHART, example(name), strict=True)
    assert report["errors"] == []
    assert [found for found in report["messages"] if found["severity"] > 1] == []


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_object_is_valid_to_the_letter(name: str, version: str) -> None:
    for found in release(name):
        if found["kind"] not in FOREIGN:
            kubernetes.validate(found, version, strict=True)


def test_the_validation_would_see_a_misspelt_field() -> None:
    web = one(release("small"), "Deployment", "socle-web")
    misspelt = {**web, "spec": {**web["spec"], "replica": 2}}
    with pytest.raises(kubernetes.ValidationError, match="replica"):
        kubernetes.validate(misspelt, NEWEST, strict=True)


def test_the_chart_asks_for_the_oldest_version_it_is_checked_against() -> None:
    assert helm_python.Chart.load(CHART).metadata["kubeVersion"] == f">={OLDEST}.0-0"


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_two_objects_have_one_name(name: str) -> None:
    names = [(found["kind"], found["metadata"]["name"]) for found in release(name)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_object_carries_the_recommended_labels(name: str) -> None:
    recommended = {"name", "instance", "version", "component", "part-of", "managed-by"}
    for found in release(name):
        labels = found["metadata"]["labels"]
        assert {f"app.kubernetes.io/{label}" for label in recommended} <= labels.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_deployment_selects_its_own_pods_and_no_others(name: str) -> None:
    for mine in pods(name):
        if mine.owner["kind"] == "Deployment":
            selector = mine.owner["spec"]["selector"]
            chosen = [each.component for each in pods(name) if selects(selector, each.labels)]
            assert chosen == [mine.component]


@pytest.mark.parametrize("name", EXAMPLES)
def test_selectors_survive_a_new_version(name: str) -> None:
    for mine in pods(name):
        if mine.owner["kind"] == "Deployment":
            labels = mine.owner["spec"]["selector"]["matchLabels"]
            assert not {"app.kubernetes.io/version", "helm.sh/chart"} & labels.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_services_and_budgets_select_pods_that_exist(name: str) -> None:
    found = release(name)
    selectors = [
        {"matchLabels": service["spec"]["selector"]} for service in kind(found, "Service")
    ] + [budget["spec"]["selector"] for budget in kind(found, "PodDisruptionBudget")]
    for selector in selectors:
        assert len([each for each in pods(name) if selects(selector, each.labels)]) == 1


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_service_leads_to_a_port_that_its_pod_names(name: str) -> None:
    for service in kind(release(name), "Service"):
        component = service["spec"]["selector"]["app.kubernetes.io/component"]
        named = {port["name"] for port in pod(name, component).container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named


def test_web_and_workers_have_a_disruption_budget_that_lets_a_node_be_emptied() -> None:
    budgets = kind(release("small"), "PodDisruptionBudget")
    assert {budget["metadata"]["name"] for budget in budgets} == {"socle-web", "socle-worker"}
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets)


def test_there_is_one_clock_and_never_two_at_once() -> None:
    beat = one(release("production"), "Deployment", "socle-beat")
    assert beat["spec"]["replicas"] == 1
    assert beat["spec"]["strategy"] == {"type": "Recreate"}


def test_an_autoscaled_web_leaves_its_number_to_the_autoscaler() -> None:
    found = release("production")
    scaler = one(found, "HorizontalPodAutoscaler", "socle-web")
    assert scaler["spec"]["scaleTargetRef"]["name"] == "socle-web"
    assert "replicas" not in one(found, "Deployment", "socle-web")["spec"]


def test_workers_are_autoscaled_when_it_is_said() -> None:
    found = objects(example("production", worker={"autoscaling": {"enabled": True}}))
    scaler = one(found, "HorizontalPodAutoscaler", "socle-worker")
    assert scaler["spec"]["scaleTargetRef"]["name"] == "socle-worker"
    assert "replicas" not in one(found, "Deployment", "socle-worker")["spec"]


def test_web_and_workers_are_spread_over_nodes_and_zones() -> None:
    for name in ("socle-web", "socle-worker"):
        spec = one(release("production"), "Deployment", name)["spec"]["template"]["spec"]
        keys = [each["topologyKey"] for each in spec["topologySpreadConstraints"]]
        assert keys == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]


def test_without_autoscaling_the_number_of_pods_is_the_one_given() -> None:
    found = release("small")
    assert kind(found, "HorizontalPodAutoscaler") == []
    assert one(found, "Deployment", "socle-web")["spec"]["replicas"] == 1


def test_pods_restart_when_their_configuration_changes() -> None:
    def checksum(values: dict[str, Any]) -> str:
        web = one(objects(values), "Deployment", "socle-web")
        return str(web["spec"]["template"]["metadata"]["annotations"]["checksum/config"])

    changed = example("small", mail={"from": "autre@socle.example.fr"})
    assert checksum(example("small")) == checksum(example("small"))
    assert checksum(example("small")) != checksum(changed)


# The files of the acts


def test_files_in_s3_need_no_volume() -> None:
    found = release("production")
    assert kind(found, "PersistentVolumeClaim") == []
    data = one(found, "ConfigMap", "socle")["data"]
    assert data["SOCLE_S3_BUCKET"] == "socle-production"
    assert "SOCLE_FILES_DIR" not in data


def test_files_on_a_volume_are_seen_by_web_and_worker_at_the_place_told() -> None:
    place = one(release("small"), "ConfigMap", "socle")["data"]["SOCLE_FILES_DIR"]
    for component in ("web", "worker"):
        mine = pod("small", component)
        (mount,) = (m for m in mine.container["volumeMounts"] if m["name"] == "files")
        assert place.startswith(f"{mount['mountPath']}/")
        (volume,) = (v for v in mine.spec["volumes"] if v["name"] == "files")
        assert volume["persistentVolumeClaim"]["claimName"] == "socle-files"


def test_the_claim_of_the_files_survives_an_uninstall() -> None:
    claim = one(release("small"), "PersistentVolumeClaim", "socle-files")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_an_existing_claim_is_used_and_no_other_is_made() -> None:
    found = objects(example("small", files={"volume": {"existingClaim": "papiers"}}))
    assert kind(found, "PersistentVolumeClaim") == []
    volumes = one(found, "Deployment", "socle-web")["spec"]["template"]["spec"]["volumes"]
    assert {"claimName": "papiers"} in [v.get("persistentVolumeClaim") for v in volumes]


# Migrations


def test_migrations_run_before_an_install_and_before_an_upgrade() -> None:
    job = one(release("production"), "Job", "socle-migrate")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert pod("production", "migrate").container["command"] == ["manage", "migrate_all"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_migration_needs_nothing_that_the_release_makes_after_it(name: str) -> None:
    mine = pod(name, "migrate")
    assert "serviceAccountName" not in mine.spec
    assert "envFrom" not in mine.container
    assert not [v for v in mine.spec["volumes"] if "persistentVolumeClaim" in v]


def test_the_network_policy_of_the_migration_comes_before_it() -> None:
    found = release("production")
    policy = one(found, "NetworkPolicy", "socle-migrate")["metadata"]["annotations"]
    job = one(found, "Job", "socle-migrate")["metadata"]["annotations"]
    assert policy["helm.sh/hook"] == job["helm.sh/hook"]
    assert int(policy["helm.sh/hook-weight"]) < int(job["helm.sh/hook-weight"])


# Routing

HOSTS = ["socle.example.fr", "*.socle.example.fr"]


def test_an_ingress_leads_the_portal_and_every_commune_to_the_web() -> None:
    (ingress,) = kind(release("small"), "Ingress")
    assert [rule["host"] for rule in ingress["spec"]["rules"]] == HOSTS
    assert ingress["spec"]["tls"] == [{"secretName": "socle-tls", "hosts": HOSTS}]
    backends = [rule["http"]["paths"][0]["backend"] for rule in ingress["spec"]["rules"]]
    assert backends == [{"service": {"name": "socle-web", "port": {"name": "http"}}}] * 2


def test_an_ingress_depends_on_no_controller() -> None:
    (ingress,) = kind(release("small"), "Ingress")
    assert "annotations" not in ingress["metadata"]


def test_a_route_leads_the_portal_and_every_commune_to_the_web() -> None:
    route = one(release("production"), "HTTPRoute", "socle-web")
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert route["spec"] == {
        "parentRefs": [{"name": "public", "namespace": "gateway", "sectionName": "https"}],
        "hostnames": HOSTS,
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "filters": [
                    {
                        "type": "RequestHeaderModifier",
                        "requestHeaderModifier": {
                            "set": [{"name": "X-Forwarded-Proto", "value": "https"}]
                        },
                    }
                ],
                "backendRefs": [{"name": "socle-web", "port": 80}],
            }
        ],
    }


def test_the_clear_listener_only_redirects() -> None:
    route = one(release("production"), "HTTPRoute", "socle-web-redirect")
    assert route["spec"]["parentRefs"][0]["sectionName"] == "http"
    assert route["spec"]["hostnames"] == HOSTS
    assert route["spec"]["rules"] == [
        {
            "filters": [
                {
                    "type": "RequestRedirect",
                    "requestRedirect": {"scheme": "https", "statusCode": 301},
                }
            ]
        }
    ]


def test_without_routing_nothing_is_published() -> None:
    found = release("training")
    assert kind(found, "Ingress") == kind(found, "HTTPRoute") == []


def test_every_service_is_internal() -> None:
    for name in EXAMPLES:
        types = {service["spec"]["type"] for service in kind(release(name), "Service")}
        assert types == {"ClusterIP"}


# The practice offices


def test_production_has_no_practice_office() -> None:
    assert "exercise" not in {each.component for each in pods("production")}
    assert "SOCLE_EXERCISE_URL" not in one(release("production"), "ConfigMap", "socle")["data"]


def test_a_training_installation_speaks_to_its_practice_office() -> None:
    found = release("training")
    service = one(found, "Service", "socle-exercise")
    (port,) = service["spec"]["ports"]
    url = one(found, "ConfigMap", "socle")["data"]["SOCLE_EXERCISE_URL"]
    assert url == f"http://{service['metadata']['name']}:{port['port']}"


# What Helm tells the operator


def _notes(name: str) -> str:
    (notes,) = (text for path, text in texts(example(name)).items() if path.endswith("NOTES.txt"))
    return notes


def test_the_notes_give_the_address_of_the_portal() -> None:
    assert "https://socle.example.fr/" in _notes("production")


def test_the_notes_warn_of_a_volume_one_node_holds() -> None:
    assert "must all run on one node" in _notes("small")
    assert "must all run on one node" not in _notes("training")


def test_the_notes_say_that_practice_has_no_legal_value() -> None:
    assert "TRAINING installation" in _notes("training")
    assert "TRAINING" not in _notes("production")


def test_client_certificates_are_asked_for_when_their_authorities_are_named() -> None:
    ingress = {"clientAuthorities": "authorities", "tlsSecret": "tls", "className": "nginx"}
    values = example("small", routing={"kind": "ingress", "ingress": ingress})
    found = one(objects(values), "Ingress", "socle-web")["metadata"]["annotations"]
    told = {name.rpartition("auth-tls-")[2]: value for name, value in found.items()}
    assert told["verify-client"] == "optional"
    assert told["pass-certificate-to-upstream"] == "true"
    assert told["secret"].endswith("/authorities")
    assert told["error-page"].endswith("/connexion/certificat/?refuse=1")


def test_no_certificate_is_asked_for_otherwise() -> None:
    ingress = {"tlsSecret": "tls", "className": "nginx"}
    values = example("small", routing={"kind": "ingress", "ingress": ingress})
    found = one(objects(values), "Ingress", "socle-web")["metadata"].get("annotations", {})
    assert not [name for name in found if "auth-tls" in name]
