"""What an autoscaler's metrics show it now: offered rate, requests in flight, latency, as old as the lag makes them."""

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
    TRAIL_IN_FLIGHT_SECONDS,
    TRAIL_KEPT,
    TRAIL_P90,
    TRAIL_WAITING,
    World,
)

STABLE_SECONDS = 60.0
PANIC_SECONDS = 6.0
GATEWAY = -1  # its scrapes are missed independently of the replicas'


@compiled
def look(world: World) -> Seen:
    """Through scrapes, as HPA, KEDA and WVA read Prometheus."""
    return _look(world, _newest_scrape(world))


@compiled
def look_directly(world: World) -> Seen:
    """Through a pipeline of its own, as Knative's autoscaler; the lag is the same."""
    return _look(world, max(world.numbers[NOW] - world.conditions.lag_seconds, 0.0))


@compiled
def _newest_scrape(world: World) -> float:
    visible = world.numbers[NOW] - world.conditions.lag_seconds + 1e-6
    number = world.counts[SCRAPES] - 1
    while number >= 0 and (
        scrape_time(world, number) > visible or not seen_scrape(world, GATEWAY, number)
    ):
        number -= 1
    return max(scrape_time(world, number), 0.0) if number >= 0 else 0.0


@compiled
def _look(world: World, at: float) -> Seen:
    conditions, newest = world.conditions, _entry(world, at)
    return Seen(
        world.numbers[NOW],
        _rate(world, at, STABLE_SECONDS),
        _rate(world, at, PANIC_SECONDS),
        _in_flight(world, at, STABLE_SECONDS),
        _in_flight(world, at, PANIC_SECONDS),
        world.trail[newest, TRAIL_WAITING],
        world.trail[newest, TRAIL_BUSY],
        world.trail[newest, TRAIL_P90],
        world.counts[READY],
        world.counts[LIVE],
        conditions.load_per_replica,
        conditions.in_flight_per_replica,
        conditions.threshold,
        conditions.min_replicas,
        conditions.max_replicas,
    )


@compiled
def arrived(world: World, at: float) -> float:
    """Requests that arrived before `at`."""
    total, width = world.arrivals.total, world.conditions.bin_seconds
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
