"""Prices that the cluster's own tools measure: Karpenter's of offerings, OpenCost's of nodes. Pure.

Karpenter's are the cloud's prices of each instance type, zone and capacity type (provider for AWS; US dollars, yuan in
China; without discounts). Of a reservation it has none: what it writes is zero, or ten-millionths to rank it first. A
price that jumps is held until it was seen some times in a row: one wrong figure must not move a fleet.

Sources: karpenter `pkg/controllers/metrics/metrics.go`, karpenter-provider-aws
`pkg/providers/instancetype/offering/provider.go`, opencost `pkg/costmodel/metrics.go`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeVar

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.workload import CapacityType
from inference_cost.observe.series import parse_series

KARPENTER: Final = "karpenter_cloudprovider_instance_type_offering_price_estimate"
OPEN_COST: Final = "node_total_hourly_cost"
LARGEST_JUMP: Final = 0.5  # of the price; spot prices of one zone move less within a minute
SAME: Final = 0.1  # two figures further apart than this do not confirm each other
CONFIRMATIONS: Final = 3  # sightings in a row
DISPUTED: Final = (
    15  # looks with a jump, after which the newest figure is believed, though none was confirmed
)
KEPT_SECONDS: Final = 3600.0  # a price that is no longer seen
OTHER_CURRENCY: Final = "cn-"  # zones of Karpenter's that are priced in yuan
MOST_TYPES: Final = 60
_INSTANCE_TYPE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_DIGITS: Final = Decimal("0.000001")

Offering = tuple[str, str, str]  # instance type, capacity type, zone
Key = TypeVar("Key", Offering, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A price in force, and one that jumped away from it: how often in a row, and how often any did."""

    price: HourlyPrice
    seen_at: float  # by our own clock; `price.as_of` is the source's
    jumped: HourlyPrice | None = None
    sightings: int = 0
    disputed: int = 0

    @property
    def told(self) -> HourlyPrice:
        """The price in force, with the one that waits."""
        if self.jumped is None:
            return self.price
        return replace(self.price, unconfirmed=self.jumped.per_hour)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPrices:
    """What is known, by offering and by node name."""

    offerings: Mapping[Offering, Held] = field(default_factory=lambda: MappingProxyType({}))
    nodes: Mapping[str, Held] = field(default_factory=lambda: MappingProxyType({}))

    def offering(self, instance_type: str, capacity_type: str, zone: str) -> HourlyPrice | None:
        held = self.offerings.get((instance_type, capacity_type, zone))
        return None if held is None else held.told

    def node(self, name: str) -> HourlyPrice | None:
        held = self.nodes.get(name)
        return None if held is None else held.told

    @property
    def jumps(self) -> dict[str, str]:
        """Prices that are held back, in words."""
        waiting = {" ".join(key): held for key, held in self.offerings.items()}
        waiting |= {f"node {name}": held for name, held in self.nodes.items()}
        return {
            what: f"{held.price.per_hour} to {held.jumped.per_hour}"
            for what, held in waiting.items()
            if held.jumped is not None
        }


def queries(
    instance_types: Iterable[str], *, matchers: str, karpenter: bool, open_cost: bool
) -> dict[str, str]:
    """PromQL by name. Only types that look like types enter it, and only so many."""
    more = matchers.strip(" ,")
    found = {}
    types = sorted({one for one in instance_types if _INSTANCE_TYPE.fullmatch(one)})[:MOST_TYPES]
    if karpenter and types:
        alternatives = "|".join(one.replace(".", "[.]") for one in types)
        own = f'instance_type=~"{alternatives}", capacity_type!="reserved"'
        selector = ", ".join(filter(None, (own, more)))
        found["karpenter"] = (
            f"max by (instance_type, capacity_type, zone) ({KARPENTER}{{{selector}}}) > 0"
        )
    if open_cost:
        found["open_cost"] = f"{OPEN_COST}{{{more}}} > 0"
    return found


def karpenter_prices(result: Iterable[Mapping[str, Any]]) -> dict[Offering, HourlyPrice]:
    """Of an instant vector."""
    return {
        (labels["instance_type"], labels["capacity_type"], labels["zone"]): price
        for labels, price in _prices(result, PriceSource.KARPENTER, "USD")
        if {"instance_type", "capacity_type", "zone"} <= labels.keys()
        and labels["capacity_type"] != CapacityType.RESERVED
        and not labels["zone"].startswith(OTHER_CURRENCY)
    }


def open_cost_prices(result: Iterable[Mapping[str, Any]], currency: str) -> dict[str, HourlyPrice]:
    """Of an instant vector. OpenCost tells no currency: it is taken to be the installation's.

    A scrape without `honorLabels` moves the node's name to `exported_node`. A name with several prices is no name of a
    node: those of a scrape that writes its own node, or of several clusters.
    """
    found: dict[str, list[HourlyPrice]] = {}
    for labels, price in _prices(result, PriceSource.OPEN_COST, currency):
        name = labels.get("exported_node") or labels.get("node", "")
        found.setdefault(name, []).append(price)
    return {
        name: prices[0]
        for name, prices in found.items()
        if name and len({price.per_hour for price in prices}) == 1
    }


def _prices(
    result: Iterable[Mapping[str, Any]], source: PriceSource, currency: str
) -> Iterator[tuple[Mapping[str, str], HourlyPrice]]:
    for series in map(parse_series, result):
        per_hour = _rounded(series.last_value) if series.samples else Decimal(0)
        if per_hour > 0:
            price = HourlyPrice(
                per_hour=per_hour,
                currency=currency,
                source=source,
                as_of=series.last_at,
                origin=source.value,
            )
            yield series.labels, price


def _rounded(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_DIGITS).normalize()


def updated(
    known: Mapping[Key, Held], seen: Mapping[Key, HourlyPrice], *, now: float
) -> Mapping[Key, Held]:
    """With what was seen now; what was not seen for too long is forgotten."""
    fresh = {key: held for key, held in known.items() if now - held.seen_at <= KEPT_SECONDS}
    unseen = {
        key: replace(held, jumped=None, sightings=0)
        for key, held in fresh.items()
        if key not in seen
    }
    told = {key: _confirmed(fresh.get(key), price, now) for key, price in seen.items()}
    return MappingProxyType(unseen | told)


def _confirmed(held: Held | None, price: HourlyPrice, now: float) -> Held:
    if held is None or _apart(price, held.price) <= LARGEST_JUMP:
        return Held(price=price, seen_at=now)
    again = held.jumped is not None and _apart(price, held.jumped) <= SAME
    sightings, disputed = (held.sightings if again else 0) + 1, held.disputed + 1
    if sightings >= CONFIRMATIONS or disputed >= DISPUTED:
        return Held(price=price, seen_at=now)
    return replace(held, seen_at=now, jumped=price, sightings=sightings, disputed=disputed)


def _apart(price: HourlyPrice, other: HourlyPrice) -> float:
    return abs(float(price.per_hour / other.per_hour) - 1)
