"""Pods on kwok nodes: placed by the real scheduler, ready after the delay one chooses."""

import time
from datetime import datetime

import pytest

from e2e.rig.kube import KubeClient, Manifest, wait_for
from e2e.rig.kwok.nodes import (
    START_DELAY_ANNOTATION,
    STOP_DELAY_ANNOTATION,
    add_nodes,
    kwok_node,
)

NAMESPACE = "simulated"
START_DELAY_SECONDS, STOP_DELAY_SECONDS = 2, 1
TOLERANCE_SECONDS = 1.0


def deployment(replicas: int) -> Manifest:
    labels = {"app": "fake-triton"}
    container = {
        "name": "triton",
        "image": "triton",
        "ports": [{"name": "metrics", "containerPort": 8002}],
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }
    delays = {
        START_DELAY_ANNOTATION: f"{START_DELAY_SECONDS}s",
        STOP_DELAY_ANNOTATION: f"{STOP_DELAY_SECONDS}s",
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "fake-triton", "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": delays},
                "spec": {"containers": [container]},
            },
        },
    }


SERVICE: Manifest = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "fake-triton", "namespace": NAMESPACE},
    "spec": {"selector": {"app": "fake-triton"}, "ports": [{"port": 8000}]},
}


@pytest.fixture(scope="module")
def fleet(kube: KubeClient) -> KubeClient:
    """Three one-GPU nodes and a fleet of two, rolled out."""
    add_nodes(kube, *(kwok_node(f"gpu-{n}") for n in range(3)))
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    wait_for(
        lambda: kube.find("v1", "ServiceAccount", "default", namespace=NAMESPACE),
        timeout_seconds=5,
        what="the default ServiceAccount",
    )
    kube.apply(SERVICE, deployment(2))
    wait_for(lambda: ready_replicas(kube) == 2, timeout_seconds=15, what="two ready replicas")
    return kube


def ready_replicas(kube: KubeClient) -> int:
    found = kube.get("apps/v1", "Deployment", "fake-triton", namespace=NAMESPACE)
    return int(found["status"].get("readyReplicas", 0))


def pods(kube: KubeClient) -> list[Manifest]:
    return kube.list("v1", "Pod", namespace=NAMESPACE)


def moment(pod: Manifest, condition: str) -> datetime:
    conditions = {c["type"]: c for c in pod["status"]["conditions"]}
    return datetime.fromisoformat(conditions[condition]["lastTransitionTime"])


def test_a_pod_is_ready_after_its_start_delay(fleet: KubeClient) -> None:
    for pod in pods(fleet):
        took = (moment(pod, "Ready") - moment(pod, "PodScheduled")).total_seconds()
        # Kubernetes writes whole seconds.
        assert took == pytest.approx(START_DELAY_SECONDS, abs=TOLERANCE_SECONDS)


def test_a_pod_is_running_with_an_address_before_it_is_ready(fleet: KubeClient) -> None:
    fleet.scale("fake-triton", 3, namespace=NAMESPACE)

    def starting() -> list[Manifest]:
        return [
            pod
            for pod in pods(fleet)
            if pod["status"].get("podIP") and not pod["status"]["containerStatuses"][0]["ready"]
        ]

    [pod] = wait_for(starting, timeout_seconds=5, what="a pod that is starting")
    assert pod["status"]["phase"] == "Running"
    wait_for(lambda: ready_replicas(fleet) == 3, timeout_seconds=10, what="three ready replicas")


def test_each_gpu_holds_one_pod(fleet: KubeClient) -> None:
    fleet.scale("fake-triton", 4, namespace=NAMESPACE)

    def unplaced() -> list[Manifest]:
        return [pod for pod in pods(fleet) if "nodeName" not in pod["spec"]]

    wait_for(lambda: len(pods(fleet)) == 4, timeout_seconds=5, what="four pods")
    wait_for(lambda: ready_replicas(fleet) == 3, timeout_seconds=10, what="three ready replicas")
    [pending] = unplaced()
    assert "Insufficient nvidia.com/gpu" in pending["status"]["conditions"][0]["message"]
    nodes = {pod["spec"].get("nodeName") for pod in pods(fleet)}
    assert nodes == {"gpu-0", "gpu-1", "gpu-2", None}


def test_endpoint_slices_list_the_ready_pods(fleet: KubeClient) -> None:
    fleet.scale("fake-triton", 2, namespace=NAMESPACE)

    def ready_addresses() -> set[str]:
        slices = fleet.list("discovery.k8s.io/v1", "EndpointSlice", namespace=NAMESPACE)
        endpoints = [endpoint for s in slices for endpoint in s["endpoints"] or ()]
        return {e["addresses"][0] for e in endpoints if e["conditions"]["ready"]}

    def expected() -> set[str]:
        return {p["status"]["podIP"] for p in pods(fleet) if "podIP" in p["status"]}

    wait_for(lambda: len(pods(fleet)) == 2, timeout_seconds=10, what="two pods")
    wait_for(lambda: ready_addresses() == expected(), timeout_seconds=5, what="both endpoints")


def test_a_deleted_pod_stays_for_its_stop_delay(fleet: KubeClient) -> None:
    name = pods(fleet)[0]["metadata"]["name"]
    began = time.monotonic()
    fleet.delete("v1", "Pod", name, namespace=NAMESPACE)
    wait_for(
        lambda: fleet.find("v1", "Pod", name, namespace=NAMESPACE) is None,
        timeout_seconds=10,
        what="the pod to be gone",
    )
    assert time.monotonic() - began == pytest.approx(STOP_DELAY_SECONDS, abs=TOLERANCE_SECONDS)
