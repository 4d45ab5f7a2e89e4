"""What no pod of Socle may do."""

import pytest

from tests.helm.rendering import EXAMPLES, Pod, kind, pods, release

EVERY_POD = [
    pytest.param(pod, id=f"{name}-{pod.component}") for name in EXAMPLES for pod in pods(name)
]
LASTING = [param for param in EVERY_POD if param.values[0].owner["kind"] == "Deployment"]


@pytest.mark.parametrize("pod", EVERY_POD)
def test_no_pod_is_root(pod: Pod) -> None:
    context = pod.spec["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] >= 10000
    assert context["runAsGroup"] >= 10000
    assert pod.container["securityContext"]["runAsNonRoot"] is True


@pytest.mark.parametrize("pod", EVERY_POD)
def test_no_pod_gains_a_privilege(pod: Pod) -> None:
    context = pod.container["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["privileged"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert pod.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


@pytest.mark.parametrize("pod", EVERY_POD)
def test_no_pod_sees_its_node(pod: Pod) -> None:
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.spec.keys()
    assert not [volume for volume in pod.spec["volumes"] if "hostPath" in volume]


@pytest.mark.parametrize("pod", EVERY_POD)
def test_a_pod_writes_in_tmp_and_in_its_volumes_only(pod: Pod) -> None:
    assert pod.container["securityContext"]["readOnlyRootFilesystem"] is True
    mounted = {mount["name"]: mount["mountPath"] for mount in pod.container["volumeMounts"]}
    assert mounted["tmp"] == "/tmp"  # noqa: S108  # inside the pod
    assert mounted.keys() == {volume["name"] for volume in pod.spec["volumes"]}
    memory = [volume["emptyDir"] for volume in pod.spec["volumes"] if "emptyDir" in volume]
    assert all("sizeLimit" in volume for volume in memory)


@pytest.mark.parametrize("pod", EVERY_POD)
def test_no_pod_holds_a_token_of_the_cluster(pod: Pod) -> None:
    assert pod.spec["automountServiceAccountToken"] is False


@pytest.mark.parametrize("pod", EVERY_POD)
def test_a_service_called_socle_cannot_set_our_variables(pod: Pod) -> None:
    # Kubernetes would put SOCLE_PORT=tcp://… in every pod of the namespace.
    assert pod.spec["enableServiceLinks"] is False


@pytest.mark.parametrize("pod", EVERY_POD)
def test_a_pod_says_what_it_needs_and_stops_at(pod: Pod) -> None:
    resources = pod.container["resources"]
    assert {"cpu", "memory"} <= resources["requests"].keys()
    assert "memory" in resources["limits"]


@pytest.mark.parametrize("pod", EVERY_POD)
def test_an_image_is_named_to_the_version(pod: Pod) -> None:
    image = pod.container["image"]
    name, found, version = image.rpartition("@" if "@" in image else ":")
    assert name
    assert found
    assert version != "latest"
    assert "/" not in version


@pytest.mark.parametrize("pod", LASTING)
def test_what_lasts_is_watched(pod: Pod) -> None:
    assert "livenessProbe" in pod.container


@pytest.mark.parametrize("pod", [p for p in LASTING if "ports" in p.values[0].container])
def test_what_is_called_says_when_it_is_ready(pod: Pod) -> None:
    assert "readinessProbe" in pod.container


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_service_account_has_no_right_and_no_token(name: str) -> None:
    (account,) = kind(release(name), "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    forbidden = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
    assert not forbidden & {found["kind"] for found in release(name)}
