"""Variants as the observer sees them: their targets, their pools, and whether they keep to them."""

from collections.abc import Mapping
from typing import Any

import pytest

from inference_cost.model.money import HourlyPrice
from inference_cost.model.observation import DecisionSettings, Snapshot
from inference_cost.model.policy import UNBOUNDED, SpotRisk
from inference_cost.model.workload import CapacityType, NoWorkload, Workload
from inference_cost.observe.node_labels import (
    required_node_labels,
    spreads_over_zones,
    strict_zones,
)
from inference_cost.observe.observer import Observer, ObserveSettings
from tests.unit.observe.world import NOW, deployment, filled, metadata, node, pod, policy

SPOT_LABELS = {"karpenter.sh/nodepool": "spot", "karpenter.sh/capacity-type": "spot"}
ON_DEMAND_LABELS = {"karpenter.sh/capacity-type": "on-demand"}
OFFERING = {"instanceType": "g6.xlarge", "perNodeHour": "0.30"}


def two(**more: Any) -> dict[str, Any]:
    spot = {"name": "spot", "scaleTargetRef": {"name": "resnet-spot"}, "poolRef": {"name": "spot"}}
    safe = {"name": "safe", "scaleTargetRef": {"name": "resnet"}, "minReplicas": 1}
    found = policy(spec={"variants": [spot, safe], **more})
    del found["spec"]["scaleTargetRef"]
    return found


def on(labels: Mapping[str, str], name: str = "resnet-spot") -> dict[str, Any]:
    found = deployment(name)
    found["spec"]["template"]["spec"]["nodeSelector"] = dict(labels)
    return found


def pool(
    name: str = "spot", labels: Mapping[str, str] = SPOT_LABELS, **spec: Any
) -> dict[str, Any]:
    selector = {"nodeSelector": {"matchLabels": dict(labels)}}
    return {
        "kind": "CapacityPool",
        "metadata": metadata(name, namespace=""),
        "spec": {**selector, "offerings": [OFFERING], **spec},
    }


async def look(*objects: dict[str, Any]) -> Snapshot:
    observer = Observer(
        cache=filled(*objects),
        metrics=None,
        models=None,
        settings=ObserveSettings(),
        decision=DecisionSettings(),
    )
    return await observer.observe(NOW)


async def test_each_variant_has_its_workload_and_the_policy_bounds_all() -> None:
    shot = await look(
        two(minOnDemandReplicas=1, spotRisk="SurviveLargestZone"),
        on(SPOT_LABELS),
        on(ON_DEMAND_LABELS, "resnet"),
        pod("a"),
        pool(),
    )
    [seen] = shot.observations
    assert [w.target.name for w in seen.workloads] == ["resnet-spot", "resnet"]
    assert [len(w.pods) for w in seen.workloads if isinstance(w, Workload)] == [0, 1]
    found = seen.policy
    assert [(v.name, v.min_replicas, v.max_replicas, v.pool) for v in found.variants] == [
        ("spot", 0, UNBOUNDED, "spot"),
        ("safe", 1, UNBOUNDED, ""),
    ]
    assert (found.fewest, found.most, found.min_on_demand_replicas) == (2, 10, 1)
    assert found.spot_risk is SpotRisk.SURVIVE_LARGEST_ZONE


async def test_one_workload_has_no_bounds_but_its_own() -> None:
    [seen] = (await look(policy(), deployment())).observations
    assert (seen.policy.fewest, seen.policy.most) == (0, UNBOUNDED)


async def test_a_variant_that_may_land_elsewhere_is_refused_with_the_missing_selector() -> None:
    shot = await look(two(), on({"karpenter.sh/nodepool": "spot"}), deployment(), pool())
    [refusal] = shot.refusals
    assert refusal.field == "spec.variants[0].poolRef"
    assert refusal.message.endswith(
        "pods of Deployment/resnet-spot may land outside CapacityPool/spot; add to the nodeSelector of its pod "
        "template: karpenter.sh/capacity-type: 'spot'"
    )


async def test_without_a_capacity_pool_variants_run_where_they_run() -> None:
    shot = await look(two(), on(SPOT_LABELS), deployment())
    assert (len(shot.refusals), len(shot.observations)) == (0, 1)


async def test_a_target_that_is_not_there_is_named_with_its_variant() -> None:
    [seen] = (await look(two(), on(ON_DEMAND_LABELS, "resnet"), pool())).observations
    missing = seen.workloads[0]
    assert isinstance(missing, NoWorkload)
    assert missing.message.startswith("spec.variants[0].scaleTargetRef: Deployment/resnet-spot")


async def test_a_pool_without_a_node_offers_one_like_those_elsewhere() -> None:
    shot = await look(node("gpu-1", gpus=4), pool())
    found = shot.pools["spot"]
    assert found.capacity_type is CapacityType.SPOT
    [example] = found.examples
    assert (example.instance_type, example.allocatable_gpus) == ("g6.xlarge", 4)
    assert isinstance(example.price, HourlyPrice)
    assert str(example.price.per_hour) == "0.30"


async def test_a_pool_with_a_node_has_it_for_an_example() -> None:
    shot = await look(node("gpu-1", gpus=4), node("gpu-2", labels=SPOT_LABELS), pool())
    [example] = shot.pools["spot"].examples
    assert (example.name, example.allocatable_gpus) == ("gpu-2", 1)


async def test_cordoned_nodes_of_a_pool_are_counted_and_pods_on_each_node() -> None:
    cordoned = node("gpu-1", labels=SPOT_LABELS) | {"spec": {"unschedulable": True}}
    shot = await look(
        cordoned, node("gpu-2", labels=SPOT_LABELS), node("gpu-3"), pool(), pod("a"), pod("b")
    )
    assert (shot.pools["spot"].nodes, shot.pools["spot"].cordoned) == (2, 1)
    assert {name: one.pods for name, one in shot.nodes.items()} == {
        "gpu-1": 2,
        "gpu-2": 0,
        "gpu-3": 0,
    }


async def test_a_pool_that_does_not_tell_its_capacity_type_may_be_lost() -> None:
    found = (await look(pool(labels={"team": "vision"}))).pools["spot"]
    assert found.capacity_type is None
    assert found.can_be_lost


def term(*expressions: tuple[str, str, list[str]]) -> dict[str, Any]:
    return {"matchExpressions": [{"key": k, "operator": o, "values": v} for k, o, v in expressions]}


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": list(terms)}
    return {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    }


CAPACITY = "karpenter.sh/capacity-type"
# Sentence: the pod spec of a variant without a poolRef → whether it may land on the spot pool of the other one.
ELSEWHERE: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing says where": ({}, True),
    "a label of no pool": ({"nodeSelector": {"team": "vision"}}, True),
    "one label of the pool, and it alone": (
        {"nodeSelector": {"karpenter.sh/nodepool": "spot"}},
        True,
    ),
    "another value of one of its labels": ({"nodeSelector": ON_DEMAND_LABELS}, False),
    "an affinity away from it": (affinity(term((CAPACITY, "NotIn", ["spot"]))), False),
    "one to nodes without the label": (affinity(term((CAPACITY, "DoesNotExist", []))), False),
    "one to several others": (
        affinity(term((CAPACITY, "In", ["on-demand", "reserved"]))),
        False,
    ),
    "one to it among others": (affinity(term((CAPACITY, "In", ["on-demand", "spot"]))), True),
    "an operator that labels alone do not answer": (affinity(term((CAPACITY, "Gt", ["3"]))), True),
    "an affinity of which one of two terms lets it in": (
        affinity(term((CAPACITY, "NotIn", ["spot"])), term(("team", "Exists", []))),
        True,
    ),
}


@pytest.mark.parametrize("sentence", ELSEWHERE)
async def test_a_variant_without_a_pool_keeps_out_of_those_of_the_others(sentence: str) -> None:
    spec, refused = ELSEWHERE[sentence]
    safe = deployment()
    safe["spec"]["template"]["spec"] |= spec
    shot = await look(two(), on(SPOT_LABELS), safe, pool())
    assert [one.field for one in shot.refusals] == ["spec.variants[1].poolRef"] * refused
    if refused:
        assert shot.refusals[0].message.endswith(
            "pods of Deployment/resnet may land in CapacityPool/spot of variant spot; name a pool of its own and add "
            "that pool's labels to the nodeSelector of its pod template, or give one of these another value there: "
            "karpenter.sh/capacity-type: 'spot', karpenter.sh/nodepool: 'spot'"
        )


REQUIRED = {
    "a nodeSelector": ({"nodeSelector": {"a": "b"}}, {"a": "b"}),
    "an affinity to one value": (affinity(term(("a", "In", ["b"]))), {"a": "b"}),
    "an affinity to one of two": (affinity(term(("a", "In", ["b", "c"]))), {}),
    "what all terms ask for": (
        affinity(term(("a", "In", ["b"]), ("c", "In", ["d"])), term(("a", "In", ["b"]))),
        {"a": "b"},
    ),
    "an affinity away from something": (affinity(term(("a", "NotIn", ["b"]))), {}),
    "nothing at all": ({}, {}),
}


@pytest.mark.parametrize("sentence", REQUIRED)
def test_labels_that_a_node_must_have(sentence: str) -> None:
    spec, expected = REQUIRED[sentence]
    assert dict(required_node_labels(spec)) == expected


@pytest.mark.parametrize(
    ("key", "spreads"),
    [("topology.kubernetes.io/zone", True), ("kubernetes.io/hostname", False), (None, False)],
)
def test_whether_pods_spread_over_zones(key: str | None, spreads: bool) -> None:
    spec = {} if key is None else {"topologySpreadConstraints": [{"topologyKey": key}]}
    assert spreads_over_zones(spec) is spreads


@pytest.mark.parametrize(
    ("one", "strict"),
    [
        ({"whenUnsatisfiable": "DoNotSchedule"}, True),
        ({"whenUnsatisfiable": "ScheduleAnyway"}, False),
        ({}, True),
    ],
)
def test_whether_pods_rather_wait_than_make_zones_uneven(one: dict[str, str], strict: bool) -> None:
    spread = {"topologyKey": "topology.kubernetes.io/zone", **one}
    assert strict_zones({"topologySpreadConstraints": [spread]}) is strict
    other = {"topologyKey": "kubernetes.io/hostname", **one}
    assert not strict_zones({"topologySpreadConstraints": [other]})
