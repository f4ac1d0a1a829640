"""What an hour of one replica costs, from the CapacityPools of `-f` or as assumed. One node carries one replica."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.api.capacity_pool import CapacityPool, Offering
from inference_cost.cli.failure import CommandError
from inference_cost.model.reading import Missing
from inference_cost.model.workload import CapacityType
from inference_cost.observe.nodes import capacity_type
from inference_cost.observe.prices import TABLE_CURRENCY, list_price, shipped_table

ASSUMED = "assumed"
_CENT_OF_A_CENT = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaPrice:
    """Price of one on-demand replica per hour. `source`: "assumed" or `CapacityPool/<name>`; `origin`: in words."""

    per_hour: Decimal
    source: str
    origin: str


def on_demand_price(pools: Sequence[CapacityPool], assumed: Decimal) -> ReplicaPrice:
    """The cheapest on-demand node of the pools, or else the assumed price.

    An offering for every zone goes before offerings for single zones, which hold there alone.

    Raises:
        CommandError: the pools price no on-demand node; says what to add.
    """
    candidates = [pool for pool in pools if not is_spot(pool)]
    if not candidates:
        only = " (-f has spot pools alone)" if pools else ""
        return ReplicaPrice(
            per_hour=assumed, source=ASSUMED, origin=f"--price-per-replica-hour{only}"
        )
    return min((_price(pool) for pool in candidates), key=lambda price: price.per_hour)


def spot_prices(pools: Sequence[CapacityPool]) -> Mapping[str, Decimal]:
    """Price per zone: of the cheapest offering of a spot pool that names the zone."""
    prices: dict[str, Decimal] = {}
    for pool in pools:
        for zone, price in _zoned(pool) if is_spot(pool) else ():
            prices[zone] = min(price, prices.get(zone, price))
    return prices


def is_spot(pool: CapacityPool) -> bool:
    return capacity_type(pool.spec.node_selector.match_labels) is CapacityType.SPOT


def _zoned(pool: CapacityPool) -> Iterator[tuple[str, Decimal]]:
    return ((o.zone, Decimal(o.per_node_hour)) for o in pool.spec.offerings if o.zone)


def _price(pool: CapacityPool) -> ReplicaPrice:
    source = f"CapacityPool/{pool.metadata.name}"
    if pool.spec.offerings:
        chosen = _cheapest(pool.spec.offerings)
        place = f" in {chosen.zone}" if chosen.zone else ""
        return ReplicaPrice(
            per_hour=Decimal(chosen.per_node_hour),
            source=source,
            origin=f"spec.offerings, {chosen.instance_type}{place}",
        )
    return _listed(pool, source)


def _cheapest(offerings: Sequence[Offering]) -> Offering:
    everywhere = [offering for offering in offerings if not offering.zone]
    return min(everywhere or offerings, key=lambda offering: Decimal(offering.per_node_hour))


def _listed(pool: CapacityPool, source: str) -> ReplicaPrice:
    """The list price of the nodes that the selector names, less the discount."""
    table = shipped_table()
    listed = list_price(table, pool.spec.node_selector.match_labels, currency=TABLE_CURRENCY)
    if isinstance(listed, Missing):
        raise CommandError(
            f"{source} has no offerings and its list price is unknown: {listed.detail}: add "
            "spec.offerings, or name a priced node.kubernetes.io/instance-type in spec.nodeSelector"
        )
    discount = pool.spec.discount_percent
    if discount is None:
        return ReplicaPrice(per_hour=listed.per_hour, source=source, origin=listed.origin)
    factor = 1 - Decimal(discount) / 100
    return ReplicaPrice(
        per_hour=(listed.per_hour * factor).quantize(_CENT_OF_A_CENT),
        source=source,
        origin=f"{discount} % off {listed.origin}",
    )
