"""How old a price may be before nothing is moved for its sake any more. It still counts in what is spent.

What a person wrote holds until a person changes it. Spot prices of the shipped table are an order of magnitude.
"""

from typing import Final

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.workload import CapacityType, Node

DAY_SECONDS: Final = 86_400.0
MARKET_SECONDS: Final = 3 * 3_600.0  # an hour after its last sight it is forgotten (observe/)
LISTED_SECONDS: Final = 365 * DAY_SECONDS
LISTED_SPOT_SECONDS: Final = 90 * DAY_SECONDS
_FED: Final = frozenset({PriceSource.KARPENTER, PriceSource.OPEN_COST})


def largest_age_seconds(price: HourlyPrice, capacity: CapacityType) -> float | None:
    """By the source of the figure, or of the one that a discount is taken off; None where it never gets too old."""
    source = price.listed or price.source
    if source is PriceSource.SHIPPED_TABLE:
        return LISTED_SPOT_SECONDS if capacity is CapacityType.SPOT else LISTED_SECONDS
    return MARKET_SECONDS if source in _FED else None


def too_old(node: Node, at: float) -> bool:
    """Whether the price of the node is; one that is not known is not."""
    if not isinstance(node.price, HourlyPrice):
        return False
    largest = largest_age_seconds(node.price, node.capacity_type)
    return largest is not None and at - node.price.as_of > largest
