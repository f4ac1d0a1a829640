"""Demand: what is offered now, what waits, and the most to expect before new capacity can serve.

The forecast is the present level plus a straight line through the recent past, carried over the lead time, shrunk
towards no trend by its own uncertainty, and believed only once a rise lasts longer than one window: until then it may
be a step, which a window smears into a slope. The present level is that of the newest slice where it differs from the
window's by more than chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, sqrt
from statistics import median
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
SIGNIFICANT: Final = 3.0  # standard deviations of a Poisson count
FALLEN: Final = 1.2  # times as much a window ago
SPREADS: Final = 0.5  # standard deviations of one step, above the line
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
    if traffic.gateway_rate is not None:
        return False  # it counts what is offered, answered or not
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
    present = newest_rate(history, window)
    slope = min(line.slope, lasting_slope(history, window))
    level = max(demand.now, min(present, LARGEST_GROWTH * demand.now))
    ahead = level + slope * max(lead - window / 2, 0.0) + SPREADS * line.spread
    return min(max(level, ahead), LARGEST_GROWTH * max(demand.now, line.level))


def newest_rate(history: History, window: float) -> float:
    """Rate of the newest slice of the window: a step of the load shows at once, not only after a window."""
    newest, rate = history[-1]
    before = at_or_before(history, newest - window)
    if before is None:
        return rate
    earlier, last = history[-2]
    width = newest - earlier
    left = _rate_that_left(history, before, window)
    slice_rate = max(left + window * (rate - last) / width, 0.0)
    return slice_rate - SIGNIFICANT * sqrt(slice_rate / width)


def _rate_that_left(history: History, before: tuple[float, float], window: float) -> float:
    """Rate of the slice that has just left; after a fall its own window shows older load than one around it."""
    newest, rate = history[-1]
    around = at_or_before(history, newest - window / 2)
    if around is None or before[1] <= FALLEN * rate:
        return before[1]
    return min(before[1], around[1])


def lasting_slope(history: History, window: float) -> float:
    """Per second, at least 0: a rise counts as a trend once it lasts longer than a step takes to show."""
    newest = history[-1][0]
    middle = at_or_before(history, newest - window)
    first = at_or_before(history, newest - 2 * window)
    if middle is None or first is None or first == middle:  # nothing was seen for a window
        return 0.0
    late = (history[-1][1] - middle[1]) / (newest - middle[0])
    early = (middle[1] - first[1]) / (middle[0] - first[0])
    return max(min(late, 2 * early), 0.0)


def at_or_before(history: History, at: float) -> tuple[float, float] | None:
    return next((point for point in reversed(history) if point[0] <= at), None)


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
    spread = _spread(history)
    return Line(level=level, slope=slope, spread=spread) if isfinite(level + spread) else None


def _spread(history: History) -> float:
    """Standard deviation of one step from the median absolute one: a single jump does not count as noise."""
    steps = [late[1] - early[1] for early, late in pairwise(history)]
    middle = median(steps)
    return 1.4826 * median(abs(step - middle) for step in steps)
