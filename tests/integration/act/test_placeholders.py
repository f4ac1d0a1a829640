"""Placeholders on the real API server, in a namespace that only takes restricted pods."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from e2e.rig.kube import KubeClient, wait_for
from inference_cost.act.kube_api import KubeApi
from inference_cost.api.placeholders import TEMPLATE_LABEL
from inference_cost.model.warm import Asked, NodeShape, WarmPlan, WarmPool, WarmSpec
from tests.integration.act.keeping import CLASS, kept, priority_class

POOL = WarmPool(name="gpus", spec=WarmSpec(least=0, most=5), match_labels={"pool": "gpus"})
PLAN = WarmPlan(
    pool="gpus",
    wanted=2,
    free=0,
    lost=0,
    uses=0,
    reasons=(),
    shape=NodeShape(gpus=1, cpu_millicores=500, memory_bytes=2**30),
    images=("tritonserver",),
)


@pytest.fixture
def restricted(kube: KubeClient) -> Iterator[str]:
    name = f"warm-{uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kube.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        priority_class(),
    )
    yield name
    if kube.find("scheduling.k8s.io/v1", "PriorityClass", CLASS):
        kube.delete("scheduling.k8s.io/v1", "PriorityClass", CLASS)
    kube.delete("v1", "Namespace", name)


def seen(kube: KubeClient, namespace: str) -> WarmPool:
    found = kube.get("apps/v1", "Deployment", "warm-gpus", namespace=namespace)
    asked = Asked(
        name="warm-gpus",
        uid=found["metadata"]["uid"],
        replicas=found["spec"]["replicas"],
        template=found["spec"]["template"]["metadata"]["labels"][TEMPLATE_LABEL],
    )
    return replace(POOL, asked=asked)


async def test_they_are_made_changed_and_deleted(
    api: KubeApi, kube: KubeClient, restricted: str
) -> None:
    await kept(api, restricted, PLAN, POOL)
    pods = wait_for(
        lambda: kube.list("v1", "Pod", namespace=restricted), timeout_seconds=15, what="its pods"
    )
    assert {pod["spec"]["priority"] for pod in pods} == {-10}
    assert {pod["spec"]["preemptionPolicy"] for pod in pods} == {"Never"}
    other = replace(seen(kube, restricted), match_labels={"team": "ml"})
    await kept(api, restricted, replace(PLAN, wanted=3), other)
    changed = kube.get("apps/v1", "Deployment", "warm-gpus", namespace=restricted)
    assert changed["spec"]["replicas"] == 3
    assert changed["spec"]["template"]["spec"]["nodeSelector"] == {"team": "ml"}
    await kept(api, restricted, replace(PLAN, wanted=0), seen(kube, restricted))
    assert kube.find("apps/v1", "Deployment", "warm-gpus", namespace=restricted) is None


async def test_they_go_with_their_priority_class(
    api: KubeApi, kube: KubeClient, restricted: str
) -> None:
    await kept(api, restricted, PLAN, POOL)
    kube.delete("scheduling.k8s.io/v1", "PriorityClass", CLASS)
    wait_for(
        lambda: kube.find("apps/v1", "Deployment", "warm-gpus", namespace=restricted) is None,
        timeout_seconds=30,
        what="the garbage collector",
    )
