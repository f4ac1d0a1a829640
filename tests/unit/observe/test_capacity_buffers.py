"""CapacityBuffers: what their autoscaler says of them, and which nodes it keeps for a pool."""

from decimal import Decimal
from typing import Any

import pytest

from inference_cost.account.costs import account
from inference_cost.api.placeholders import POOL_LABEL, TEMPLATE_LABEL
from inference_cost.model.observation import DecisionSettings, Snapshot
from inference_cost.model.warm import WarmBy, WarmPool
from inference_cost.observe.cluster_cache import ClusterCache
from inference_cost.observe.kinds import watched_kinds
from inference_cost.observe.observer import Observer, ObserveSettings
from tests.unit.observe import world
from tests.unit.observe.test_warm import ON_DEMAND, OWN, holder, placeholders, pool
from tests.unit.observe.world import NOW, Object, metadata, rfc3339

WARM = {"strategy": "CapacityBuffer", "min": 1, "max": 4}
PRICE = {"instanceType": "g6.xlarge", "perNodeHour": "0.80"}


def buffered(**spec: Any) -> Object:
    made = pool(warm=WARM)
    made["spec"] |= {"offerings": [PRICE], **spec}
    return made


def buffer(name: str = "safe", *, replicas: int = 2, **status: Any) -> Object:
    labels = {POOL_LABEL: name, TEMPLATE_LABEL: "abc"}
    return {
        "kind": "CapacityBuffer",
        "metadata": metadata(f"warm-{name}", namespace=OWN, labels=labels),
        "spec": {"replicas": replicas, "podTemplateRef": {"name": f"warm-{name}"}},
        "status": status,
    }


def told(kind: str, status: str, message: str = "") -> Object:
    return {"type": kind, "status": status, "reason": "Because", "message": message}


def gpu(name: str, *, age: float = 600.0, spec: Object | None = None, **more: Any) -> Object:
    made = world.node(name, **({"labels": ON_DEMAND} | more))
    made["metadata"]["creationTimestamp"] = rfc3339(NOW - age)
    return {**made, "spec": spec or {}}


def running(name: str, node: str, **more: Any) -> Object:
    return {**world.pod(name, app="x", node=node, **more), "kind": "Pod"}


def filled(*objects: Object) -> ClusterCache:
    cache = ClusterCache(watched_kinds((), capacity_buffers=True))
    for kind in cache.kinds:
        cache.replace(kind.kind, [], listed_at=NOW)
    for obj in objects:
        cache.apply(obj["kind"], None, obj)
    return cache


async def observed(cache: ClusterCache) -> Snapshot:
    observer = Observer(
        cache=cache,
        metrics=None,
        models=None,
        settings=ObserveSettings(namespace=OWN),
        decision=DecisionSettings(),
    )
    return await observer.observe(NOW)


async def seen(*objects: Object, name: str = "safe") -> WarmPool:
    return (await observed(filled(*objects))).warm[name]


async def test_the_oldest_empty_nodes_are_kept_as_many_as_the_autoscaler_says() -> None:
    nodes = (gpu("new", age=60.0), gpu("old", age=900.0), gpu("older", age=901.0))
    found = await seen(buffered(), buffer(replicas=3), *nodes)
    assert found.holders == (), "nobody has looked at it"
    found = await seen(buffered(), buffer(replicas=3) | {"status": {"replicas": 2}}, *nodes)
    assert [one.node for one in found.free] == ["older", "old"]
    assert found.asked is not None
    assert (found.asked.by, found.asked.replicas, found.asked.taken_up) == (
        WarmBy.CAPACITY_BUFFER, 3, 2,
    )  # fmt: skip


SPOT = {"labels": {"karpenter.sh/capacity-type": "spot"}}
NOT_KEPT: dict[str, tuple[Object, ...]] = {
    "somebody's pod holds its GPU": (gpu("n"), running("p", "n")),
    "the pod there is only going": (
        gpu("n"), running("p", "n", deletionTimestamp="2027-01-15T08:00:00Z"),
    ),
    "it is cordoned": (gpu("n", spec={"unschedulable": True}),),
    "it is about to go": (
        gpu("n", spec={"taints": [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]}),
    ),
    "its GPUs are not there yet": (gpu("n", gpus=0),),
    "it is another pool's": (gpu("n", **SPOT),),
}  # fmt: skip


@pytest.mark.parametrize("sentence", NOT_KEPT)
async def test_a_node_is_not_kept_where(sentence: str) -> None:
    kept = buffer() | {"status": {"replicas": 2}}
    assert (await seen(buffered(), kept, *NOT_KEPT[sentence])).holders == ()


async def test_a_pod_that_is_done_and_a_placeholder_leave_a_node_free() -> None:
    found = await seen(
        buffered(), buffer(replicas=2) | {"status": {"replicas": 2}}, gpu("n1"), gpu("n2"),
        running("done", "n1", phase="Succeeded"), holder("h", "n2"),
    )  # fmt: skip
    assert {one.node for one in found.free} == {"n1", "n2"}


SAYS: dict[str, tuple[dict[str, Any], tuple[str, int | None, str]]] = {
    "nothing as long as no autoscaler looked": ({}, ("abc", None, "")),
    "that it keeps some": (
        {"replicas": 2, "conditions": [told("ReadyForProvisioning", "True")]}, ("abc", 2, ""),
    ),
    "that quotas leave room for fewer": (
        {"replicas": 1, "conditions": [told("LimitedByQuotas", "True", "quota gpus")]},
        ("abc", 1, "quota gpus"),
    ),
    "that it cannot follow it: then all is written anew": (
        {"replicas": 2, "conditions": [told("ReadyForProvisioning", "False", "no PodTemplate")]},
        ("", None, "no PodTemplate"),
    ),
    "a reason where there are no words": (
        {"conditions": [told("ReadyForProvisioning", "False")]}, ("", None, "Because"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SAYS)
async def test_what_the_autoscaler_says(sentence: str) -> None:
    status, expected = SAYS[sentence]
    asked = (await seen(buffered(), buffer() | {"status": status})).asked
    assert asked is not None
    assert (asked.template, asked.taken_up, asked.refusal) == expected


async def test_what_the_other_strategy_left_is_told_apart() -> None:
    found = await seen(buffered(), placeholders(), buffer())
    assert found.asked is not None
    assert found.asked.by is WarmBy.CAPACITY_BUFFER
    assert found.former is not None
    assert found.former.by is WarmBy.PLACEHOLDER
    back = await seen(pool(), placeholders(), buffer())
    assert back.asked is not None
    assert back.asked.by is WarmBy.PLACEHOLDER
    assert back.former is not None
    assert back.former.by is WarmBy.CAPACITY_BUFFER


async def test_a_buffer_whose_pool_is_gone_is_asked_for_by_nobody() -> None:
    found = await seen(buffer("old"), name="old")
    assert (found.spec, found.asked is not None) == (None, True)


async def test_a_buffer_of_somebody_else_is_none_of_ours() -> None:
    foreign = buffer()
    foreign["metadata"]["labels"] = {}
    assert (await seen(buffered(), foreign)).asked is None


async def test_a_cluster_that_does_not_serve_them_is_named_with_what_to_do() -> None:
    cache = filled(buffered(), gpu("n"))
    cache.mark_unavailable(
        "CapacityBuffer", "capacitybuffers.autoscaling.x-k8s.io is not installed"
    )
    words = (await observed(cache)).warm["safe"].unserved
    assert "capacitybuffers.autoscaling.x-k8s.io is not installed" in words
    assert "strategy: Placeholder" in words
    assert (await seen(buffered())).unserved == ""


async def test_what_is_kept_is_on_the_pools_own_line() -> None:
    shot = await observed(
        filled(buffered(), buffer() | {"status": {"replicas": 2}}, gpu("n1"), gpu("n2"), gpu("n3"))
    )
    (line,) = account(shot, {}, {}).pools
    assert (line.pool, line.warm_per_hour, line.idle_per_hour) == (
        "safe", Decimal("1.60"), Decimal("0.80"),
    )  # fmt: skip
