"""Demand: what is offered now, what waits, and the most to expect before new capacity can serve.

The forecast is the level plus a straight line through the recent past, carried over the lead time and shrunk
towards no trend by its own uncertainty, plus one standard deviation of what the line did not explain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import Final

from inference_cost.decide.traffic import Traffic
from inference_cost.model.observation import DecisionSettings
from inference_cost.model.plan import Demand
from inference_cost.model.policy import Headroom, HeadroomMode

History = tuple[tuple[float, float], ...]

SATURATED: Final = 0.9  # of capacity
GROWTH_WHILE_CENSORED: Final = 1.5  # until one clean window
ERRORS_MATTER: Final = 0.001  # share of requests answered 5xx
LARGEST_GROWTH: Final = 2.0  # a line is not believed beyond this multiple of the level
SPREADS: Final = 0.5  # standard deviations above the line
LOOK_BACK: Final = 1.5  # lead times
POINTS_KEPT: Final = 64
START_UPS_KEPT: Final = 20
START_UPS_NEEDED: Final = 3


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
    seen = max(traffic.completed + traffic.failed + traffic.growing, 0.0)
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


def _censored(traffic: Traffic, capacity: Capacity, backlog: float, *, hidden_losses: bool) -> bool:
    """Overload hides demand: requests were shed, or the queue grows at the limit of capacity."""
    errors, requests = traffic.gateway_errors or 0.0, traffic.gateway_rate or 0.0
    if errors > ERRORS_MATTER * requests:
        return True
    busy = capacity.per_second > 0 and traffic.completed > SATURATED * capacity.per_second
    unknown = capacity.per_second <= 0
    return (busy or unknown) and (hidden_losses or (backlog > 0 and traffic.growing > 0))


def remember(history: History, at: float, rate: float, span: float) -> History:
    """Append a point and drop what is older than the span."""
    kept = tuple(point for point in history if at - span <= point[0] < at)
    return (*kept, (at, rate))[-POINTS_KEPT:]


def lead_seconds(settings: DecisionSettings, start_up: float, scrape_seconds: float) -> float:
    """From the middle of the window until an order of the next tick serves."""
    return start_up + settings.rate_window_seconds / 2 + scrape_seconds + settings.tick_seconds


def look_back_seconds(settings: DecisionSettings, lead: float) -> float:
    return max(LOOK_BACK * lead, 2 * settings.rate_window_seconds)


def start_up_seconds(seen: Sequence[float], prior: float) -> float:
    """95th percentile from pod creation to ready, once some were seen."""
    if len(seen) < START_UPS_NEEDED:
        return max(prior, *seen) if seen else prior
    return sorted(seen)[min(int(0.95 * len(seen)), len(seen) - 1)]


def forecast(
    demand: Demand, history: History, headroom: Headroom, *, lead: float, window: float
) -> float:
    """Highest rate to expect within the lead time; at least the present one."""
    if demand.censored:
        return demand.now * GROWTH_WHILE_CENSORED
    if headroom.mode is HeadroomMode.DISABLED:
        return demand.now
    line = fit(history)
    if line is None:
        return demand.now
    slope = min(line.slope, recent_slope(history, window))
    ahead = line.level + slope * lead + SPREADS * line.spread
    return min(max(demand.now, ahead), LARGEST_GROWTH * max(demand.now, line.level))


def recent_slope(history: History, window: float) -> float:
    """Per second over the last whole window, at least 0: a rise counts only while it goes on."""
    newest, rate = history[-1]
    before = next((point for point in reversed(history) if point[0] <= newest - window), None)
    if before is None:
        return inf
    return max((rate - before[1]) / (newest - before[0]), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`level` at the newest point, `slope` per second after shrinking, `spread` around it."""

    level: float
    slope: float
    spread: float


def fit(history: History) -> Line | None:
    """Least squares; the slope loses the share of its square that chance explains."""
    if len(history) < 4:  # noqa: PLR2004 - two degrees of freedom for the spread
        return None
    count = len(history)
    newest = history[-1][0]
    times = [at - newest for at, _ in history]
    middle = sum(times) / count
    mean = sum(rate for _, rate in history) / count
    width = sum((t - middle) ** 2 for t in times)
    if width <= 0:
        return None
    slope = (
        sum((t - middle) * (rate - mean) for t, (_, rate) in zip(times, history, strict=True))
        / width
    )
    squares = sum(
        (rate - mean - slope * (t - middle)) ** 2
        for t, (_, rate) in zip(times, history, strict=True)
    )
    variance = squares / (count - 2)
    if slope:
        slope *= max(0.0, 1 - variance / width / slope**2)
    level = mean - slope * middle
    spread = sqrt(variance)
    return Line(level=level, slope=slope, spread=spread) if isfinite(level + spread) else None
