"""What workloads and pools of nodes cost: shares of their nodes, nothing invented where a price is not known."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.cli.scan.prices import Prices
from inference_cost.cli.scan.workloads import Found, find
from inference_cost.model.reading import Missing
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.extract import capacity_pool_record, node_record
from inference_cost.observe.pods import pod_record
from inference_cost.observe.prices import shipped_table
from tests.unit.cli.scan.clusters import deployment, fleet, node, pod

L4 = Decimal("0.8048")  # g6.xlarge in us-east-1, as shipped


def prices(
    nodes: list[dict[str, Any]] | None,
    assumed: str = "",
    *pools: dict[str, Any],
    pods: list[dict[str, Any]] | None = None,
) -> Prices:
    book = PriceBook(
        [capacity_pool_record(one) for one in pools], table=shipped_table(), currency="USD"
    )
    records = None if nodes is None else [node_record(one) for one in nodes]
    listed = None if pods is None else [pod_record(one) for one in pods]
    return Prices(records, book, Decimal(assumed) if assumed else None, listed)


def found(objects: list[dict[str, Any]]) -> list[Found]:
    by_kind = {kind: [o for o in objects if o["kind"] == kind] for kind in ("Deployment", "Pod")}
    return find(by_kind["Deployment"], by_kind["Pod"], frozenset())


def nodes_of(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in objects if one["kind"] == "Node"]


def test_a_replica_that_fills_its_node_costs_what_the_node_costs() -> None:
    objects = fleet("vision", "resnet", 3)
    [cost] = prices(nodes_of(objects)).of_workloads(found(objects)).values()
    assert cost.per_hour == 3 * L4
    assert cost.gpu_products == ("NVIDIA-L4",)
    assert (cost.spot, cost.node_autoscaler) == (False, True)


def test_two_on_a_node_of_four_gpus_pay_for_half_of_it() -> None:
    objects = [deployment("v", "a", 2), *(pod("v", "a", i, "big") for i in range(2))]
    big = node("big", gpus=4)
    big["status"]["allocatable"] |= {"cpu": "48", "memory": "180Gi"}
    [cost] = prices([big]).of_workloads(found(objects)).values()
    assert cost.per_hour == L4 / 2
    assert cost.nodes is not None
    assert cost.nodes.by_replicas == (0, L4, L4), "its node is paid for whole until the last goes"


def test_without_a_price_nothing_is_made_up_and_the_reason_is_told() -> None:
    objects = fleet("vision", "resnet", 1)
    strange = [node("resnet-0", instance_type="moon.1")]
    [cost] = prices(strange).of_workloads(found(objects)).values()
    assert isinstance(cost.per_hour, Missing)
    assert "moon.1" in cost.per_hour.detail
    [cost] = prices(strange, "2.50").of_workloads(found(objects)).values()
    assert cost.per_hour == Decimal("2.50")


def test_where_nodes_may_not_be_listed_a_replica_is_taken_to_fill_a_node_of_the_assumed_price() -> (
    None
):
    objects = fleet("vision", "resnet", 2)
    [cost] = prices(None).of_workloads(found(objects)).values()
    assert isinstance(cost.per_hour, Missing)
    assert "may not list nodes" in cost.per_hour.detail
    [cost] = prices(None, "1.25").of_workloads(found(objects)).values()
    assert cost.per_hour == Decimal("2.50")
    assert prices(None).pools([]) == []


def test_a_pod_of_a_node_that_is_gone_has_no_price() -> None:
    objects = fleet("vision", "resnet", 1)
    [cost] = prices([node("other")]).of_workloads(found(objects)).values()
    assert isinstance(cost.per_hour, Missing)
    assert "node resnet-0 is not there" in cost.per_hour.detail


def test_gpus_that_nobody_asks_for_are_idle() -> None:
    nodes = [node("a", gpus=4), node("b", gpus=4)]
    pods = [pod_record(pod("v", "x", i, "a")) for i in range(3)]
    [pool] = prices(nodes).pools(pods)
    assert (pool.requested, pool.per_hour) == (3, 2 * L4)
    assert pool.idle_per_hour == L4 / 4 + L4
    [pool] = prices(nodes).pools(None)
    assert (pool.requested, pool.idle_per_hour) == (None, None)


def test_a_pool_with_a_node_of_unknown_price_has_no_sum() -> None:
    [pool] = prices([node("a"), node("b", instance_type="moon.1")]).pools([])
    assert (pool.per_hour, pool.idle_per_hour) == (None, None)


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 4))
def test_workloads_never_pay_more_than_their_nodes_cost(places: list[int], gpus: int) -> None:
    objects = [deployment("v", name, 1) for name in ("a", "b")]
    objects += [pod("v", "ab"[i % 2], i, f"n{place}") for i, place in enumerate(places)]
    nodes = [node(f"n{i}", gpus=gpus) for i in range(4)]
    costs = prices(nodes).of_workloads(found(objects))
    total = sum((c.per_hour for c in costs.values() if isinstance(c.per_hour, Decimal)), Decimal(0))
    assert total <= len(set(places)) * L4
    full = [n for n in set(places) if places.count(n) >= gpus]
    assert total >= len(full) * (L4 - Decimal("0.00002"))


def test_a_capacity_pool_goes_first() -> None:
    objects = fleet("vision", "resnet", 1)
    own = {
        "kind": "CapacityPool",
        "metadata": {"name": "own", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "nodeSelector": {"matchLabels": {"karpenter.sh/nodepool": "gpu"}},
            "offerings": [{"instanceType": "g6.xlarge", "perNodeHour": "0.50"}],
        },
    }
    [cost] = prices(nodes_of(objects), "9.00", own).of_workloads(found(objects)).values()
    assert cost.per_hour == Decimal("0.50")
