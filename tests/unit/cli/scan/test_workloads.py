"""Which workloads run Triton, and which pods are theirs."""

from typing import Any

import pytest

from inference_cost.cli.scan.workloads import WorkloadKey, find, runs_triton
from tests.unit.cli.scan.clusters import deployment, pod

CONTAINERS: dict[str, tuple[dict[str, Any], bool]] = {
    "the image of NVIDIA": ({"image": "nvcr.io/nvidia/tritonserver:26.01-py3"}, True),
    "a copy of it": ({"image": "registry.example/ml/tritonserver-custom:7"}, True),
    "another image that starts it": ({"image": "ml:7", "command": ["sh", "-c", "exec tritonserver"]}, True),
    "PyTriton": ({"image": "ml:7", "args": ["python", "-m", "pytriton.server"]}, True),
    "vLLM on its own": ({"image": "vllm/vllm-openai:v1"}, False),
    "no image": ({}, False),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CONTAINERS)
def test_told_by_the_container(sentence: str) -> None:
    container, expected = CONTAINERS[sentence]
    assert (
        runs_triton({"containers": [{"name": "sidecar", "image": "envoy"}, container]}) is expected
    )


def test_told_by_the_metrics_of_its_pods() -> None:
    pods = [pod("vision", "own", 0, "n", image="ml:7"), pod("vision", "web", 0, "n", image="nginx")]
    objects = [
        deployment("vision", "own", 1, image="ml:7"),
        deployment("vision", "web", 1, "nginx"),
    ]
    found = find(objects, pods, frozenset({("vision", "own-7d9f8b-00000")}))
    assert [str(one.key) for one in found] == ["vision/Deployment/own"]


def test_one_that_sleeps_at_zero_is_found_by_its_template() -> None:
    [found] = find([deployment("vision", "resnet", 0)], [], frozenset())
    assert (found.replicas, found.ready, found.bound) == (0, 0, ())


def test_pods_of_another_owner_are_a_workload_too() -> None:
    rollout = pod("vision", "canary", 0, "n")
    rollout["metadata"]["labels"] = {"rollouts-pod-template-hash": "7d9f8b"}
    job = pod("vision", "batch", 0, "n")
    job["metadata"]["ownerReferences"] = [{"kind": "Job", "name": "batch-1", "controller": True}]
    alone = pod("vision", "alone", 0, "n")
    alone["metadata"]["ownerReferences"] = []
    found = find([], [rollout, job, alone], frozenset())
    assert [(one.key.kind, one.key.name, one.asked) for one in found] == [
        ("Job", "batch-1", None),
        ("Pod", "alone-7d9f8b-00000", None),
        ("Rollout", "canary", None),
    ]


def test_pods_that_ended_are_not_counted_and_those_that_wait_are_not_paid_for() -> None:
    ended = pod("vision", "resnet", 0, "n") | {"status": {"phase": "Failed"}}
    waits = pod("vision", "resnet", 1, "") | {"status": {"phase": "Pending"}}
    serves = pod("vision", "resnet", 2, "n")
    [found] = find([deployment("vision", "resnet", 2)], [ended, waits, serves], frozenset())
    assert (len(found.pods), found.ready, len(found.bound)) == (2, 1, 1)


def test_names_of_two_namespaces_are_two_workloads() -> None:
    found = find([deployment("a", "x", 1), deployment("b", "x", 1)], [], frozenset())
    assert [one.key for one in found] == [
        WorkloadKey(namespace=namespace, kind="Deployment", name="x") for namespace in ("a", "b")
    ]
