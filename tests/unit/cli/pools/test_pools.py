"""Pools as `kubectl inference-cost pools` prints them, and as objects that bind just these nodes at these prices."""

import re
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.api.parse import parse_capacity_pool
from inference_cost.cli.pools.objects import as_yaml
from inference_cost.cli.pools.seen import Pool, pools_of
from inference_cost.model.workload import CapacityType
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.extract import capacity_pool_record, node_record
from inference_cost.observe.nodes import has_gpus
from inference_cost.observe.prices import shipped_table
from inference_cost.observe.records import NodeRecord
from tests.unit.observe.world import metadata, node

TYPE = "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
POOL = "karpenter.sh/nodepool"
CAPACITY = "karpenter.sh/capacity-type"
PRODUCT = "nvidia.com/gpu.product"
EAST = {REGION: "us-east-1"}


def record(name: str = "n", *, gpus: int = 1, **labels: str) -> NodeRecord:
    return node_record(node(name, labels=labels, gpus=gpus))


def book(*pools: dict[str, Any]) -> PriceBook:
    declared = [capacity_pool_record(pool) for pool in pools]
    return PriceBook(declared, table=shipped_table(), currency="USD")


def seen(*records: NodeRecord, declared: tuple[dict[str, Any], ...] = ()) -> list[Pool]:
    return pools_of(records, book(*declared))


def declared(name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "CapacityPool", "metadata": metadata(name, namespace=""), "spec": spec}


NAMED: dict[str, tuple[dict[str, str], str, dict[str, str]]] = {
    "Karpenter": (
        {POOL: "GPU_L4", CAPACITY: "spot"},
        "gpu-l4-spot",
        {POOL: "GPU_L4", CAPACITY: "spot"},
    ),
    "an EKS node group": (
        {"eks.amazonaws.com/nodegroup": "ng", "eks.amazonaws.com/capacityType": "ON_DEMAND"},
        "ng-on-demand",
        {"eks.amazonaws.com/nodegroup": "ng", "eks.amazonaws.com/capacityType": "ON_DEMAND"},
    ),
    "a pool of GKE that says it in its name": (
        {"cloud.google.com/gke-nodepool": "l4-spot", "cloud.google.com/gke-spot": "true"},
        "l4-spot",
        {"cloud.google.com/gke-nodepool": "l4-spot", "cloud.google.com/gke-spot": "true"},
    ),
    "no node pool": ({}, "g6-xlarge-on-demand", {TYPE: "g6.xlarge"}),
}


@pytest.mark.parametrize(("labels", "name", "selector"), NAMED.values(), ids=NAMED)
def test_name_and_labels(labels: dict[str, str], name: str, selector: dict[str, str]) -> None:
    [pool] = seen(record(**labels))
    assert (pool.name, dict(pool.selector)) == (name, selector)


def test_nodes_of_all_zones_are_one_pool_and_those_of_another_accelerator_are_not() -> None:
    common = {POOL: "gpu", CAPACITY: "on-demand"}
    pools = seen(
        record("a", **common, **{ZONE: "a", PRODUCT: "L4"}),
        record("b", **common, **{ZONE: "b", PRODUCT: "L4"}),
        record("c", **common, **{ZONE: "a", PRODUCT: "T4"}),
    )
    assert [(p.name, p.zones, len(p.nodes)) for p in pools] == [
        ("gpu-on-demand-l4", ("a", "b"), 2),
        ("gpu-on-demand-t4", ("a",), 1),
    ]
    assert [dict(p.selector)[PRODUCT] for p in pools] == ["L4", "T4"]


def test_a_new_node_that_does_not_tell_its_accelerator_yet_has_that_of_its_pool() -> None:
    [pool] = seen(record("a", **{POOL: "gpu", PRODUCT: "L4"}), record("b", **{POOL: "gpu"}))
    assert (pool.gpu_product, len(pool.nodes), dict(pool.selector)) == ("L4", 2, {POOL: "gpu"})


def test_declared_pools_come_first_under_their_own_name_and_are_not_printed_again() -> None:
    own = declared("zebra", {"nodeSelector": {"matchLabels": {POOL: "gpu"}}})
    pools = seen(record("a", **{POOL: "gpu"}), record("b", **{POOL: "other"}), declared=(own,))
    assert [(p.name, p.declared) for p in pools] == [("zebra", True), ("other-on-demand", False)]
    assert "zebra" not in as_yaml(pools)


KNOWN = {
    "a label tells it": ({CAPACITY: "spot"}, CapacityType.SPOT, True),
    "GKE marks only spot": (
        {"cloud.google.com/gke-nodepool": "p"},
        CapacityType.ON_DEMAND,
        True,
    ),
    "OpenShift marks only spot": (
        {"machine.openshift.io/interruptible-instance": ""},
        CapacityType.SPOT,
        True,
    ),
    "nothing tells it": ({}, CapacityType.ON_DEMAND, False),
    "a value that nobody knows": ({CAPACITY: "lunar"}, CapacityType.ON_DEMAND, False),
}


@pytest.mark.parametrize(("labels", "capacity", "known"), KNOWN.values(), ids=KNOWN)
def test_capacity_type(labels: dict[str, str], capacity: CapacityType, known: bool) -> None:
    [pool] = seen(record(**labels))
    assert (pool.capacity, pool.capacity_known) == (capacity, known)
    assert ("No label tells the capacity type" in as_yaml([pool])) is not known


def test_a_part_of_a_gpu_counts_as_one() -> None:
    assert [has_gpus(r) for r in (record(), record(gpus=0), record(gpus=0, **{PRODUCT: "L4"}))] == [
        True,
        False,
        True,
    ]


def test_two_labels_of_one_accelerator_are_one_pool() -> None:
    """Karpenter's label is there at once, that of the feature discovery later."""
    new = {POOL: "gpu", "karpenter.k8s.aws/instance-gpu-name": "l4"}
    [pool] = seen(record("a", **new), record("b", **new, **{PRODUCT: "NVIDIA-L4"}))
    assert (len(pool.nodes), dict(pool.selector)) == (2, {POOL: "gpu"})


def test_nodes_that_no_label_tells_apart_are_not_printed() -> None:
    common = {"node.openshift.io/os_id": "rhel", REGION: "us-east-1"}
    spot = common | {"machine.openshift.io/interruptible-instance": ""}
    pools = seen(record("a", **common), record("b", **spot))
    assert [(p.name, p.overlaps) for p in pools] == [
        ("g6-xlarge-on-demand", ("g6-xlarge-spot",)),
        ("g6-xlarge-spot", ()),
    ]
    [printed] = [one for one in yaml.safe_load_all(as_yaml(pools)) if one]
    assert printed["metadata"]["name"] == "g6-xlarge-spot"
    assert "# Left out: node.kubernetes.io/instance-type=g6.xlarge would bind" in as_yaml(pools)


def test_nodes_without_a_label_are_not_printed_either() -> None:
    bare = record("a")
    [pool] = seen(replace(bare, labels={}))
    assert as_yaml([pool]).count("\n# Left out: no label binds these nodes") == 1
    assert [one for one in yaml.safe_load_all(as_yaml([pool])) if one] == []


def test_a_node_without_a_gpu_is_not_of_the_accelerator_of_its_pool() -> None:
    pools = seen(record("a", **{POOL: "x", PRODUCT: "L4"}), record("b", gpus=0, **{POOL: "x"}))
    assert sorted((p.gpu_product, len(p.nodes)) for p in pools) == [("", 1), ("L4", 1)]


def test_no_two_pools_have_one_name() -> None:
    own = declared("gpu-spot", {"nodeSelector": {"matchLabels": {POOL: "own"}}})
    pools = seen(
        record("a", **{POOL: "own", CAPACITY: "spot"}),
        record("b", **{POOL: "gpu", CAPACITY: "spot"}),
        record("c", **{POOL: "gpu-spot", CAPACITY: "spot"}),
        record("d", **{POOL: "GPU", CAPACITY: "spot"}),
        declared=(own,),
    )
    assert sorted(p.name for p in pools) == ["gpu-spot", "gpu-spot-2", "gpu-spot-3", "gpu-spot-4"]
    assert [p.name for p in pools if p.declared] == ["gpu-spot"]


def test_prices_are_comments() -> None:
    text = as_yaml(
        seen(record(**{REGION: "us-east-1", ZONE: "us-east-1a"}), record(**{TYPE: "moon.1"}))
    )
    assert "  #   perNodeHour: '0.8048'  # USD, list price of 2026-07-20\n" in text
    assert "# no list price: its cost is not known until you give one\n" in text
    assert all("offerings" not in one["spec"] for one in yaml.safe_load_all(text))
    [first, _] = yaml.safe_load_all(
        re.sub(r"^  # (offerings|- |  )", r"  \1", text, flags=re.MULTILINE)
    )
    assert parse_capacity_pool(first).spec.offerings[0].per_node_hour == "0.8048"


LABELS = st.fixed_dictionaries(
    {
        TYPE: st.sampled_from(["g6.xlarge", "g5.xlarge", "moon.1"]),
        ZONE: st.sampled_from(["us-east-1a", "us-east-1b"]),
    },
    optional={
        POOL: st.sampled_from(["gpu", "GPU", "gpu-spot"]),
        "agentpool": st.sampled_from(["gpu", "gpu-spot"]),
        CAPACITY: st.sampled_from(["spot", "on-demand", "reserved", "lunar"]),
        "kubernetes.azure.com/scalesetpriority": st.just("spot"),
        PRODUCT: st.sampled_from(["NVIDIA-L4", "NVIDIA-A10G"]),
        "karpenter.k8s.aws/instance-gpu-name": st.sampled_from(["l4", "a10g"]),
    },
)


@given(st.lists(LABELS, min_size=1, max_size=8))
def test_applied_as_printed_they_bind_the_same_nodes_and_change_no_price(
    labels: list[dict[str, str]],
) -> None:
    records = [record(f"n{i}", **(EAST | one)) for i, one in enumerate(labels)]
    inferred = pools_of(records, book())
    objects = [one for one in yaml.safe_load_all(as_yaml(inferred)) if one]
    for one in objects:
        parse_capacity_pool(one)
    names = {one["metadata"]["name"] for one in objects}
    assert len(names) == len(objects)
    printed = book(*(declared(one["metadata"]["name"], one["spec"]) for one in objects))
    for pool in inferred:
        for one in pool.nodes:
            name, price = printed.price_of(one.record)
            assert name == (pool.name if pool.name in names else "")
            assert (pool.name in names) == (not pool.overlaps)
            assert price == one.price
