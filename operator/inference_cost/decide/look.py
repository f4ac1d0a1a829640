"""What the headroom rules are shown of one policy at one tick."""

from math import nan
from typing import Final

from inference_cost.decide.case import LONGEST_GAP, Case
from inference_cost.decide.demand import arrived
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.traffic import Traffic
from inference_cost.model.plan import Demand

MOST_REQUESTS: Final = 1e9  # per second: what is above it is an error
AT_ONCE: Final = 1e-3  # seconds: two looks are never at one time


def interrupted(case: Case) -> bool:
    """Whether it is not known what came since the last look."""
    return not 0 < case.at - case.memory.looked_at <= LONGEST_GAP * case.tick_seconds


def look_of(case: Case, seen: Traffic, demand: Demand) -> Look:
    """After a break the look stands for one tick. All are floats: other types would be compiled anew."""
    tick = case.tick_seconds
    since = tick if interrupted(case) else case.at - case.memory.looked_at
    latest = max(seen.latest + _unseen(seen, demand), 0.0)
    return Look(
        at=float(case.at),
        tick=float(tick),
        seconds=float(max(since, AT_ONCE)),
        rate=float(min(demand.now, MOST_REQUESTS)),
        latest=float(min(latest, MOST_REQUESTS)),
        window=float(case.settings.rate_window_seconds),
        start_up=float(case.order_seconds),
        lead=float(case.lead_seconds),
        waiting=float(demand.backlog) if seen.pending_known else nan,
    )


def _unseen(seen: Traffic, demand: Demand) -> float:
    """What a gateway sees beyond the servers' own count is spread evenly over the window.

    While a server is new in the window it is what came before that server's first sample, and is over.
    """
    return demand.now - arrived(seen) if seen.settled else 0.0
