"""Why replicas run where they do, one sentence per reason code."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from inference_cost.decide.explain.words import clock, count, day, small_money
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Plan

Values = Mapping[str, Any]


def _hourly(amount: str | float) -> str:
    return f"{small_money(Decimal(str(amount)))} per hour"


def _mix_saves(values: Values, _: Plan, __: PolicyObservation) -> str:
    """Negative where a minimum asks for what is dearer."""
    saved = float(values["saved"])
    if saved < 0:
        return f"All on what cannot be taken away would cost {_hourly(-saved)} less."
    return f"All on what cannot be taken away would cost {_hourly(saved)} more, late requests after a loss paid for."


_LIMITS: Final = {"nodes": "{most:g} nodes", "hourlyCost": "{money} per hour"}


def _pool_full(values: Values, _: Plan, __: PolicyObservation) -> str:
    most = float(values["most"])
    money = small_money(Decimal(str(most)))
    room = _LIMITS[str(values["limit"])].format(most=most, money=money)
    full = (
        f"CapacityPool {values['pool']} has no room for all: limits.{values['limit']} allows {room}"
    )
    if not values["takers"]:
        return f"{full}, and {'this policy' if values['own'] else 'what no policy scales'} has it."
    why = "of higher priority" if values["higher"] else "who gain more by it or are there already"
    return f"{full}. It is taken by {values['takers']}, {why}."


def _cap_reached(values: Values, _: Plan, __: PolicyObservation) -> str:
    missing = count(int(values["replicas"]), "replica")
    return f"maxHourlyCost of {_hourly(values['cap'])} is reached: {missing} fewer than needed, whatever the objective."


def _priced(values: Values) -> str:
    return f"pool {values['pool']}" if values["pool"] else f"a replica of {values['variant']}"


def _mix_closed(values: Values, _: Plan, __: PolicyObservation) -> str:
    variant = values["variant"]
    if values["probed"]:
        return f"One replica is asked of {variant} to see whether a node comes: those there are cordoned."
    until = clock(float(values["until"]))
    return (
        f"No more are asked of {variant} while nodes there are cordoned; one is tried at {until}."
    )


SENTENCES: Final[Mapping[str, Callable[[Values, Plan, PolicyObservation], str]]] = {
    "mix-price-old": lambda v, _p, _o: (
        f"The price of {_priced(v)} is of {day(float(v['since']))}: too old to"
        " move for, so no replica is moved to save money; give it in a CapacityPool with offerings."
    ),
    "mix-no-pool": lambda v, _p, _o: (
        f"Variant {v['variant']} names CapacityPool {v['pool']}, which is not there."
    ),
    "mix-floor": lambda v, _p, _o: (
        f"minOnDemandReplicas asks for {v['floor']}, but what cannot be taken away has room for {v['replicas']}."
    ),
    "mix-safe": lambda _v, _p, _o: (
        "Nothing runs where it can be taken away: at today's prices and losses that does not pay."
    ),
    "mix-saves": _mix_saves,
    "mix-survives": lambda v, _p, _o: (
        f"That all are left when the largest zone is lost costs {_hourly(v['extra'])} more."
    ),
    "mix-closed": _mix_closed,
    "mix-away": lambda v, _p, _o: (
        f"No more are asked of {v['variant']} until {clock(float(v['until']))}: some were taken there, "
        "did not come or do not answer."
    ),
    "mix-zone-away": lambda v, _p, _o: (
        f"Zone {v['zone']} was taken from {v['variant']}, or does not answer: until {clock(float(v['until']))} "
        "what it gets anew counts as lost again soon, by the zone's share."
    ),
    "mix-moving": lambda v, _p, _o: (
        f"{count(int(v['replicas']), 'replica')} more than needed until others serve in their place."
    ),
    "mix-dwelling": lambda _v, _p, _o: (
        "Going back so soon would not pay for the starts: prices moved replicas the other way within the hour."
    ),
    "pool-full": _pool_full,
    "pool-short": lambda v, _p, _o: (
        f"There is no room elsewhere: {count(int(v['replicas']), 'replica')} fewer than needed."
    ),
    "pool-elsewhere": lambda v, _p, _o: (
        f"What runs elsewhere for that costs {_hourly(v['extra'])} more."
    ),
    "cap-reached": _cap_reached,
    "cap-unpriced": lambda v, _p, _o: (
        f"maxHourlyCost of {_hourly(v['cap'])} holds nothing back, because a price is not known."
    ),
    "mix-short": lambda v, _p, _o: (
        f"There is nowhere room for {count(int(v['replicas']), 'replica')}: pods wait in vain or are refused, or "
        "maxReplicas of the variants is reached."
    ),
}
