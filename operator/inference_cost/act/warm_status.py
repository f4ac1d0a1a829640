"""Warm nodes in the status of their CapacityPool. Pure."""

from decimal import Decimal

from inference_cost.account.costs import Costs
from inference_cost.act.conditions import Finding, is_false, is_true
from inference_cost.api.fields import money_text, whole_sentences
from inference_cost.api.pool_status import WarmStatus
from inference_cost.decide.explain.warm_sentences import warm_words
from inference_cost.model.warm import WarmPlan, WarmPool


def render_warm(
    plan: WarmPlan, pool: WarmPool, costs: Costs | None, *, unwritten: str
) -> WarmStatus:
    """`unwritten`: why placeholders are not as decided, or ""."""
    paused = "Nothing is changed: the pool is paused." if pool.paused else ""
    words = " ".join(part for part in (warm_words(plan), unwritten, paused) if part)
    return WarmStatus(
        shown=f"{plan.free}/{plan.wanted}",
        ready=plan.free,
        wanted=plan.wanted,
        used_by_others=plan.lost,
        uses_per_day=plan.uses,
        per_hour=_per_hour(plan.pool, pool, costs),
        message=whole_sentences(words),
    )


def warm_finding(plan: WarmPlan, pool: WarmPool, *, unwritten: str) -> Finding:
    """Whether what is to be kept ready is there."""
    if unwritten:
        return is_false("NotServed" if pool.unserved else "NotWritten", unwritten)
    if plan.wanted <= 0:
        return is_true("NoneWanted", "No node is to be kept ready now: see `warm.message`.")
    words = f"{min(plan.free, plan.wanted)} of {plan.wanted} are free."
    return is_true("Ready", words) if plan.free >= plan.wanted else is_false("Missing", words)


def _per_hour(name: str, pool: WarmPool, costs: Costs | None) -> str | None:
    """None where a price is missing: no price is not a price of zero."""
    if costs is None:
        return None
    held = {one.node for one in pool.holders if one.node}
    found = next((one for one in costs.pools if one.pool == name), None)
    if found is None or held & set(found.unpriced_nodes):
        return None if held else money_text(Decimal(0))
    return money_text(found.warm_per_hour)
