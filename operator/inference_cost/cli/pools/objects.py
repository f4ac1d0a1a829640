"""Inferred pools as CapacityPools for Git, with prices and what is not known of them as comments."""

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
    """One document for each inferred pool; those that are declared are in the cluster already.

    Applied as they are, they name the nodes and change no price. A pool that no labels tell from the others is a
    comment alone.
    """
    inferred = [pool for pool in pools if not pool.declared]
    return "---\n".join(_document(pool) for pool in inferred)


def _document(pool: Pool) -> str:
    head = [line for remark in _remarks(pool) for line in wrap(remark, WIDTH)]
    text = _object(pool) if pool.selector and not pool.overlaps else ""
    return "".join(f"# {line}\n" for line in head) + text


def _object(pool: Pool) -> str:
    spec: dict[str, Any] = {"nodeSelector": {"matchLabels": dict(pool.selector)}}
    found = {
        "apiVersion": API_VERSION,
        "kind": CAPACITY_POOL.kind,
        "metadata": {"name": pool.name},
        "spec": spec,
    }
    return _dumped(found) + "".join(f"  # {line}\n" for line in _price_lines(pool))


def _dumped(value: object) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, default_flow_style=False)
    return text


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
        yield "Left out: no label binds these nodes. Give them one, and name it in matchLabels."
    elif pool.overlaps:
        labels = ", ".join(f"{key}={value}" for key, value in pool.selector)
        yield (
            f"Left out: {labels} would bind the nodes of {', '.join(pool.overlaps)} as well. Give these nodes a "
            "label of their own, and name it in matchLabels."
        )


def _price_lines(pool: Pool) -> Iterator[str]:
    """Written out, they would go before what Karpenter and OpenCost measure, and leave other types without a price."""
    yield 'discountPercent: "0"  # what you pay less than the list price; or, in its place, what you pay:'
    yield "offerings:"
    for (instance_type, zone), price in by_offering(pool).items():
        offering = {"instanceType": instance_type} | ({"zone": zone} if zone else {})
        if isinstance(price, HourlyPrice):
            date = datetime.fromtimestamp(price.as_of, UTC).date().isoformat()
            offering["perNodeHour"] = f"{price.per_hour:f}"
            remark = f"  # {price.currency}, list price of {date}"
        else:
            offering["perNodeHour"] = "0.00"
            remark = "  # no list price: its cost is not known until you give one"
        lines = _dumped([offering]).splitlines()
        yield from lines[:-1]
        yield lines[-1] + remark
