"""CapacityPools: which nodes they bind, and the price they give."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from inference_cost.api.annotations import PAUSED
from inference_cost.api.capacity_pool import CapacityPoolSpec, Offering, WarmStrategy
from inference_cost.api.parse import InvalidObjectError, parse_capacity_pool
from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.warm import WarmBy, WarmSpec
from inference_cost.model.workload import PoolLimits
from inference_cost.observe.market_prices import MarketPrices
from inference_cost.observe.node_overlays import overlaid, with_prices
from inference_cost.observe.nodes import (
    INSTANCE_TYPE_LABELS,
    ZONE_LABELS,
    capacity_type,
    first_label,
)
from inference_cost.observe.prices import PriceTable, list_price
from inference_cost.observe.records import (
    CapacityPoolRecord,
    Labels,
    NodeOverlayRecord,
    NodeRecord,
)

_POOLS_NAMED = 2
_CENT_OF_A_CENT = Decimal("0.0001")
PoolOf = tuple[str, HourlyPrice | Missing]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredPool:
    """`prices`: the cheapest that it names of each instance type. `zones`: that its offerings name.

    `warm`: None where nothing is to be kept ready.
    """

    name: str
    match_labels: Mapping[str, str]
    prices: tuple[tuple[str, HourlyPrice], ...]
    zones: frozenset[str] = frozenset()
    limits: PoolLimits | None = None
    warm: WarmSpec | None = None
    paused: bool = False


class PriceBook:
    """Pool and price of every node, in order of trust."""

    def __init__(
        self,
        pools: list[CapacityPoolRecord],
        *,
        table: PriceTable,
        currency: str,
        market: MarketPrices | None = None,
        overlays: Iterable[NodeOverlayRecord] = (),
    ) -> None:
        self._overlays = with_prices(overlays)
        self._table = table
        self._market = market or MarketPrices()
        self.currency = currency
        self.problems: dict[str, str] = {}  # by pool: why it is not used
        self._pools: list[tuple[CapacityPoolRecord, CapacityPoolSpec]] = []
        for record in sorted(pools, key=lambda r: (r.created_at, r.name)):
            self._add(record)

    @property
    def declared(self) -> Iterator[DeclaredPool]:
        for record, spec in self._pools:
            cheapest: dict[str, Offering] = {}
            for one in sorted(spec.offerings, key=lambda o: Decimal(o.per_node_hour)):
                cheapest.setdefault(one.instance_type, one)
            yield DeclaredPool(
                name=record.name,
                match_labels=spec.node_selector.match_labels,
                prices=tuple((t, self._named(record, one)) for t, one in cheapest.items()),
                zones=frozenset(one.zone for one in spec.offerings if one.zone),
                limits=_limits(spec),
                warm=_warm(spec),
                paused=record.pause_annotations.get(PAUSED) == "true",
            )

    def price_of(self, node: NodeRecord) -> PoolOf:
        """Name of the CapacityPool that binds the node ("" when none does), and the node's price."""
        for record, spec in self._pools:
            if binds(spec.node_selector.match_labels, node.labels):
                return record.name, self._pool_price(record, spec, node)
        found = self._measured(node)
        return "", self._with_problems(found) if isinstance(found, Missing) else found

    def _measured(self, node: NodeRecord) -> HourlyPrice | Missing:
        """Without a figure of the platform team's own."""
        return (
            self._overlaid(node.labels)
            or self._karpenter(node.labels)
            or self._market.node(node.name)
            or self._shipped(node.labels)
        )

    def _overlaid(self, labels: Labels) -> HourlyPrice | None:
        if not self._overlays:
            return None
        return overlaid(self._overlays, labels, self._listed(labels), self.currency)

    def _listed(self, labels: Labels) -> HourlyPrice | Missing:
        """What the cloud asks, before any discount."""
        return self._karpenter(labels) or self._shipped(labels)

    def _karpenter(self, labels: Labels) -> HourlyPrice | None:
        if not self._market.offerings:
            return None  # most clusters have none, and thousands of nodes
        return self._market.offering(
            first_label(labels, INSTANCE_TYPE_LABELS),
            capacity_type(labels).value,
            first_label(labels, ZONE_LABELS),
        )

    def _shipped(self, labels: Labels) -> HourlyPrice | Missing:
        return list_price(self._table, labels, currency=self.currency)

    def _with_problems(self, unknown: Missing) -> Missing:
        """A pool that is not used may be the one that was meant to price the node."""
        unused = "; ".join(
            f"CapacityPool/{name} is not used: {self.problems[name]}"
            for name in sorted(self.problems)[:_POOLS_NAMED]
        )
        parts = (unknown.detail, unused)
        return replace(unknown, detail="; ".join(part for part in parts if part))

    def _add(self, record: CapacityPoolRecord) -> None:
        try:
            parsed = parse_capacity_pool({"spec": record.spec})
        except InvalidObjectError as error:
            self.problems[record.name] = str(error)
        else:
            self._pools.append((record, parsed.spec))

    def _pool_price(
        self, record: CapacityPoolRecord, spec: CapacityPoolSpec, node: NodeRecord
    ) -> HourlyPrice | Missing:
        if spec.offerings:
            return self._offered(record, spec.offerings, node.labels)
        if spec.discount_percent is None:
            return self._measured(node)
        listed = self._listed(node.labels)
        if isinstance(listed, Missing):
            return listed
        factor = 1 - Decimal(spec.discount_percent) / 100
        return HourlyPrice(
            per_hour=(listed.per_hour * factor).quantize(_CENT_OF_A_CENT),
            currency=self.currency,
            source=PriceSource.CAPACITY_POOL,
            as_of=listed.as_of,
            origin=f"{record.name} ({spec.discount_percent} % off {listed.origin})",
            listed=listed.source,
        )

    def _offered(
        self, record: CapacityPoolRecord, offerings: Sequence[Offering], labels: Labels
    ) -> HourlyPrice | Missing:
        instance_type = first_label(labels, INSTANCE_TYPE_LABELS)
        zone = first_label(labels, ZONE_LABELS)
        fitting = [o for o in offerings if o.instance_type == instance_type]
        chosen = [o for o in fitting if o.zone == zone] or [o for o in fitting if not o.zone]
        if not chosen:
            place = f" in {zone}" if zone else ""
            return Missing(
                reason=MissingReason.PRICE_UNKNOWN,
                detail=f"CapacityPool/{record.name} has no offering for {instance_type}{place}; "
                "add it to spec.offerings",
            )
        return self._named(record, chosen[0])

    def _named(self, record: CapacityPoolRecord, offering: Offering) -> HourlyPrice:
        return HourlyPrice(
            per_hour=Decimal(offering.per_node_hour),
            currency=self.currency,
            source=PriceSource.CAPACITY_POOL,
            as_of=record.edited_at,
            origin=record.name,
        )


def _limits(spec: CapacityPoolSpec) -> PoolLimits | None:
    if spec.limits is None:
        return None
    cost = spec.limits.hourly_cost
    return PoolLimits(nodes=spec.limits.nodes, per_hour=None if cost is None else Decimal(cost))


def _warm(spec: CapacityPoolSpec) -> WarmSpec | None:
    warm = spec.warm
    if warm is None or warm.strategy is WarmStrategy.NONE:
        return None
    by = WarmBy(warm.strategy.value)
    return WarmSpec(least=warm.min, most=warm.max, pre_pull=warm.pre_pull_images, by=by)


def binds(match_labels: Mapping[str, str], labels: Labels) -> bool:
    return all(labels.get(k) == v for k, v in match_labels.items())
