"""The chart's admission policy for placeholders, on a real API server: what the operator's account may write.

That for pods is tried out in e2e/scenarios/test_scale_in_order.py, where there are pods.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.rig.cluster import Cluster
from e2e.rig.kube import KubeClient, KubeError, Manifest, wait_for
from inference_cost.act.capacity_buffers import stored_template
from inference_cost.act.placeholders import PlaceholderSettings, deployment, pod_template
from inference_cost.model.warm import NodeShape, WarmBy, WarmPlan, WarmPool, WarmSpec
from tests.integration.chart.conftest import NAMESPACE, RELEASE, Render

SETTINGS = PlaceholderSettings(
    namespace=NAMESPACE,
    priority_class=f"{RELEASE}-warm",
    image="pause:3.10",
    buffer_priority_class=f"{RELEASE}-warm-buffer",
)
SPEC = WarmSpec(least=0, most=5)
POOL = WarmPool(name="gpus", spec=SPEC, match_labels={"pool": "gpus"})
BUFFERED = replace(POOL, spec=replace(SPEC, by=WarmBy.CAPACITY_BUFFER))
SHAPE = NodeShape(gpus=1, cpu_millicores=500, memory_bytes=2**30)
PLAN = WarmPlan(
    pool="gpus", wanted=1, free=0, lost=0, uses=0, reasons=(), shape=SHAPE, images=("triton",)
)
APPS, NAME = ("apps/v1", "Deployment"), "warm-gpus"


@pytest.fixture(scope="module")
def kube(own_cluster: Cluster) -> Iterator[KubeClient]:
    """As an administrator."""
    with KubeClient(own_cluster.kubeconfig) as client:
        yield client


@pytest.fixture(scope="module")
def account(own_cluster: Cluster, kube: KubeClient, render: Render) -> Path:
    """The operator's, with the chart's rights and policies; its own Deployment is not there."""
    values = {
        "warm": {"enabled": True, "capacityBuffers": True},
        "rbac": {"admissionPolicies": "Always"},
        "crds": {"install": False},
    }
    manifests = [m for m in render(values) if m["kind"] != "Deployment"]
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    kube.apply(*manifests, namespace=NAMESPACE)
    return own_cluster.service_account_kubeconfig(RELEASE, namespace=NAMESPACE)


@pytest.fixture(scope="module")
def operator(account: Path) -> Iterator[KubeClient]:
    """Once the policy is in force."""
    with KubeClient(account) as client:
        wait_for(
            lambda: "nothing but its own placeholders" in refusal(client, unlabelled("probe")),
            timeout_seconds=20,
            what="the admission policy",
        )
        yield client


def placeholders(pool: str = "gpus") -> Manifest:
    named = replace(POOL, name=pool)
    template = pod_template(named, PLAN, SHAPE, SETTINGS)
    return unowned(deployment(named, 1, template, SETTINGS, ""))


def unowned(made: Manifest) -> Manifest:
    """The garbage collector would take it: the uid of its owner is nobody's."""
    del made["metadata"]["ownerReferences"]
    return made


def unlabelled(name: str) -> Manifest:
    made = placeholders()
    made["metadata"] |= {"name": name, "labels": {}}
    return made


def refusal(client: KubeClient, manifest: Manifest) -> str:
    """What the API server says against it; "" where it takes it, and then it is there."""
    try:
        client.create(manifest, namespace=NAMESPACE)
    except KubeError as error:
        return str(error)
    return ""


def with_pods(**more: Any) -> Manifest:
    made = placeholders("other")
    spec = made["spec"]["template"]["spec"]
    container = more.pop("container", {})
    spec |= more
    spec["containers"][0] |= container
    return made


SECRET = {"name": "s", "secret": {"secretName": "prometheus"}}
FROM_SECRET = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "prometheus", "key": "token"}}}
REFUSED: dict[str, tuple[Manifest, str]] = {
    "a Deployment without the label": (unlabelled("mine"), "its own placeholders"),
    "pods of another priority": (
        with_pods(priorityClassName="system-node-critical"), "priority class of the chart",
    ),
    "pods that mount a Secret": (with_pods(volumes=[SECRET]), "no volume"),
    "pods that read a Secret": (with_pods(container={"env": [FROM_SECRET]}), "no environment"),
    "pods that read all of a Secret": (
        with_pods(container={"envFrom": [{"secretRef": {"name": "prometheus"}}]}),
        "no environment",
    ),
    "pods that pull with a Secret": (
        with_pods(imagePullSecrets=[{"name": "pull"}]), "no pull secret",
    ),
    "pods with a token": (with_pods(automountServiceAccountToken=True), "no token"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_it_is_refused(sentence: str, operator: KubeClient) -> None:
    manifest, words = REFUSED[sentence]
    assert words in refusal(operator, manifest)


def test_somebody_elses_deployment_is_neither_changed_nor_deleted_nor_taken_over(
    kube: KubeClient, operator: KubeClient
) -> None:
    kube.create(unlabelled("theirs"), namespace=NAMESPACE)
    ours = {"metadata": {"labels": placeholders()["metadata"]["labels"]}}
    for patch in ({"spec": {"replicas": 0}}, ours):
        with pytest.raises(KubeError, match="its own placeholders"):
            operator.merge(*APPS, "theirs", patch, namespace=NAMESPACE)
    with pytest.raises(KubeError, match="its own placeholders"):
        operator.delete(*APPS, "theirs", namespace=NAMESPACE)


def test_its_own_are_made_changed_and_deleted(operator: KubeClient) -> None:
    assert refusal(operator, placeholders()) == ""
    operator.merge(*APPS, NAME, {"spec": {"replicas": 3}}, namespace=NAMESPACE)
    operator.delete(*APPS, NAME, namespace=NAMESPACE)


def test_templates_of_buffers_are_held_to_the_same(operator: KubeClient) -> None:
    template = pod_template(BUFFERED, PLAN, SHAPE, SETTINGS)
    reading = template | {"spec": template["spec"] | {"volumes": [SECRET]}}
    ours, mounting = (
        unowned(stored_template(NAME, one, SETTINGS, "")) for one in (template, reading)
    )
    assert "no volume" in refusal(operator, mounting)
    assert refusal(operator, ours) == ""
    operator.delete("v1", "PodTemplate", NAME, namespace=NAMESPACE)


@pytest.mark.usefixtures("operator")
def test_others_are_not_held_to_anything(kube: KubeClient) -> None:
    assert refusal(kube, unlabelled("somebody")) == ""
