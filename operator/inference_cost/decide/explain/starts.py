"""How long replicas take to start, in words."""

from typing import Final

from inference_cost.decide.explain.words import duration
from inference_cost.model.plan import Plan, PoolStarts

POOLS_SHOWN: Final = 3


def starts(plan: Plan) -> str:
    """The pool that is provided for comes first; "" where no start was seen."""
    if not plan.starts:
        return ""
    pools = "; ".join(_pool(one) for one in plan.starts[:POOLS_SHOWN])
    others = len(plan.starts) - POOLS_SHOWN
    more = f"; {others} more, faster" if others > 0 else ""
    return f"Starts: {pools}{more}."


def _pool(one: PoolStarts) -> str:
    where = f" in pool {one.pool}" if one.pool else ""
    if one.count == 1:
        return f"the only one{where} took {duration(one.p95_seconds)}"
    half, most = duration(one.p50_seconds), duration(one.p95_seconds)
    return f"half of the last {one.count}{where} within {half}, 95 % within {most}"
