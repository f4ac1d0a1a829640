"""What goes wrong in a run, and when: into a scenario that was made without."""

from dataclasses import replace
from enum import StrEnum

import numpy as np

from benchmarks.traces.variants import DAY_SECONDS
from inference_cost.simulate.scenario import Faults, Scenario
from inference_cost.simulate.traffic import Traffic

HOUR_SECONDS = 3600.0
OUTAGE_FROM, OUTAGE_SECONDS = DAY_SECONDS + 14 * HOUR_SECONDS, 1200.0
SLOWER_FROM, SLOWER_FACTOR = 12 * HOUR_SECONDS, 1.4
PRIOR_ERROR = 0.3
FAILING_STARTS = 0.1
UNREADY_FROM, UNREADY_SECONDS = DAY_SECONDS + 19.75 * HOUR_SECONDS, 1800.0
REJECTED_BATCHES = 2.0  # in line per replica, at most
MORE_FROM, MORE_SECONDS, MORE_FACTOR = DAY_SECONDS + 10 * HOUR_SECONDS, 7200.0, 2.5


class Fault(StrEnum):
    NONE = ""
    OUTAGE = "nothing arrives for 20 min, then all at once"
    REJECTING = "2.5 × the load for 2 h at once, Triton rejects beyond two batches"
    SLOWER = "servers 40 % slower from noon of the first day on"
    LONG_PRIOR = "priors 30 % too long"
    SHORT_PRIOR = "priors 30 % too short"
    FAILING = "10 % of the replicas never become ready"
    UNREADY = "none becomes ready for 30 min while the load rises"


_FAULTS = {
    Fault.SLOWER: Faults(slower_from=SLOWER_FROM, slower_factor=SLOWER_FACTOR),
    Fault.LONG_PRIOR: Faults(prior_error=PRIOR_ERROR),
    Fault.SHORT_PRIOR: Faults(prior_error=-PRIOR_ERROR),
    Fault.FAILING: Faults(failing_starts=FAILING_STARTS),
    Fault.UNREADY: Faults(unready_from=UNREADY_FROM, unready_until=UNREADY_FROM + UNREADY_SECONDS),
}


def with_fault(scenario: Scenario, fault: Fault) -> Scenario:
    match fault:
        case Fault.NONE:
            return scenario
        case Fault.OUTAGE:
            outage = times(scenario.traffic, 0.0, OUTAGE_FROM, OUTAGE_SECONDS)
            return replace(scenario, traffic=outage)
        case Fault.REJECTING:
            limit = REJECTED_BATCHES * scenario.service.seconds(scenario.service.max_batch)
            more = times(scenario.traffic, MORE_FACTOR, MORE_FROM, MORE_SECONDS)
            return replace(scenario, traffic=more, faults=Faults(queue_limit_seconds=limit))
        case _:
            return replace(scenario, faults=_FAULTS[fault])


def times(traffic: Traffic, factor: float, begin: float, seconds: float) -> Traffic:
    """`factor` times as many arrivals from `begin` on."""
    at = np.arange(len(traffic.counts)) * traffic.width_seconds
    inside = (at >= begin) & (at < begin + seconds)
    counts = np.where(inside, factor, 1.0) * traffic.counts
    return Traffic(width_seconds=traffic.width_seconds, counts=counts)
