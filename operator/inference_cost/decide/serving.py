"""What one replica serves and makes late, as the headroom rules want it."""

from functools import lru_cache
from typing import Final

import numpy as np

from inference_cost.decide.headroom.lateness import most_in_time
from inference_cost.decide.headroom.learned import Floats
from inference_cost.decide.headroom.shadow import Serving, late_at
from inference_cost.decide.latency.loads import late_shares, queue_seconds, threshold_seconds
from inference_cost.decide.latency.routing import NO_GAIN, Gains, gain
from inference_cost.decide.latency.tables import Replica
from inference_cost.decide.limits.stabilize import Bounds
from inference_cost.decide.pods import Fleet
from inference_cost.decide.replica.profile import Capability
from inference_cost.model.plan import Profile
from inference_cost.model.policy import (
    LatencyObjective,
    Objective,
    ServiceObjective,
)
from inference_cost.model.reading import Missing, MissingReason

LOADS: Final = np.linspace(0.0, 1.0, 41)  # shares of capacity
RESIDUAL: Final = 1.3  # of a full batch: what a request behind a backlog waits and takes itself
LONGEST_WAIT_SECONDS: Final = 30.0  # or five times the objective: clients give up
LONGEST_WAIT_OBJECTIVES: Final = 5.0
DIGITS: Final = (
    3  # of times: finer differences do not matter, and would each need a curve of their own
)
CURVES_KEPT: Final = 4096


def serving(
    capability: Capability,
    profile: Profile,
    objective: ServiceObjective,
    bounds: Bounds,
    fleet: Fleet,
) -> Serving:
    """Of the fleet as it is. `profile`: that of the capability. Types are exact: others would be compiled anew."""
    full = profile.alpha_seconds + profile.beta_seconds * profile.max_batch_size
    late, threshold = _late(capability, profile, objective), threshold_seconds(objective)
    return Serving(
        capacity=float(profile.capacity_per_replica),
        load=float(profile.load_per_replica),
        goodput=most_in_time(LOADS, late) * profile.capacity_per_replica,
        wait_allowed=float(max(threshold - RESIDUAL * full, 0.0)),
        longest_wait=float(max(LONGEST_WAIT_SECONDS, LONGEST_WAIT_OBJECTIVES * threshold)),
        threshold=float(threshold),
        late=late,
        gains=_gains(capability.gains),
        lowest=bounds.lowest,
        highest=bounds.highest,
        ready=fleet.ready,
    )


def any_serving() -> Serving:
    """Of no fleet in particular; of the same types as `serving`."""
    return Serving(
        capacity=1.0,
        load=1.0,
        goodput=most_in_time(LOADS, _none_late()),
        wait_allowed=1.0,
        longest_wait=1.0,
        threshold=1.0,
        late=_none_late(),
        gains=_gains(NO_GAIN),
        lowest=1,
        highest=1,
        ready=1,
    )


def _late(capability: Capability, profile: Profile, objective: ServiceObjective) -> Floats:
    """(41,) shares late at even loads from 0 to capacity."""
    usual = profile.load_per_replica / profile.capacity_per_replica
    if capability.replica is None or not capability.reachable:
        return _none_late()
    if not isinstance(objective, LatencyObjective):
        return _late_above(round(usual, DIGITS))
    replica = likeliest(profile, capability.replica)
    return late_by_load(replica, objective.threshold_seconds, round(capability.stretch, 2))


def late_among(
    capability: Capability, objective: Objective, per_second: float, replicas: int
) -> float | Missing:
    """Share of requests later than the objective at an even load, as the headroom rules reckon."""
    profile, replica = capability.profile, capability.replica
    if isinstance(profile, Missing):
        return profile
    if replicas < 1:
        return Missing(reason=MissingReason.NO_READY_PODS)
    if replica is None or not capability.reachable or not isinstance(objective, LatencyObjective):
        return Missing(reason=MissingReason.NOT_LEARNED, detail=capability.outside)
    late = _late(capability, profile, objective)
    each = profile.capacity_per_replica * gain(capability.gains, replicas)
    return late_at(late, per_second / (replicas * each))


def likeliest(profile: Profile, sized: Replica) -> Replica:
    """The replica that is sized with, without the margin for what is not known."""
    return Replica(
        alpha_seconds=_rounded(profile.alpha_seconds),
        beta_seconds=_rounded(profile.beta_seconds),
        max_batch_size=sized.max_batch_size,
        batching=sized.batching,
        queue_delay_seconds=_rounded(sized.queue_delay_seconds),
    )


def _rounded(seconds: float) -> float:
    return float(f"{seconds:.{DIGITS}g}") if seconds > 0 else 0.0


@lru_cache(maxsize=1)
def _none_late() -> Floats:
    """Where lateness by load is not known, or does not depend on it."""
    return _constant(np.zeros(len(LOADS)))


@lru_cache(maxsize=CURVES_KEPT)
def _late_above(load: float) -> Floats:
    """Of a mean: all requests of a time in which it is above the objective."""
    return _constant((load < LOADS).astype(np.float64))


@lru_cache(maxsize=CURVES_KEPT)
def late_by_load(replica: Replica, threshold: float, stretch: float = 1.0) -> Floats:
    return _constant(late_shares(replica, threshold, stretch * LOADS))


@lru_cache(maxsize=CURVES_KEPT)
def queue_by_load(replica: Replica) -> Floats:
    """(41,) mean seconds in Triton's queue; at capacity itself twice those just below it."""
    waits = queue_seconds(replica, LOADS[:-1])
    return _constant(np.append(waits, 2 * waits[-1]))


@lru_cache(maxsize=CURVES_KEPT)
def _gains(gains: Gains) -> Floats:
    return _constant(np.array(gains))


def _constant(values: Floats) -> Floats:
    """Not to be changed: some are shared between ticks, and all are of one type for the compiled functions."""
    values.flags.writeable = False
    return values
