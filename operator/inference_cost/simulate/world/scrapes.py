"""What monitoring keeps of the fleet: counters of each replica as of the last scrapes, figures of the fleet.

Scrapes come at fixed times, and the newest one that a controller may see is `lag_seconds` old. A scrape can be
missing for one replica.
"""

import numpy as np

from inference_cost.simulate.compiled import compiled
from inference_cost.simulate.world.state import (
    BUSY,
    COLUMNS,
    COMPLETED,
    IN_FLIGHT_SECONDS,
    LIVE,
    NOW,
    P90_SECONDS,
    PENDING,
    REQUESTS,
    SCRAPES,
    SCRAPES_KEPT,
    TRAIL,
    TRAIL_AT,
    TRAIL_BUSY,
    TRAIL_COMPLETED,
    TRAIL_IN_FLIGHT_SECONDS,
    TRAIL_KEPT,
    TRAIL_P90_SECONDS,
    TRAIL_WAITING,
    WAITING,
    Floats,
    World,
)

# Columns of a counter window: differences of the counters, then these.
PENDING_CHANGE = COLUMNS
FIRST_AT = COLUMNS + 1
LAST_AT = COLUMNS + 2
SAMPLES = COLUMNS + 3
# Between the newest two samples.
LATEST_SECONDS = COLUMNS + 4
LATEST_REQUESTS = COLUMNS + 5
LATEST_PENDING_CHANGE = COLUMNS + 6
WINDOW_COLUMNS = COLUMNS + 7


@compiled
def scrape_time(world: World, number: int) -> float:
    return world.conditions.scrape_offset + number * world.conditions.scrape_seconds


@compiled
def next_scrape(world: World) -> float:
    return scrape_time(world, world.counts[SCRAPES])


@compiled
def scrape(world: World) -> None:
    """Keep the counters of all replicas that serve."""
    replicas, number = world.replicas, world.counts[SCRAPES]
    for i in range(world.counts[LIVE]):
        slot = replicas.listed[i]
        if replicas.serves[slot] == 1:
            if replicas.first_scrape[slot] < 0:
                replicas.first_scrape[slot] = number
            world.scraped[number % SCRAPES_KEPT, slot, :] = world.counters[slot, :]
    world.counts[SCRAPES] += 1


@compiled
def note(world: World) -> None:
    """Append the fleet's figures to the trail."""
    numbers, row = world.numbers, world.counts[TRAIL] % TRAIL_KEPT
    world.trail[row, TRAIL_AT] = numbers[NOW]
    world.trail[row, TRAIL_IN_FLIGHT_SECONDS] = numbers[IN_FLIGHT_SECONDS]
    world.trail[row, TRAIL_WAITING] = numbers[WAITING]
    world.trail[row, TRAIL_BUSY] = numbers[BUSY]
    world.trail[row, TRAIL_COMPLETED] = numbers[COMPLETED]
    world.trail[row, TRAIL_P90_SECONDS] = numbers[P90_SECONDS]
    world.counts[TRAIL] += 1


@compiled
def seen_scrape(world: World, replica: int, number: int) -> bool:
    """Whether this scrape of this replica arrived; decided by a hash, so that all runs miss the same ones."""
    fraction = world.conditions.missing_fraction
    if fraction <= 0:
        return True
    mixed = np.uint64(world.conditions.seed) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= np.uint64(replica + 1) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= np.uint64(number + 1) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    mixed ^= mixed >> np.uint64(32)
    return bool((mixed >> np.uint64(11)) * 2.0**-53 >= fraction)


@compiled
def counter_windows(world: World, window_seconds: float, windows: Floats) -> None:
    """Increases over the visible scrapes of the last `window_seconds`: a row of `windows` per listed replica.

    Columns as of the counters, then `PENDING_CHANGE`, `FIRST_AT`, `LAST_AT` (seconds), `SAMPLES`
    and those of the newest gap; with one sample the increases are zero, without any everything is.
    """
    now, newest = world.numbers[NOW], world.counts[SCRAPES] - 1
    visible = now - world.conditions.lag_seconds + 1e-6
    while newest >= 0 and scrape_time(world, newest) > visible:
        newest -= 1
    oldest = newest
    while oldest > 0 and scrape_time(world, oldest - 1) > now - window_seconds + 1e-6:
        oldest -= 1
    for i in range(world.counts[LIVE]):
        windows[i, :] = 0.0
        _window(world, world.replicas.listed[i], oldest, newest, windows[i])


@compiled
def _window(world: World, slot: int, oldest: int, newest: int, window: Floats) -> None:
    replicas = world.replicas
    if replicas.first_scrape[slot] < 0:
        return
    first, before_last, last, samples = -1, -1, -1, 0
    for number in range(max(oldest, replicas.first_scrape[slot]), newest + 1):
        if seen_scrape(world, replicas.number[slot], number):
            first = number if samples == 0 else first
            before_last = last if samples else number
            last = number
            samples += 1
    window[SAMPLES] = samples
    if samples == 0:
        return
    window[FIRST_AT] = scrape_time(world, first)
    window[LAST_AT] = scrape_time(world, last)
    before = world.scraped[first % SCRAPES_KEPT, slot]
    after = world.scraped[last % SCRAPES_KEPT, slot]
    window[:COLUMNS] = after - before
    window[PENDING] = after[PENDING]
    window[PENDING_CHANGE] = after[PENDING] - before[PENDING]
    before = world.scraped[before_last % SCRAPES_KEPT, slot]
    window[LATEST_SECONDS] = scrape_time(world, last) - scrape_time(world, before_last)
    window[LATEST_REQUESTS] = after[REQUESTS] - before[REQUESTS]
    window[LATEST_PENDING_CHANGE] = after[PENDING] - before[PENDING]
