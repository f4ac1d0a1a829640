"""From a finished world to the outcome of its controller: what counts after the excluded first minutes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.outcome import Course, Floats, Outcome, ReplicaHours
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.world.state import (
    BILLED_SECONDS,
    COUNTED_CHANGES,
    COUNTED_STARTS,
    DROPPED,
    LATE,
    READY_SECONDS,
    World,
)

HOUR_SECONDS = 3600.0
DAY_SECONDS = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpotBill:
    """What spot replicas were paid for, per bin; their seconds are among those that the world billed."""

    seconds: Floats  # of replicas
    dollars: Floats


def outcome_of(
    world: World,
    scenario: Scenario,
    *,
    name: str,
    kind: str,
    knob: str = "",
    notes: Sequence[str] = (),
    seconds: float = 0.0,
    decide_milliseconds_median: float | None = None,
    spot: SpotBill | None = None,
) -> Outcome:
    """Dollars at the on-demand price but for spot; warm replicas are paid for all the time."""
    conditions = world.conditions
    first = round(conditions.exclude_first / conditions.bin_seconds)
    requests = np.diff(world.arrivals.total)
    late, billed = world.course[LATE], world.course[BILLED_SECONDS]
    spot = spot or SpotBill(seconds=np.zeros_like(billed), dollars=np.zeros_like(billed))
    on_demand = np.maximum(billed - spot.seconds, 0.0)  # apart by rounding
    price = float(scenario.price_per_hour) / HOUR_SECONDS
    warm = scenario.warm_replicas * conditions.bin_seconds
    hours = ReplicaHours(
        on_demand=float(on_demand[first:].sum()) / HOUR_SECONDS,
        spot=float(spot.seconds[first:].sum()) / HOUR_SECONDS,
        warm=warm * (len(billed) - first) / HOUR_SECONDS,
    )
    # In steps a long objective has its arrivals smoothed, over the end of the excluded seconds too.
    total = float(requests[first:].sum())
    missed = min(float(late[first:].sum()), total)
    return Outcome(
        name=name,
        kind=kind,
        knob=knob,
        cost_dollars=(hours.on_demand + hours.warm) * float(scenario.price_per_hour)
        + float(spot.dollars[first:].sum()),
        replica_hours=hours,
        requests=total,
        late=missed,
        dropped=float(world.course[DROPPED, first:].sum()),
        attained_fraction=1.0 - missed / total if total > 0 else 1.0,
        worst_day_fraction=worst(
            requests[first:], late[first:], DAY_SECONDS / conditions.bin_seconds
        ),
        worst_hour_fraction=worst(
            requests[first:], late[first:], HOUR_SECONDS / conditions.bin_seconds
        ),
        starts=int(world.counts[COUNTED_STARTS]),
        scale_events=int(world.counts[COUNTED_CHANGES]),
        course=Course(
            width_seconds=conditions.bin_seconds,
            requests=requests,
            late=late.copy(),
            ready=world.course[READY_SECONDS] / conditions.bin_seconds,
            billed=(billed + warm) / conditions.bin_seconds,
            dollars=(on_demand + warm) * price + spot.dollars,
        ),
        decide_milliseconds_median=decide_milliseconds_median,
        seconds=seconds,
        notes=tuple(notes),
    )


def worst(requests: Floats, late: Floats, bins: float) -> float:
    """Lowest share in time of any span of so many bins with requests; of all where that is shorter.

    Spans follow each other from the first bin on; one more reaches to the last.
    """
    width = min(round(bins), len(requests))
    if width == 0:
        return 1.0
    starts = np.append(np.arange(0, len(requests) - width, width), len(requests) - width)
    asked, missed = (_sums(values, starts, width) for values in (requests, late))
    missed = np.minimum(missed, asked)
    busy = asked > 0
    return float(1.0 - (missed[busy] / asked[busy]).max()) if busy.any() else 1.0


def _sums(values: Floats, starts: NDArray[np.int64], width: int) -> Floats:
    total = np.concatenate(([0.0], np.cumsum(values)))
    sums: Floats = total[starts + width] - total[starts]
    return sums
