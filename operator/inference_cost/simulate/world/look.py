"""What an autoscaler's metrics show it now: offered rate, requests in flight, latency, as old as the lag makes them."""

from math import nan

import numpy as np

from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.world.scrapes import scrape_time, seen_scrape
from inference_cost.simulate.world.state import (
    LIVE,
    NOW,
    READY,
    SCRAPES,
    TRAIL,
    TRAIL_AT,
    TRAIL_BUSY,
    TRAIL_COMPLETED,
    TRAIL_IN_FLIGHT_SECONDS,
    TRAIL_KEPT,
    TRAIL_P90_SECONDS,
    TRAIL_WAITING,
    World,
)

STABLE_SECONDS = 60.0
LOOK_BACK_SECONDS = 300.0  # Prometheus answers nothing from older samples
PANIC_SECONDS = 6.0
GATEWAY = -1  # its scrapes are missed independently of the replicas'


@compiled
def look(world: World) -> Seen:
    """Through scrapes, as HPA, KEDA and WVA read Prometheus."""
    return _look(world, _newest_scrape(world))


@compiled
def look_directly(world: World) -> Seen:
    """Through a pipeline of its own, as Knative's autoscaler: no scrapes to miss; the lag is the same."""
    at = world.numbers[NOW] - world.conditions.lag_seconds
    return _look(world, at if at > 0 else nan)


@compiled
def _newest_scrape(world: World) -> float:
    visible = world.numbers[NOW] - world.conditions.lag_seconds + 1e-6
    number = world.counts[SCRAPES] - 1
    while number >= 0 and (
        scrape_time(world, number) > visible or not seen_scrape(world, GATEWAY, number)
    ):
        number -= 1
    at = scrape_time(world, number)
    known = number >= 0 and at > 0 and at >= world.numbers[NOW] - LOOK_BACK_SECONDS
    return at if known else nan


@compiled
def _look(world: World, at: float) -> Seen:
    """What was known at `at`; nothing when that is NaN."""
    conditions = world.conditions
    figures = np.full(7, nan)
    if not np.isnan(at):
        figures[0] = _rate(world, at, STABLE_SECONDS)
        figures[1] = _rate(world, at, PANIC_SECONDS)
        figures[2] = _in_flight(world, at, STABLE_SECONDS)
        figures[3] = _in_flight(world, at, PANIC_SECONDS)
        figures[4] = _largest(world, at, TRAIL_WAITING)
        figures[5] = _largest(world, at, TRAIL_BUSY)
        figures[6] = _latency_p90(world, at)
    return Seen(
        world.numbers[NOW],
        figures[0],
        figures[1],
        figures[2],
        figures[3],
        figures[4],
        figures[5],
        figures[6],
        world.counts[READY],
        world.counts[LIVE],
        conditions.load_per_replica,
        conditions.in_flight_per_replica,
        conditions.threshold,
        conditions.min_replicas,
        conditions.max_replicas,
    )


@compiled
def _largest(world: World, at: float, column: int) -> float:
    """Most in the stable window, the state at its beginning included."""
    number, largest = world.counts[TRAIL] - 1, 0.0
    oldest = max(number - TRAIL_KEPT + 2, 0)
    while number >= oldest:
        row = world.trail[number % TRAIL_KEPT]
        if row[TRAIL_AT] <= at + 1e-6:
            largest = max(largest, row[column])
        if row[TRAIL_AT] <= at - STABLE_SECONDS:
            break
        number -= 1
    return largest


@compiled
def _latency_p90(world: World, at: float) -> float:
    """Mean over the requests completed in the stable window; NaN without one."""
    late, early = _entry(world, at), _entry(world, max(at - STABLE_SECONDS, 0.0))
    completed = world.trail[late, TRAIL_COMPLETED] - world.trail[early, TRAIL_COMPLETED]
    if completed <= 0:
        return nan
    seconds = world.trail[late, TRAIL_P90_SECONDS] - world.trail[early, TRAIL_P90_SECONDS]
    return float(seconds / completed)


@compiled
def arrived(world: World, at: float) -> float:
    """Requests that arrived before `at`; in steps they come evenly within their bin."""
    total, width = world.arrivals.total, world.conditions.bin_seconds
    if len(world.arrivals.times):
        return float(np.searchsorted(world.arrivals.times, at))
    i = min(int(max(at, 0.0) / width + 1e-9), len(total) - 2)
    return float(total[i] + (total[i + 1] - total[i]) * (max(at, 0.0) / width - i))


@compiled
def _rate(world: World, at: float, seconds: float) -> float:
    since = max(at - seconds, 0.0)
    return (arrived(world, at) - arrived(world, since)) / (at - since) if at > since else 0.0


@compiled
def _entry(world: World, at: float) -> int:
    """Row of the newest trail entry that is not younger than `at`."""
    number = world.counts[TRAIL] - 1
    oldest = max(number - TRAIL_KEPT + 2, 0)
    while number > oldest and world.trail[number % TRAIL_KEPT, TRAIL_AT] > at + 1e-6:
        number -= 1
    return int(max(number, 0) % TRAIL_KEPT)


@compiled
def _in_flight(world: World, at: float, seconds: float) -> float:
    late, early = _entry(world, at), _entry(world, max(at - seconds, 0.0))
    width = world.trail[late, TRAIL_AT] - world.trail[early, TRAIL_AT]
    if width <= 0:
        return 0.0
    total = TRAIL_IN_FLIGHT_SECONDS
    return float((world.trail[late, total] - world.trail[early, total]) / width)
