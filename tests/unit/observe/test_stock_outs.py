"""Which of the pods that wait count as refused when Karpenter gets some machines and not others."""

from typing import Any

import pytest

from inference_cost.model.policy import TargetRef
from inference_cost.model.workload import Workload
from inference_cost.observe.workloads import find_workload
from tests.unit.observe.test_node_claims import ON_DEMAND, SPOT, claim, refused
from tests.unit.observe.world import NOW, deployment, filled, pod, rfc3339

TARGET = TargetRef(api_version="apps/v1", kind="Deployment", name="resnet")
ASKED = NOW - 30.0


def waiting(name: str, created_at: float = ASKED) -> dict[str, Any]:
    made = pod(name, ready_for=None, node="", phase="Pending", created_at=created_at)
    scheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    made["status"]["conditions"].append(scheduled)
    return made


def coming(name: str, *, gpus: int = 1, created_at: float = ASKED, **more: Any) -> dict[str, Any]:
    """A machine that was given; its node is "" until it registered."""
    fields = {"deleted_at": None, "on": "", "creationTimestamp": rfc3339(created_at)} | more
    found = claim(name=name, **fields)
    found["status"]["providerID"] = "aws:///i-1"
    found["spec"]["resources"] = {"requests": {"nvidia.com/gpu": str(gpus)}}
    return found


PODS = [waiting(f"p{i}") for i in range(4)]
# Sentence: (other objects) → pods that were refused, one machine being refused for good.
REFUSED: dict[str, tuple[list[dict[str, Any]], set[str]]] = {
    "no machine comes: all": ([], {"p0", "p1", "p2", "p3"}),
    "two come: the other two": ([coming("a"), coming("b")], {"p2", "p3"}),
    "one that is large enough for three comes": ([coming("a", gpus=3)], {"p3"}),
    "one is there and empty": ([coming("a", on="gpu-9")], {"p1", "p2", "p3"}),
    "one that carries pods is another's": (
        [coming("a", on="gpu-9"), pod("x", app="other", node="gpu-9")],
        {"p0", "p1", "p2", "p3"},
    ),
    "one that goes is none": ([coming("a", deleted_at=NOW)], {"p0", "p1", "p2", "p3"}),
    "one of another pool is none": ([coming("a", labels=ON_DEMAND)], {"p0", "p1", "p2", "p3"}),
    "one from before they waited is none": (
        [coming("a", created_at=ASKED - 600)],
        {"p0", "p1", "p2", "p3"},
    ),
    "one that was asked for after the refusal was not refused": (
        [coming("a"), waiting("p9", created_at=NOW + 5)],
        {"p1", "p2", "p3"},
    ),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_when(sentence: str) -> None:
    others, expected = REFUSED[sentence]
    fleet = deployment(replicas=4)
    fleet["spec"]["template"]["spec"]["nodeSelector"] = dict(SPOT)
    cache = filled(fleet, *PODS, *others)
    cache.apply("NodeClaim", "DELETED", refused(name="sold-out"))
    found = find_workload(cache, "vision", TARGET)
    assert isinstance(found, Workload)
    assert {one.name for one in found.pods if one.refused} == expected
