"""The same traffic, changed in a way that a policy must not care about."""

from enum import StrEnum

import numpy as np

from inference_cost.simulate.traffic import Floats, Traffic, from_times

DAY_SECONDS = 86400.0
SHIFT_SECONDS = 7 * 3600.0


class Variant(StrEnum):
    RECORDED = "as recorded"
    SHIFTED = "shifted"
    REVERSED = "reversed"
    TRIPLED = "× 3"  # prepared with three times the rate; the servers stay as they are

    @property
    def factor(self) -> float:
        return 3.0 if self is Variant.TRIPLED else 1.0


def part(traffic: Traffic, start_seconds: float, end_seconds: float) -> Traffic:
    """The arrivals between two times, counted from the first."""
    ends = traffic.until(end_seconds)
    begin = round(start_seconds / traffic.width_seconds)
    if ends.times is None:
        return Traffic(width_seconds=traffic.width_seconds, counts=ends.counts[begin:])
    times = ends.times - begin * traffic.width_seconds
    return _of_times(times[times >= 0], traffic.width_seconds, len(ends.counts) - begin)


def shifted(traffic: Traffic) -> Traffic:
    """Begins 7 hours later (a third of the way into traces under a day); what was cut off follows at the end."""
    shift = SHIFT_SECONDS if traffic.seconds >= DAY_SECONDS else traffic.seconds / 3
    bins = round(shift / traffic.width_seconds)
    if traffic.times is None:
        return Traffic(width_seconds=traffic.width_seconds, counts=np.roll(traffic.counts, -bins))
    times = np.sort((traffic.times - bins * traffic.width_seconds) % traffic.seconds)
    return _of_times(times, traffic.width_seconds, len(traffic.counts))


def reversed_in_time(traffic: Traffic) -> Traffic:
    """The last request comes first: steep ramps become steep falls."""
    if traffic.times is None:
        return Traffic(width_seconds=traffic.width_seconds, counts=traffic.counts[::-1].copy())
    times = np.nextafter(traffic.seconds, 0.0) - traffic.times[::-1]
    return _of_times(times, traffic.width_seconds, len(traffic.counts))


def varied(traffic: Traffic, variant: Variant) -> Traffic:
    """`traffic` was already prepared with the variant's factor."""
    match variant:
        case Variant.SHIFTED:
            return shifted(traffic)
        case Variant.REVERSED:
            return reversed_in_time(traffic)
        case Variant.RECORDED | Variant.TRIPLED:
            return traffic


def _of_times(times: Floats, width_seconds: float, bins: int) -> Traffic:
    """As `from_times`, with empty bins at the end where the last request comes early."""
    made = from_times(times, width_seconds)
    counts = np.concatenate((made.counts, np.zeros(bins - len(made.counts))))
    return Traffic(width_seconds=width_seconds, counts=counts, times=times)
