"""Prices and amounts. One currency per installation."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class PriceSource(StrEnum):
    """Where a price comes from, most trusted first."""

    CAPACITY_POOL = "CapacityPool"  # the platform team's own figure
    NODE_OVERLAY = "NodeOverlay"  # Karpenter's object for prices that were negotiated
    KARPENTER = "Karpenter"  # the cloud's price of the offering, as Karpenter reads it
    OPEN_COST = "OpenCost"  # of an existing node
    SHIPPED_TABLE = "ShippedTable"  # list prices shipped with the operator, dated


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyPrice:
    """Price of one whole node per hour. `as_of`: epoch seconds the figure was valid at.

    `listed`: source of the price that this one is a discount off; None where it is a figure of its own.
    `unconfirmed`: another one that its source tells, too far off to be believed yet.
    """

    per_hour: Decimal
    currency: str
    source: PriceSource
    as_of: float
    origin: str = ""  # CapacityPool name or table file, shown to users
    unconfirmed: Decimal | None = None
    listed: PriceSource | None = None
