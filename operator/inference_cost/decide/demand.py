"""Demand: what is offered now, and what waits."""

from dataclasses import dataclass
from typing import Final

from inference_cost.decide.traffic import Traffic
from inference_cost.model.plan import Demand

SATURATED: Final = 0.9  # of capacity
GROWTH_WHILE_CENSORED: Final = 1.5  # until one clean window
ERRORS_MATTER: Final = 0.01  # share of requests answered 5xx
SHEDDING_LOAD: Final = 0.7  # of capacity: below it errors are not for want of replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Of the ready replicas, requests per second; 0 where not known. `batch`: normal queue per replica."""

    ready: int
    per_second: float
    batch: float


def offered(traffic: Traffic, capacity: Capacity, *, hidden_losses: bool = False) -> Demand:
    """Arrivals = completions + failures + growth of the queue, and what a gateway saw beyond that.

    A gateway may count a request when it is answered: while a queue is worked off that is too many.
    """
    seen = traffic.offered
    if traffic.coverage > 0:
        seen /= traffic.coverage if traffic.partial else 1.0
    gateway = traffic.gateway_rate
    backlog = max(traffic.waiting - capacity.ready * capacity.batch, 0.0)
    return Demand(
        now=seen if gateway is None else max(seen, gateway + min(traffic.growing, 0.0)),
        forecast=0.0,
        backlog=backlog,
        censored=_censored(traffic, capacity, backlog, hidden_losses=hidden_losses),
        source="Triton" if gateway is None else "Gateway",
    )


def expecting(demand: Demand, forecast: float) -> Demand:
    return Demand(
        now=demand.now,
        forecast=forecast,
        backlog=demand.backlog,
        censored=demand.censored,
        source=demand.source,
    )


def shed(traffic: Traffic) -> bool:
    """Whether more than a few requests are answered 5xx."""
    return (traffic.gateway_errors or 0.0) > ERRORS_MATTER * (traffic.gateway_rate or 0.0)


def _censored(traffic: Traffic, capacity: Capacity, backlog: float, *, hidden_losses: bool) -> bool:
    """Overload hides demand where requests are shed, or where the queue is not seen.

    While nothing is known of the capacity a queue that grows is overload, however well it is seen.
    """
    full = traffic.completed >= SHEDDING_LOAD * capacity.per_second
    if shed(traffic) and (full or backlog > 0):
        return True
    if traffic.gateway_rate is not None:
        return False  # it counts what is offered, answered or not
    if capacity.per_second <= 0:
        return hidden_losses or (backlog > 0 and traffic.growing > 0)
    return hidden_losses and traffic.completed > SATURATED * capacity.per_second
