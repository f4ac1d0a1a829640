"""Demand: what is offered now, and what waits."""

from dataclasses import dataclass
from typing import Final

from inference_cost.decide.traffic import Traffic
from inference_cost.model.plan import Demand

SATURATED: Final = 0.9  # of capacity
GROWTH_WHILE_CENSORED: Final = 1.5  # until one clean window
ERRORS_MATTER: Final = 0.01  # share of requests answered 5xx
MANY_ERRORS: Final = 0.1  # overload, however little the servers see of it
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
    seen = arrived(traffic)
    gateway = traffic.gateway_rate
    backlog = max(traffic.waiting - capacity.ready * capacity.batch, 0.0)
    return Demand(
        now=seen if gateway is None else max(seen, gateway + min(traffic.growing, 0.0)),
        forecast=0.0,
        backlog=backlog,
        censored=_censored(traffic, capacity, backlog, hidden_losses=hidden_losses),
        source="Triton" if gateway is None else "Gateway",
    )


def arrived(traffic: Traffic) -> float:
    """Requests/s over the window, as the servers count them. Gaps tell of silent pods and of those that left, too."""
    if traffic.evened is not None:
        return traffic.evened
    shown = traffic.coverage if traffic.partial and traffic.coverage > 0 else 1.0
    return traffic.offered / shown


def expecting(demand: Demand, forecast: float) -> Demand:
    return Demand(
        now=demand.now,
        forecast=forecast,
        backlog=demand.backlog,
        censored=demand.censored,
        source=demand.source,
    )


def shed(traffic: Traffic, share: float = ERRORS_MATTER) -> bool:
    """Whether more than such a share of the requests is answered 5xx."""
    return (traffic.gateway_errors or 0.0) > share * (traffic.gateway_rate or 0.0)


def _censored(traffic: Traffic, capacity: Capacity, backlog: float, *, hidden_losses: bool) -> bool:
    """Overload hides demand where requests are shed, or where the queue is not seen.

    While nothing is known of the capacity a queue that grows is overload, however well it is seen.
    """
    full = traffic.completed >= SHEDDING_LOAD * capacity.per_second
    if shed(traffic, MANY_ERRORS) or (shed(traffic) and (full or backlog > 0)):
        return True
    if traffic.gateway_rate is not None:
        return False  # it counts what is offered, answered or not
    if capacity.per_second <= 0:
        return hidden_losses or (backlog > 0 and traffic.growing > 0)
    return hidden_losses and traffic.completed > SATURATED * capacity.per_second
