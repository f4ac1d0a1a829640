"""Nodes: pool, capacity type and price, in order of trust."""

from decimal import Decimal
from typing import Any

import pytest

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import CapacityType, Node
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.nodes import observe_nodes
from inference_cost.observe.prices import shipped_table
from tests.unit.observe.world import NOW, filled, metadata, node

TYPE = "node.kubernetes.io/instance-type"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
CAPACITY = "karpenter.sh/capacity-type"


def pool(name: str, spec: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"kind": "CapacityPool", "metadata": metadata(name, namespace="", **meta), "spec": spec}


def observed(*objects: dict[str, Any], currency: str = "USD") -> Node:
    cache = filled(*objects)
    book = PriceBook(cache.capacity_pools(), table=shipped_table(), currency=currency)
    [found] = observe_nodes(cache.nodes(), book.price_of, cache.pods_on, {}).values()
    return found


def labelled(**labels: str) -> Node:
    return observed(node(labels={k.replace("__", "/"): v for k, v in labels.items()}))


CAPACITY_TYPES = {
    "Karpenter spot": ({CAPACITY: "spot"}, CapacityType.SPOT),
    "Karpenter reserved": ({CAPACITY: "reserved"}, CapacityType.RESERVED),
    "EKS managed spot": ({"eks.amazonaws.com/capacityType": "SPOT"}, CapacityType.SPOT),
    "EKS capacity block": (
        {"eks.amazonaws.com/capacityType": "CAPACITY_BLOCK"},
        CapacityType.RESERVED,
    ),
    "GKE spot": ({"cloud.google.com/gke-spot": "true"}, CapacityType.SPOT),
    "GKE preemptible": ({"cloud.google.com/gke-preemptible": "true"}, CapacityType.SPOT),
    "AKS spot": ({"kubernetes.azure.com/scalesetpriority": "spot"}, CapacityType.SPOT),
    "no label": ({}, CapacityType.ON_DEMAND),
    "a value we do not know": ({CAPACITY: "lunar"}, CapacityType.ON_DEMAND),
}


@pytest.mark.parametrize(("labels", "expected"), CAPACITY_TYPES.values(), ids=CAPACITY_TYPES)
def test_capacity_type(labels: dict[str, str], expected: CapacityType) -> None:
    assert observed(node(labels=labels)).capacity_type is expected


POOLS = {
    "Karpenter": ({"karpenter.sh/nodepool": "gpu", CAPACITY: "spot", ZONE: "a"}, "gpu/spot/a"),
    "EKS": ({"eks.amazonaws.com/nodegroup": "ng"}, "ng/on-demand"),
    "instance type alone": ({ZONE: "us-east-1a"}, "g6.xlarge/on-demand/us-east-1a"),
}


@pytest.mark.parametrize(("labels", "expected"), POOLS.values(), ids=POOLS)
def test_a_pool_is_inferred_from_labels(labels: dict[str, str], expected: str) -> None:
    assert observed(node(labels=labels)).pool == expected


def per_hour(labels: dict[str, str]) -> Decimal | Missing:
    price = observed(node(labels=labels)).price
    return price.per_hour if isinstance(price, HourlyPrice) else price


LISTED = {
    "its region": ({REGION: "us-east-1"}, "0.8048"),
    "no region told": ({}, "0.8048"),
    "spot in its region": ({CAPACITY: "spot", REGION: "us-east-2"}, "0.276"),
    "spot, no region told: the dearest": ({CAPACITY: "spot"}, "0.454"),
    "reserved is paid at list price": ({CAPACITY: "reserved"}, "0.8048"),
    "spot in its zone, by id": (
        {TYPE: "g6.2xlarge", CAPACITY: "spot", "topology.k8s.aws/zone-id": "use2-az2"},
        "0.3736",
    ),
    "spot in a region with zones only: the dearest of them": (
        {TYPE: "g6.2xlarge", CAPACITY: "spot", REGION: "us-east-2"},
        "0.4041",
    ),
    "Azure": ({TYPE: "Standard_NC4as_T4_v3", REGION: "eastus"}, "0.526"),
}


@pytest.mark.parametrize(("labels", "expected"), LISTED.values(), ids=LISTED)
def test_list_price(labels: dict[str, str], expected: str) -> None:
    assert per_hour(labels) == Decimal(expected)


UNKNOWN = {
    "an instance type not in the table": ({TYPE: "quantum.xlarge"}, "quantum.xlarge"),
    "a region without a row": ({REGION: "eu-west-9"}, "us-east-1"),
    "no instance type at all": ({TYPE: ""}, "node.kubernetes.io/instance-type"),
    "spot that has no row": ({TYPE: "g7e.2xlarge", CAPACITY: "spot"}, "g7e.2xlarge spot"),
}


@pytest.mark.parametrize(("labels", "named"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_price_says_for_what_and_where_to_put_it(
    labels: dict[str, str], named: str
) -> None:
    price = per_hour(labels)
    assert isinstance(price, Missing)
    assert price.reason is MissingReason.PRICE_UNKNOWN
    assert named in price.detail
    assert "CapacityPool" in price.detail


def test_a_list_price_is_dated_and_says_where_it_comes_from() -> None:
    price = observed(node()).price
    assert isinstance(price, HourlyPrice)
    assert price.source is PriceSource.SHIPPED_TABLE
    assert price.as_of > 1_700_000_000
    assert price.origin.startswith("node_prices.csv")


def test_a_list_price_in_another_currency_is_unknown() -> None:
    price = observed(node(), currency="EUR").price
    assert isinstance(price, Missing)
    assert "EUR" in price.detail


SELECTOR = {"nodeSelector": {"matchLabels": {"karpenter.sh/nodepool": "gpu"}}}
IN_POOL = {"karpenter.sh/nodepool": "gpu", ZONE: "a"}


def offering(price: str, zone: str = "", instance_type: str = "g6.xlarge") -> dict[str, str]:
    return {"instanceType": instance_type, "zone": zone, "perNodeHour": price}


def test_a_capacity_pool_overrules_the_table_and_names_the_pool() -> None:
    found = observed(
        node(labels=IN_POOL), pool("team", {**SELECTOR, "offerings": [offering("0.5")]})
    )
    assert found.pool == "team"
    assert found.price == HourlyPrice(
        per_hour=Decimal("0.5"),
        currency="USD",
        source=PriceSource.CAPACITY_POOL,
        as_of=NOW - 3600,
        origin="team",
    )


def test_the_offering_of_the_zone_goes_before_that_for_all_zones() -> None:
    offerings = [offering("0.5"), offering("0.6", zone="a")]
    found = observed(node(labels=IN_POOL), pool("team", {**SELECTOR, "offerings": offerings}))
    assert isinstance(found.price, HourlyPrice)
    assert found.price.per_hour == Decimal("0.6")


def test_a_capacity_pool_without_the_instance_type_leaves_the_price_unknown() -> None:
    offerings = [offering("0.5", instance_type="g5.xlarge")]
    found = observed(node(labels=IN_POOL), pool("team", {**SELECTOR, "offerings": offerings}))
    assert isinstance(found.price, Missing)
    assert "spec.offerings" in found.price.detail


def test_a_discount_is_taken_off_the_list_price() -> None:
    found = observed(node(labels=IN_POOL), pool("team", {**SELECTOR, "discountPercent": "25"}))
    assert isinstance(found.price, HourlyPrice)
    assert found.price.per_hour == Decimal("0.6036")
    assert found.price.source is PriceSource.CAPACITY_POOL
    assert found.price.listed is PriceSource.SHIPPED_TABLE


def test_a_discount_works_in_no_other_currency_than_the_table_s() -> None:
    spec = {**SELECTOR, "discountPercent": "25"}
    found = observed(node(labels=IN_POOL), pool("team", spec), currency="EUR")
    assert isinstance(found.price, Missing)


def test_a_node_outside_the_pool_keeps_its_list_price() -> None:
    found = observed(node(), pool("team", {**SELECTOR, "offerings": [offering("9")]}))
    assert found.pool == "g6.xlarge/on-demand"


def test_a_pool_that_cannot_be_read_is_named_and_not_used() -> None:
    cache = filled(node(labels=IN_POOL), pool("broken", {"nodeSelector": {}}))
    book = PriceBook(cache.capacity_pools(), table=shipped_table(), currency="USD")
    assert "matchLabels" in book.problems["broken"]
    assert book.price_of(cache.nodes()[0])[0] == ""


def test_a_pool_that_is_not_used_is_named_where_a_price_is_unknown() -> None:
    unlisted = node(labels={TYPE: "homemade"})
    found = observed(unlisted, pool("broken", {"nodeSelector": {}}))
    assert isinstance(found.price, Missing)
    assert "CapacityPool/broken is not used: " in found.price.detail
    assert "CapacityPool/" not in str(observed(unlisted).price)


def test_the_shipped_table_is_sound() -> None:
    table = shipped_table()
    rows = [row for many in table._rows.values() for row in many]
    assert len(rows) > 80
    assert all(row.per_hour > 0 and row.region and row.source for row in rows)
    assert len({(r.instance_type, r.capacity_type, r.region, r.zone) for r in rows}) == len(rows)
