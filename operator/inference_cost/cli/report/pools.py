"""Pools in a report: what they cost in the time, and what their CapacityPools say now."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from inference_cost.api.pool_status import PoolConditionType
from inference_cost.cli.report.document import Line, PoolPart
from inference_cost.cli.report.money import Rounding, rate_text

GOOD = {
    PoolConditionType.AVAILABLE: "True",
    PoolConditionType.PRICE_KNOWN: "True",
    PoolConditionType.SCARCE: "False",
    PoolConditionType.WARM_READY: "True",
}


def pools_of(
    lines: Sequence[Line], declared: Mapping[str, Mapping[str, Any]], rounding: Rounding
) -> tuple[PoolPart, ...]:
    """Those of the lines, and those declared; the dearest first."""
    sums = {name: (Decimal(0), Decimal(0)) for name in declared}
    for line in lines:
        cost, unused = sums.get(line.pool, (Decimal(0), Decimal(0)))
        amount = Decimal(line.amount)
        sums[line.pool] = (cost + amount, unused if line.policy else unused + amount)
    ordered = sorted(sums.items(), key=lambda one: (-one[1][0], one[0]))
    return tuple(_part(name, *amounts, declared.get(name), rounding) for name, amounts in ordered)


def _part(
    name: str,
    cost: Decimal,
    unused: Decimal,
    declared: Mapping[str, Any] | None,
    rounding: Rounding,
) -> PoolPart:
    status = (declared or {}).get("status") or {}
    price = status.get("perNodeHour")
    return PoolPart(
        name=name,
        cost=rounding.text(cost),
        unused=rounding.text(unused),
        nodes=status.get("nodes"),
        per_node_hour=None if price is None else rate_text(Decimal(price)),
        price_source=status.get("priceSource") or "",
        price_time=status.get("priceTime") or "",
        attention=tuple(_attention(status)),
    )


def _attention(status: Mapping[str, Any]) -> Iterator[str]:
    for one in status.get("conditions") or ():
        if one["status"] not in (GOOD.get(one["type"], one["status"]), "Unknown"):
            yield f"{one['type']}={one['status']}: {one.get('message') or one['reason']}"
