"""Inferred pools as CapacityPools for Git, with what is not known of them as comments."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any

import yaml

from inference_cost.api.group import API_VERSION, CAPACITY_POOL
from inference_cost.cli.pools.seen import Pool, by_offering
from inference_cost.model.money import HourlyPrice

WIDTH = 96


def as_yaml(pools: Sequence[Pool]) -> str:
    """One document for each inferred pool; those that are declared are in the cluster already."""
    inferred = [pool for pool in pools if not pool.declared]
    return "---\n".join(_document(pool) for pool in inferred)


def _document(pool: Pool) -> str:
    comments = [line for remark in _remarks(pool) for line in wrap(remark, WIDTH)]
    text: str = yaml.safe_dump(capacity_pool(pool), sort_keys=False, default_flow_style=False)
    return "".join(f"# {line}\n" for line in comments) + text


def capacity_pool(pool: Pool) -> dict[str, Any]:
    """The object."""
    spec: dict[str, Any] = {"nodeSelector": {"matchLabels": dict(pool.selector)}}
    offerings = list(_offerings(pool))
    if offerings:
        spec["offerings"] = offerings
    return {
        "apiVersion": API_VERSION,
        "kind": CAPACITY_POOL.kind,
        "metadata": {"name": pool.name},
        "spec": spec,
    }


def _offerings(pool: Pool) -> Iterator[dict[str, str]]:
    """Per zone where prices differ between zones, else for all of them."""
    known = {
        offering: price.per_hour
        for offering, price in by_offering(pool).items()
        if isinstance(price, HourlyPrice) and offering[0]
    }
    for instance_type in sorted({kind for kind, _ in known}):
        prices = {zone: price for (kind, zone), price in known.items() if kind == instance_type}
        zoned = len(set(prices.values())) > 1
        for zone, price in sorted(prices.items()) if zoned else [("", next(iter(prices.values())))]:
            where = {"zone": zone} if zone else {}
            yield {"instanceType": instance_type, **where, "perNodeHour": f"{price.normalize():f}"}


def _remarks(pool: Pool) -> Iterator[str]:
    count = len(pool.nodes)
    where = f" in {', '.join(pool.zones)}" if pool.zones else ""
    product = pool.gpu_product or "no GPU that a label names"
    yield f"{count} node{'s' if count > 1 else ''} with {product}{where}, {pool.capacity}."
    if not pool.capacity_known:
        yield (
            "No label tells the capacity type: priced as on-demand. If spot nodes have these labels, too, add one to "
            "matchLabels that they lack."
        )
    if not pool.selector:
        yield "These nodes have no label to bind them by: give them one, and name it in matchLabels."
    yield from _price_remarks(pool)


def _price_remarks(pool: Pool) -> Iterator[str]:
    prices = by_offering(pool)
    listed = [price for price in prices.values() if isinstance(price, HourlyPrice)]
    if listed:
        dates = sorted(
            {datetime.fromtimestamp(price.as_of, UTC).date().isoformat() for price in listed}
        )
        dated = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
        yield (
            f"The prices are list prices of {dated}, in {listed[0].currency}. Write what you pay; or give "
            "discountPercent instead of offerings, and the list prices go on being followed."
        )
    unknown = [offering for offering, price in prices.items() if not isinstance(price, HourlyPrice)]
    for instance_type, zone in unknown:
        what = instance_type or "a node without node.kubernetes.io/instance-type"
        place = f" in {zone}" if zone else ""
        yield f"No price is known for {what}{place}: add an offering, or its cost stays unknown."
