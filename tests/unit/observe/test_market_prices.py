"""Prices that Karpenter and OpenCost measure: read, confirmed, and where they stand among the others."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.capacity_pools import PriceBook
from inference_cost.observe.extract import capacity_pool_record, node_record
from inference_cost.observe.market_prices import (
    KEPT_SECONDS,
    MarketPrices,
    karpenter_prices,
    open_cost_prices,
    queries,
    updated,
)
from inference_cost.observe.node_overlays import node_overlay_record
from inference_cost.observe.price_feed import PriceFeed
from inference_cost.observe.prices import shipped_table
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.settings import PriceSettings, PrometheusSettings
from tests.unit.observe.world import NOW, metadata, node

TYPE, ZONE, CAPACITY = "g6.xlarge", "us-east-1a", "spot"
KEY = (TYPE, CAPACITY, ZONE)
NODE_LABELS = {
    "karpenter.sh/capacity-type": CAPACITY,
    "topology.kubernetes.io/zone": ZONE,
    "topology.kubernetes.io/region": "us-east-1",
}


def offered(price: str, *, at: float = NOW, capacity: str = CAPACITY) -> dict[str, Any]:
    labels = {"instance_type": TYPE, "capacity_type": capacity, "zone": ZONE}
    return {"metric": labels, "value": [at, price]}


def counted(price: str, *, at: float = NOW, name: str = "gpu-1") -> dict[str, Any]:
    return {"metric": {"node": name}, "value": [at, price]}


def priced(value: str, at: float = NOW) -> HourlyPrice:
    [price] = karpenter_prices([offered(value, at=at)]).values()
    return price


def test_karpenter_tells_price_place_and_time() -> None:
    [(key, price)] = karpenter_prices([offered("0.37")]).items()
    assert key == KEY
    assert (price.per_hour, price.currency, price.as_of) == (Decimal("0.37"), "USD", NOW)
    assert price.source is PriceSource.KARPENTER


@pytest.mark.parametrize("value", ["0", "NaN", "+Inf", "-1"])
def test_what_is_no_price_is_none(value: str) -> None:
    assert karpenter_prices([offered(value, capacity="reserved")]) == {}
    assert open_cost_prices([counted(value)], "USD") == {}


def test_what_ranks_a_reservation_first_is_no_price() -> None:
    assert karpenter_prices([offered("8.05e-08", capacity="reserved")]) == {}
    assert karpenter_prices([offered("8.05e-08")]) == {}
    assert karpenter_prices([offered("0.5", capacity="reserved")]) == {}


def test_yuan_are_no_dollars() -> None:
    [china] = [offered("5.0")]
    china["metric"]["zone"] = "cn-north-1a"
    assert karpenter_prices([china]) == {}


def test_a_scrape_may_move_the_name_of_the_node() -> None:
    moved = counted("0.36", name="node-of-opencost")
    moved["metric"]["exported_node"] = "gpu-1"
    assert list(open_cost_prices([moved], "USD")) == ["gpu-1"]


def test_a_name_with_several_prices_is_none() -> None:
    told = [
        counted("0.36"),
        counted("4.00"),
        counted("0.5", name="gpu-2"),
        counted("0.5", name="gpu-2"),
    ]
    assert list(open_cost_prices(told, "USD")) == ["gpu-2"]


def test_a_held_price_keeps_its_own_date() -> None:
    known = updated({}, {KEY: priced("0.40")}, now=NOW)
    known = updated(known, {KEY: priced("4.00", NOW + 60)}, now=NOW + 60)
    assert known[KEY].price.as_of == NOW


def test_series_without_their_labels_are_left_out() -> None:
    assert karpenter_prices([{"metric": {"zone": "a"}, "value": [NOW, "1"]}]) == {}
    assert open_cost_prices([{"metric": {}, "value": [NOW, "1"]}], "USD") == {}


JUMPS: dict[str, tuple[list[str], str, bool]] = {
    "a small move is taken over": (["0.40", "0.45"], "0.45", False),
    "half as much again just so": (["0.40", "0.60"], "0.6", False),
    "a jump is held": (["0.40", "4.00"], "0.4", True),
    "also one down": (["0.40", "0.01"], "0.4", True),
    "a second look does not confirm it": (["0.40", "4.00", "4.00"], "0.4", True),
    "a third one does": (["0.40", "4.00", "4.00", "4.00"], "4", False),
    "looks that differ do not": (["0.40", "4.00", "9.00", "4.00"], "0.4", True),
    "back to what it was": (["0.40", "4.00", "4.00", "0.41"], "0.41", False),
    "what never settles is believed in the end": (["1.00", *["2.00", "3.00"] * 7, "2"], "2", False),
}


@pytest.mark.parametrize(("seen", "price", "held"), JUMPS.values(), ids=JUMPS)
def test_jumps(seen: list[str], price: str, held: bool) -> None:
    known: Mapping[Any, Any] = {}
    for i, value in enumerate(seen):
        at = NOW + 60.0 * i
        known = updated(known, {KEY: priced(value, at)}, now=at)
    market = MarketPrices(offerings=known)
    found = market.offering(*KEY)
    assert found is not None
    assert found.per_hour == Decimal(price)
    assert (list(market.jumps) == [" ".join(KEY)]) is held
    assert (found.unconfirmed is not None) is held


def test_a_look_without_it_breaks_the_row_and_an_hour_without_it_ends_it() -> None:
    known = updated({}, {KEY: priced("0.40")}, now=NOW)
    for value in ("4.00", "4.00"):
        known = updated(known, {KEY: priced(value)}, now=NOW)
    known = updated(known, {}, now=NOW + 60)
    known = updated(known, {KEY: priced("4.00")}, now=NOW + 120)
    assert known[KEY].price.per_hour == Decimal("0.4")
    assert updated(known, {}, now=NOW + KEPT_SECONDS + 119) != {}
    assert updated(known, {}, now=NOW + KEPT_SECONDS + 121) == {}


def test_queries_hold_types_that_look_like_types_only() -> None:
    asked = queries(
        ["g6.xlarge", 'x"} or up{', ""], matchers='cluster="a", ', karpenter=True, open_cost=True
    )
    assert (
        '{instance_type=~"g6[.]xlarge", capacity_type!="reserved", cluster="a"}'
        in asked["karpenter"]
    )
    assert asked["open_cost"] == 'node_total_hourly_cost{cluster="a"} > 0'
    assert queries([], matchers="", karpenter=True, open_cost=False) == {}


def pool(**spec: Any) -> dict[str, Any]:
    selector = {"nodeSelector": {"matchLabels": {"karpenter.sh/capacity-type": CAPACITY}}}
    return {
        "kind": "CapacityPool",
        "metadata": metadata("own", namespace=""),
        "spec": selector | spec,
    }


def overlay(**spec: Any) -> dict[str, Any]:
    requirement = {"key": "karpenter.sh/capacity-type", "operator": "In", "values": [CAPACITY]}
    return {
        "kind": "NodeOverlay",
        "metadata": metadata("negotiated", namespace=""),
        "spec": {"requirements": [requirement], **spec},
    }


OFFERING = [{"instanceType": TYPE, "perNodeHour": "0.11"}]
BY_KARPENTER = updated({}, {KEY: priced("0.37")}, now=NOW)
BY_OPEN_COST = updated({}, open_cost_prices([counted("0.36")], "USD"), now=NOW)
BOTH = MarketPrices(offerings=BY_KARPENTER, nodes=BY_OPEN_COST)
NEGOTIATED = overlay(price="0.20")
TEN_OFF = overlay(priceAdjustment="-10%")
TRUSTED: dict[str, tuple[list[dict[str, Any]], MarketPrices, str, PriceSource]] = {
    "a NodeOverlay goes before Karpenter's": ([NEGOTIATED], BOTH, "0.2000", PriceSource.NODE_OVERLAY),
    "what it adds is added to Karpenter's": ([TEN_OFF], BOTH, "0.3330", PriceSource.NODE_OVERLAY),
    "an offering goes before a NodeOverlay": (
        [NEGOTIATED, pool(offerings=OFFERING)], BOTH, "0.11", PriceSource.CAPACITY_POOL,
    ),
    "a pool without prices has those of NodeOverlays": (
        [NEGOTIATED, pool()], BOTH, "0.2000", PriceSource.NODE_OVERLAY,
    ),
    "an offering goes before all": ([pool(offerings=OFFERING)], BOTH, "0.11", PriceSource.CAPACITY_POOL),
    "a discount is taken off Karpenter's": (
        [pool(discountPercent="50")], BOTH, "0.1850", PriceSource.CAPACITY_POOL,
    ),
    "a pool without prices has measured ones": ([pool()], BOTH, "0.37", PriceSource.KARPENTER),
    "Karpenter's goes before OpenCost's": ([], BOTH, "0.37", PriceSource.KARPENTER),
    "OpenCost's goes before the table's": (
        [], MarketPrices(nodes=BY_OPEN_COST), "0.36", PriceSource.OPEN_COST,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("objects", "market", "price", "source"), TRUSTED.values(), ids=TRUSTED)
def test_order_of_trust(
    objects: list[dict[str, Any]], market: MarketPrices, price: str, source: PriceSource
) -> None:
    book = PriceBook(
        [capacity_pool_record(one) for one in objects if one["kind"] == "CapacityPool"],
        overlays=[node_overlay_record(one) for one in objects if one["kind"] == "NodeOverlay"],
        table=shipped_table(),
        currency="USD",
        market=market,
    )
    found = book.price_of(node_record(node(labels=NODE_LABELS)))[1]
    assert isinstance(found, HourlyPrice)
    assert (found.per_hour, found.source) == (Decimal(price), source)


class Reader:
    """Answers by the metric's name; counts."""

    def __init__(self, **results: Answer | Missing) -> None:
        self.results = results
        self.asked: list[str] = []

    async def query(self, promql: str, *, at: float | None) -> Answer | Missing:
        assert at is None
        self.asked.append(promql)
        return next(a for name, a in self.results.items() if name in promql)


def feed(reader: Reader, currency: str = "USD") -> PriceFeed:
    return PriceFeed(
        reader, prometheus=PrometheusSettings(), settings=PriceSettings(), currency=currency
    )


async def test_it_asks_once_a_minute_and_keeps_what_it_knows_when_a_source_fails() -> None:
    reader = Reader(
        karpenter=Answer(result=[offered("0.37")]), node_total=Answer(result=[counted("0.36")])
    )
    prices = feed(reader)
    for second in (0.0, 15.0, 59.0):
        await prices.refresh(NOW + second, [TYPE])
    assert len(reader.asked) == 2
    reader.results = dict.fromkeys(
        ("karpenter", "node_total"), Missing(reason=MissingReason.QUERY_FAILED)
    )
    await prices.refresh(NOW + 60.0, [TYPE])
    assert len(reader.asked) == 4
    known = prices.prices.offering(*KEY), prices.prices.node("gpu-1")
    assert [one.per_hour if one else None for one in known] == [Decimal("0.37"), Decimal("0.36")]
    for minute in range(2, 62):
        await prices.refresh(NOW + 60.0 * minute, [TYPE], answering=False)
    assert len(reader.asked) == 4
    assert (prices.prices.offering(*KEY), prices.prices.node("gpu-1")) == (None, None)


async def test_dollars_are_of_no_use_elsewhere() -> None:
    reader = Reader(node_total=Answer(result=[counted("0.36")]))
    prices = feed(reader, "EUR")
    await prices.refresh(NOW, [TYPE])
    found = prices.prices.node("gpu-1")
    assert len(reader.asked) == 1
    assert found is not None
    assert found.currency == "EUR"


async def test_a_held_jump_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    reader = Reader(karpenter=Answer(result=[offered("0.37")]), node_total=Answer(result=[]))
    prices = feed(reader)
    for minute, value in enumerate(("0.37", "3.70", "3.70")):
        reader.results["karpenter"] = Answer(result=[offered(value)])
        await prices.refresh(NOW + 60.0 * minute, [TYPE])
    assert [record.message for record in caplog.records] == ["price_jump_held"]
