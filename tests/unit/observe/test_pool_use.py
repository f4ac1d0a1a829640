"""Pools with limits: what they allow, what others use of them, and what runs nowhere else."""

from decimal import Decimal
from typing import Any

import pytest

from inference_cost.model.observation import DecisionSettings, Snapshot
from inference_cost.model.workload import PoolLimits, UsedByOthers, Workload
from inference_cost.observe.observer import Observer, ObserveSettings
from tests.unit.observe.world import (
    NOW,
    deployment,
    filled,
    metadata,
    node,
    owner,
    pod,
    policy,
)

LABELS = {"team": "gpu"}


def pool(limits: dict[str, Any] | None, name: str = "gpu") -> dict[str, Any]:
    spec: dict[str, Any] = {
        "nodeSelector": {"matchLabels": LABELS},
        "offerings": [{"instanceType": "g6.xlarge", "perNodeHour": "0.80"}],
    }
    if limits is not None:
        spec["limits"] = limits
    return {"kind": "CapacityPool", "metadata": metadata(name, namespace=""), "spec": spec}


def target(**labels: str) -> dict[str, Any]:
    found = deployment()
    found["spec"]["template"]["spec"]["nodeSelector"] = labels
    return found


async def look(*objects: dict[str, Any]) -> Snapshot:
    seeing = Observer(
        cache=filled(policy(), node(labels=LABELS), *objects),
        metrics=None,
        models=None,
        settings=ObserveSettings(),
        decision=DecisionSettings(),
    )
    return await seeing.observe(NOW)


def other(name: str, **more: Any) -> dict[str, Any]:
    """A pod that no policy scales."""
    return pod(name, app="batch", **more)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (None, None),
        ({"nodes": 3}, PoolLimits(nodes=3)),
        ({"hourlyCost": "2.5"}, PoolLimits(per_hour=Decimal("2.5"))),
        ({"nodes": 0, "hourlyCost": "0"}, PoolLimits(nodes=0, per_hour=Decimal(0))),
    ],
)
async def test_limits(limits: dict[str, Any] | None, expected: PoolLimits | None) -> None:
    assert (await look(pool(limits))).pools["gpu"].limits == expected


USED: dict[str, tuple[tuple[dict[str, Any], ...], float]] = {
    "nobody": ((), 0.0),
    "a pod of our own": ((pod("a"),), 0.0),
    "a pod of no policy, of the only GPU": ((other("b"),), 1.0),
    "one that runs on every node": (
        (other("b", ownerReferences=owner("DaemonSet", "exporter")),),
        0.0,
    ),
    "one that is over": ((other("b", phase="Succeeded"),), 0.0),
    "one on another node": ((other("b", node="gpu-2"), node("gpu-2")), 0.0),
    "one that waits": ((other("b", node=""),), 0.0),
}


@pytest.mark.parametrize("sentence", USED)
async def test_what_others_use(sentence: str) -> None:
    objects, share = USED[sentence]
    snapshot = await look(deployment(), pool({"nodes": 3}), *objects)
    used = snapshot.pools["gpu"].others
    assert (used.nodes, round(used.per_hour, 6)) == (share, round(0.80 * share, 6))


async def test_where_there_is_no_limit_nobody_looks() -> None:
    assert (await look(deployment(), pool(None), other("b"))).pools["gpu"].others == UsedByOthers()


@pytest.mark.parametrize(
    ("limits", "labels", "expected"),
    [
        ({"nodes": 3}, LABELS, "gpu"),
        ({"nodes": 3}, {**LABELS, "disk": "fast"}, "gpu"),
        ({"nodes": 3}, {}, ""),
        ({"nodes": 3}, {"team": "cpu"}, ""),
        (None, LABELS, ""),
    ],
)
async def test_a_workload_that_runs_nowhere_else(
    limits: dict[str, Any] | None, labels: dict[str, str], expected: str
) -> None:
    snapshot = await look(target(**labels), pool(limits), pod("a"))
    [workload] = snapshot.observations[0].workloads
    assert isinstance(workload, Workload)
    assert workload.pool == expected


async def test_priority_is_as_the_api_server_has_resolved_it() -> None:
    first, second = pod("a"), pod("b")
    first["spec"]["priority"] = 1000
    snapshot = await look(deployment(), first, second)
    [workload] = snapshot.observations[0].workloads
    assert isinstance(workload, Workload)
    assert [one.priority for one in workload.pods] == [1000, 0]


async def test_a_policy_s_cap_and_priority() -> None:
    capped = policy(spec={"maxHourlyCost": "4.5", "priority": 7})
    [seen] = (await look(deployment(), capped)).observations
    assert (seen.policy.max_hourly_cost, seen.policy.priority) == (Decimal("4.5"), 7)
