"""The chart against a real API server: its schemas, its admission, its authorizer."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.rig.binaries import Binaries
from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, wait_for
from tests.integration.chart.conftest import CHART, NAMESPACE, RELEASE, Helm, Render
from tests.integration.chart.openapi import LOCATION, write_schemas
from tests.integration.chart.values_table import INSTALLATIONS

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
FOREIGN = (
    "PodMonitor",
    "PrometheusRule",
    "ServiceMonitor",
)  # of the Prometheus operator: no schema on this server


@pytest.fixture(scope="module")
def kube(own_cluster: Cluster) -> Iterator[KubeClient]:
    with KubeClient(own_cluster.kubeconfig) as client:
        yield client


@pytest.fixture(scope="module")
def schemas(kube: KubeClient, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(kube, folder)
    return folder


def kubeconform(program: Path, schemas: Path, manifests: list[Any]) -> str:
    done = subprocess.run(
        [str(program), "-strict", "-summary", "-schema-location", str(schemas / LOCATION), "-"],
        input=yaml.safe_dump_all(manifests),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("sentence", INSTALLATIONS)
def test_manifests_fit_the_schemas_of_the_api_server(
    sentence: str, render: Render, tools: Binaries, schemas: Path
) -> None:
    manifests = [m for m in render(INSTALLATIONS[sentence]) if m["kind"] not in FOREIGN]
    said = kubeconform(tools["kubeconform"], schemas, manifests)
    assert f"Valid: {len(manifests)}, Invalid: 0, Errors: 0, Skipped: 0" in said, said


def test_a_field_that_does_not_exist_would_be_found(
    render: Render, tools: Binaries, schemas: Path
) -> None:
    manifests = [m for m in render() if m["kind"] == "Deployment"]
    manifests[0]["spec"]["template"]["spec"]["containers"][0]["port"] = []
    said = kubeconform(tools["kubeconform"], schemas, manifests)
    assert "Invalid: 1" in said
    assert "port" in said


@pytest.fixture(scope="module")
def installed(own_cluster: Cluster, kube: KubeClient, helm: Helm) -> str:
    """The NOTES of a release with default values, in a namespace that admits restricted pods only."""
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": label}}
    )
    arguments = ("install", RELEASE, CHART, "--namespace", NAMESPACE)
    return helm(*arguments, values={}, cluster=own_cluster)


def allowed(kube: KubeClient, verb: str, resource: str, namespace: str = "team-a") -> bool:
    """What the authorizer says of the operator's ServiceAccount. `resource`: plural[/subresource].group."""
    plural, _, group = resource.partition(".")
    plural, _, subresource = plural.partition("/")
    review = kube.request(
        "POST",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": ACCOUNT,
                "groups": ["system:serviceaccounts", "system:authenticated"],
                "resourceAttributes": {
                    "verb": verb,
                    "group": group,
                    "resource": plural,
                    "subresource": subresource,
                    "namespace": namespace,
                    "name": RELEASE,
                },
            },
        },
    )
    return bool(review["status"]["allowed"])


def test_the_notes_say_what_to_do_next(installed: str) -> None:
    assert "Nothing is scaled: policies only recommend" in installed
    assert "WARNING: `prometheus.url` is empty" in installed
    for command in ("kubectl apply -f -", "kubectl get icp -A", "kubectl inference-cost explain"):
        assert command in installed


@pytest.mark.usefixtures("installed")
def test_admission_takes_both_pods_under_the_restricted_standard(kube: KubeClient) -> None:
    def pods() -> bool:
        return len(kube.list("v1", "Pod", namespace=NAMESPACE)) == 2

    wait_for(pods, timeout_seconds=20, what="two pods of the operator")


@pytest.mark.usefixtures("installed")
def test_the_policy_of_the_notes_is_accepted(installed: str, kube: KubeClient) -> None:
    text = installed.partition("<<EOF\n")[2].partition("EOF")[0].replace("<namespace>", NAMESPACE)
    stored = kube.create(yaml.safe_load(text), namespace=NAMESPACE)
    assert stored["spec"]["mode"] == "Recommend"


MAY = {
    "list policies": ("list", "inferencecostpolicies.inferencecost.dev"),
    "write their status": ("patch", "inferencecostpolicies/status.inferencecost.dev"),
    "read pods of any namespace": ("list", "pods"),
}
MAY_NOT = {
    "edit a policy": ("patch", "inferencecostpolicies.inferencecost.dev"),
    "read secrets": ("get", "secrets"),
    "edit a Deployment": ("patch", "deployments.apps"),
    "delete pods": ("delete", "pods"),
    "hold a Lease in a tenant's namespace": ("update", "leases.coordination.k8s.io"),
}


@pytest.mark.usefixtures("installed")
def test_the_authorizer_agrees(kube: KubeClient) -> None:
    assert all(allowed(kube, *right) for right in MAY.values())
    assert [what for what, right in MAY_NOT.items() if allowed(kube, *right)] == []
    assert allowed(kube, "update", "leases.coordination.k8s.io", namespace=NAMESPACE)


@pytest.mark.usefixtures("installed")
def test_the_right_to_scale_comes_and_goes_with_one_switch(
    own_cluster: Cluster, kube: KubeClient, helm: Helm
) -> None:
    scale = ("patch", "deployments/scale.apps")
    assert not allowed(kube, *scale)
    for enabled in (True, False):
        arguments = ("upgrade", RELEASE, CHART, "--namespace", NAMESPACE)
        helm(*arguments, values={"enforce": {"enabled": enabled}}, cluster=own_cluster)
        wait_for(
            lambda wanted=enabled: allowed(kube, *scale) is wanted,  # type: ignore[misc]
            timeout_seconds=10,
            what="the authorizer",
        )


@pytest.mark.usefixtures("installed")
def test_uninstall_keeps_definitions_and_policies_and_a_new_install_takes_them_over(
    own_cluster: Cluster, kube: KubeClient, helm: Helm
) -> None:
    helm("uninstall", RELEASE, "--namespace", NAMESPACE, cluster=own_cluster)
    kinds = kube.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert len([k for k in kinds if k["spec"]["group"] == "inferencecost.dev"]) == 3
    arguments = ("install", RELEASE, CHART, "--namespace", NAMESPACE)
    assert "is installed" in helm(*arguments, values={}, cluster=own_cluster)
