"""Which NodeOverlay holds for a node, and what it makes of the cloud's price."""

from decimal import Decimal
from typing import Any

import pytest

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.node_overlays import node_overlay_record, overlaid, with_prices
from tests.unit.observe.world import NOW, metadata

LABELS = {
    "node.kubernetes.io/instance-type": "g6.xlarge",
    "karpenter.sh/capacity-type": "spot",
    "karpenter.k8s.aws/instance-gpu-count": "4",
}
CLOUD = HourlyPrice(
    per_hour=Decimal("2.00"), currency="USD", source=PriceSource.KARPENTER, as_of=NOW
)
UNKNOWN = Missing(reason=MissingReason.PRICE_UNKNOWN)
GPUS = "karpenter.k8s.aws/instance-gpu-count"


def needs(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def overlay(
    name: str, *requirements: dict[str, Any], ready: str = "True", **spec: Any
) -> dict[str, Any]:
    return {
        "metadata": metadata(name, namespace=""),
        "spec": {"requirements": list(requirements), **spec},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


SPOT = needs("karpenter.sh/capacity-type", "In", "spot")
ON_DEMAND = needs("karpenter.sh/capacity-type", "In", "on-demand")
# Sentence: (overlays, the cloud's price) → price.
PRICES: dict[str, tuple[list[dict[str, Any]], HourlyPrice | Missing, str | None]] = {
    "a price is taken as it is": ([overlay("a", SPOT, price="1.50")], CLOUD, "1.5"),
    "also where the cloud's is not known": ([overlay("a", SPOT, price="1.5")], UNKNOWN, "1.5"),
    "an amount is added": ([overlay("a", SPOT, priceAdjustment="+0.25")], CLOUD, "2.25"),
    "an amount is taken off": ([overlay("a", SPOT, priceAdjustment="-0.25")], CLOUD, "1.75"),
    "a percentage is taken off": ([overlay("a", SPOT, priceAdjustment="-25%")], CLOUD, "1.5"),
    "to nothing nothing is added": ([overlay("a", SPOT, priceAdjustment="-25%")], UNKNOWN, None),
    "a node that it does not mean keeps its price": (
        [overlay("a", ON_DEMAND, price="1.5")],
        CLOUD,
        None,
    ),
    "all of its requirements must be met": (
        [overlay("a", SPOT, needs("team", "Exists"), price="1.5")],
        CLOUD,
        None,
    ),
    "the largest weight goes first": (
        [overlay("a", SPOT, price="1.5"), overlay("b", SPOT, price="1.2", weight=10)],
        CLOUD,
        "1.2",
    ),
    "of equals the name that comes last": (
        [overlay("a", SPOT, price="1.5"), overlay("b", SPOT, price="1.2")],
        CLOUD,
        "1.2",
    ),
    "one that only adds resources says nothing of prices": (
        [overlay("b", SPOT, weight=10, capacity={"gpu": "1"}), overlay("a", SPOT, price="1.5")],
        CLOUD,
        "1.5",
    ),
    "one that Karpenter refused counts for nothing": (
        [overlay("a", SPOT, price="1.5", ready="False")],
        CLOUD,
        None,
    ),
    "nobody gets money for a node": ([overlay("a", SPOT, priceAdjustment="-300%")], CLOUD, None),
    "what is no number is no price": ([overlay("a", SPOT, price="cheap")], CLOUD, None),
    "without requirements it means every node": ([overlay("a", price="1.5")], CLOUD, "1.5"),
}


@pytest.mark.parametrize("sentence", PRICES)
def test_price(sentence: str) -> None:
    objects, cloud, expected = PRICES[sentence]
    overlays = with_prices([node_overlay_record(one) for one in objects])
    found = overlaid(overlays, LABELS, cloud, "USD")
    assert (None if found is None else found.per_hour) == (expected and Decimal(expected))
    if found is not None:
        assert found.source is PriceSource.NODE_OVERLAY
        assert found.origin.startswith("NodeOverlay/")


def test_what_is_added_to_the_cloud_s_price_is_as_old_as_that() -> None:
    objects = [overlay("a", SPOT, priceAdjustment="-10%")]
    found = overlaid(with_prices(map(node_overlay_record, objects)), LABELS, CLOUD, "USD")
    assert found is not None
    assert isinstance(CLOUD, HourlyPrice)
    assert (found.listed, found.as_of) == (CLOUD.source, CLOUD.as_of)


REQUIREMENTS = {
    "in": (needs("karpenter.sh/capacity-type", "In", "spot", "reserved"), True),
    "not in": (needs("karpenter.sh/capacity-type", "NotIn", "spot"), False),
    "a label that is not there is not in": (needs("team", "NotIn", "vision"), True),
    "exists": (needs("team", "Exists"), False),
    "does not exist": (needs("team", "DoesNotExist"), True),
    "more than": (needs(GPUS, "Gt", "3"), True),
    "more than as many": (needs(GPUS, "Gt", "4"), False),
    "at least as many": (needs(GPUS, "Gte", "4"), True),
    "fewer than": (needs(GPUS, "Lt", "4"), False),
    "at most": (needs(GPUS, "Lte", "4"), True),
    "a number that is not there": (needs("cpus", "Gt", "1"), False),
    "a bound that is no number": (needs(GPUS, "Gt", "many"), False),
    "an operator of a later version": (needs(GPUS, "Near", "4"), False),
}


@pytest.mark.parametrize("sentence", REQUIREMENTS)
def test_requirement(sentence: str) -> None:
    requirement, met = REQUIREMENTS[sentence]
    overlays = with_prices([node_overlay_record(overlay("a", requirement, price="1.5"))])
    assert (overlaid(overlays, LABELS, CLOUD, "USD") is not None) is met
