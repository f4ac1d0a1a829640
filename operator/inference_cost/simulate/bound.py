"""The clairvoyant lower bound: no schedule of replicas with so few late requests costs less.

With C the most requests that one replica serves well in a step, at most min(d_t, N_t C) requests of step t are good,
however cleverly the N_t replicas are used. A replica is billed while it is on, and for its start-up time L before that:
K = p L per start. Foresight is perfect, so starts take no time; the replicas of the first step are there for nothing.
The cheapest integer schedule with at most the share e of all requests late then costs at least, for every m >= 0,

    sum over levels j of [ least over on/off paths of  p dt per step on + K per start
                           + m min(C, (d_t - (j-1) C)+) per step off ]  -  m e sum_t d_t

because (1) a price m on the late requests beyond the allowed ones costs a schedule that keeps to them nothing, and
(2) min(d, N C) and the number of starts are sums over levels, level j being on while N_t >= j; looking for each level's
cheapest path alone can only be cheaper. The bound is the greatest value over m (`bound_dual`). It is exact at e = 0,
where each level is on while it has requests, and stays on in the gaps that cost less than a start. Otherwise
the cheapest schedule may cost more, by the reported gap at most, because a schedule cannot be mixed from two.

What it assumes: the largest good throughput of a replica is the same in all steps, the SLO is short against a step
(no request is carried into the next one in time), and prices, start-up time and limits are those of the policy. What
it does not see: the time a start takes, the metrics' lag, routing, drain, zone limits and notice of spot. It foresees
the noise within 10 s, so no policy reaches a ratio of 1.0 and the ratio is not a measure of waste.

Minimum billing time M: a run of r seconds is billed max(L + r, M), which is at least w (L + r) + (1 - w) M for each w
in 0..1. That is linear in r, so it does not matter which replica is stopped, and is again a price per step and one per
start. (A minimum on the runs of the levels would be wrong: stopping the oldest replica first makes runs
that last longer than a level is on.) The bound is the best of a few w. It is ignored for spot.

Spot is a third state, at the price of the cheapest zone in steps where any zone has spot: see `bound_spot`.
"""

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.bound_dual import Optimum, Paths, maximize_dual
from inference_cost.simulate.bound_paths import (
    NEGLIGIBLE,
    OnDemandDollars,
    SpotDollars,
    cheapest_on_demand,
    cheapest_with_spot,
)
from inference_cost.simulate.bound_spot import SpotMarket, bounding_charges, full_charges
from inference_cost.simulate.bound_task import BoundTask

# w below one for the minimum billing time. The bound is concave in w: the first that is no better ends the search.
_RUNNING_SHARES: Final = (0.99, 0.97, 0.9, 0.8, 0.65, 0.5, 0.25, 0.1, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bound:
    """The lower bound, and a schedule that shows how much higher the cheapest schedule can be at most.

    `late_price_dollars` is the best price of a late request: what one more allowed late request saves. `on_demand` and
    `spot` are the replicas of the schedule per step, shape (steps,); `attainment` is its share of good requests and
    `duality_gap_dollars` its cost above the bound.
    """

    cost_dollars: float
    duality_gap_dollars: float
    late_price_dollars: float
    attainment: float
    on_demand: NDArray[np.int64]
    spot: NDArray[np.int64]


def lower_bound(
    counts: NDArray[np.float64],
    *,
    step_seconds: float,
    goodput_per_second: float,
    price_per_hour: float,
    start_seconds: float,
    late_fraction: float,
    minimum_billing_seconds: float = 0.0,
    min_replicas: int = 0,
    max_replicas: int | None = None,
    spot: SpotMarket | None = None,
) -> Bound:
    """The bound for requests per step `counts`, shape (steps,), of which the share `late_fraction` may be late.

    Args:
        counts: requests that arrive in each step.
        step_seconds: width of a step.
        goodput_per_second: the most requests per second that one replica serves within the SLO, at whatever load.
        price_per_hour: dollars of an on-demand replica.
        start_seconds: billed before a replica serves, except for those of the first step.
        late_fraction: late or dropped requests as a share of all, 0 to 1.
        minimum_billing_seconds: the least that is billed of a replica that was started, its start included.
        min_replicas: are on all the time, as the policy's limit demands.
        max_replicas: the policy's limit, or none.
        spot: where spot may be used as well.

    Raises:
        ValueError: a parameter is out of range, or even `max_replicas` leave more requests late.
    """
    task = BoundTask(
        counts=np.ascontiguousarray(counts, dtype=np.float64),
        step_seconds=step_seconds,
        goodput_per_second=goodput_per_second,
        price_per_hour=price_per_hour,
        start_seconds=start_seconds,
        late_fraction=late_fraction,
        minimum_billing_seconds=minimum_billing_seconds,
        min_replicas=min_replicas,
        max_replicas=max_replicas,
        spot=spot,
    )
    best = _best_over_running_shares(task)
    schedule = best.feasible if spot is None else _schedule_with_spot(task, spot)
    billed = task.bill(schedule.on_demand, schedule.spot)
    cost = min(best.dollars, billed)  # apart by rounding where the gap is zero
    return Bound(
        cost_dollars=cost,
        duality_gap_dollars=billed - cost,
        late_price_dollars=best.late_price,
        attainment=task.attainment(schedule.on_demand + schedule.spot),
        on_demand=schedule.on_demand,
        spot=schedule.spot,
    )


def _best_over_running_shares(task: BoundTask) -> Optimum:
    best = _optimum(task, _charges(task, 1.0))
    if task.minimum_billing_seconds <= task.start_seconds:
        return best
    for share in _RUNNING_SHARES:
        other = _optimum(task, _charges(task, share))
        if other.dollars <= best.dollars:
            break
        best = other
    return best


def _charges(task: BoundTask, running_share: float) -> OnDemandDollars | SpotDollars:
    on_demand = task.on_demand_dollars(running_share)
    if task.spot is None:
        return on_demand
    return bounding_charges(
        task.spot, on_demand, step_seconds=task.step_seconds, start_seconds=task.start_seconds
    )


def _schedule_with_spot(task: BoundTask, spot: SpotMarket) -> Paths:
    """Cheap paths that pay each start in full."""
    charges = full_charges(
        spot,
        task.on_demand_dollars(1.0),
        step_seconds=task.step_seconds,
        start_seconds=task.start_seconds,
    )
    return _optimum(task, charges).feasible


def _optimum(task: BoundTask, charges: OnDemandDollars | SpotDollars) -> Optimum:
    # Above this price nothing that can be served is late: one more step on costs a start and the step at most.
    start_and_step = float((charges.running + charges.start).max())
    return maximize_dual(
        partial(_cheapest, task, charges),
        allowed=task.late_allowed,
        highest_price=2 * start_and_step / (NEGLIGIBLE * task.capacity),
    )


def _cheapest(task: BoundTask, charges: OnDemandDollars | SpotDollars, late_price: float) -> Paths:
    """The cheapest paths of all levels; the lowest `min_replicas` are never off."""
    on_demand, spot = (np.zeros(len(task.counts), np.int64) for _ in range(2))
    fixed, free = (0, task.min_replicas), (task.min_replicas, task.levels)
    if isinstance(charges, SpotDollars):
        schedules = on_demand, spot
        value, _ = cheapest_with_spot(task.demand, fixed, (late_price, np.inf), charges, schedules)
        more, late = cheapest_with_spot(task.demand, free, (late_price, 0.0), charges, schedules)
    else:
        on_demand += task.min_replicas
        value = task.min_replicas * float(charges.running.sum())
        more, late = cheapest_on_demand(task.demand, free, late_price, charges, on_demand)
    return Paths(
        late_price=late_price,
        dollars=value + more - late_price * late,
        late=late + task.late(task.levels),
        on_demand=on_demand,
        spot=spot,
    )
