"""Predicted against observed: how far the latency model is off for one pod template, and what follows from it.

Two observations, each compared with what the model says of the loads that every pod really had: how long requests
waited in Triton, and how many a gateway saw late. Only windows of ordinary operation count. Where less is certain
than the model's own margin, nothing follows.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

import numpy as np

from inference_cost.decide import stretch
from inference_cost.decide.attainment import late_between
from inference_cost.decide.case import Case
from inference_cost.decide.demand import shed
from inference_cost.decide.headroom.learned import Floats
from inference_cost.decide.latency.loads import LARGEST_LOAD
from inference_cost.decide.latency.routing import NO_GAIN, gain
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.learning import is_steady
from inference_cost.decide.limits.guard import Verdict
from inference_cost.decide.replica.profile import Capability
from inference_cost.decide.server_latency import told
from inference_cost.decide.serving import late_by_load, likeliest, queue_by_load
from inference_cost.decide.traffic import Traffic
from inference_cost.model.memory import Calibration, Compared
from inference_cost.model.plan import LimitedBy, Profile, Reason
from inference_cost.model.policy import DrainObjective, LatencyObjective
from inference_cost.model.profile_key import ProfileKey
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import Signals

BUSY: Final = 0.5  # of the largest load: below, there is little to measure
OVERLOADED: Final = 1.05  # times the largest load: late because replicas are too few
FEWEST_REQUESTS: Final = 100.0  # in a window
RESOLUTION_SECONDS: Final = 0.001  # of a mean queue time
QUEUE_LIMIT: Final = 1.25  # waiting is not what the objective is about
GATEWAY_LIMIT: Final = 1.5
RELIEF_LIMIT: Final = (
    1 / 1.15
)  # a load may be taken as so much less, and only where a gateway shows it
EASED: Final = 0.5 ** (1 / 240)  # per window
HELD: Final = 0.5  # of the late requests that are allowed: few enough to ease a correction
TELLING: Final = 0.25  # of them: predicted, so that fewer can be seen
CLOSE: Final = 0.8  # of them: enough to correct further
MISSED: Final = 2.0  # standard deviations above what is allowed
LOADS_DIFFER: Final = 12.0  # what was seen at higher loads says less of those after a correction
LEAST_KEPT: Final = 0.3
WRONG_SECONDS: Final = 600.0
NOT_MEASURED: Final = Missing(reason=MissingReason.NOT_CONFIGURED)


def calibrate(case: Case, seen: Traffic, can: Capability) -> tuple[Calibration, Capability]:
    """With what this window adds, and the capability as calibrated. Where requests may wait, a queue says nothing."""
    before = case.memory.calibration
    if isinstance(case.observation.policy.objective, DrainObjective):
        return before, can
    if can.kinds or isinstance(can.profile, Missing):  # the model is of one of several kinds
        return before, _corrected(can, before)
    state = _compared(case, seen, can, _of(before, can.profile.key))
    return state, _corrected(can, state)


def inaccurate(state: Calibration, at: float) -> Verdict | None:
    """A model that even calibrated did not explain the last ten minutes of steady windows."""
    if state.wrong_seconds < WRONG_SECONDS or at - state.compared_at > WRONG_SECONDS:
        return None
    measure, seen = ("late", state.late) if stretch.enough(state.late) else ("queue", state.queue)
    each = max(seen.requests, 1.0)
    values = (
        ("measure", measure),
        ("observed", seen.observed / each),
        ("predicted", stretch.predicted_as_is(seen) / each),
    )
    reason = Reason(code="model-inaccurate", values=values)
    return Verdict(limited_by=LimitedBy.MODEL_INACCURATE, reason=reason)


def _of(state: Calibration, key: ProfileKey) -> Calibration:
    """A new kind of replica begins as cautious as the one before was."""
    if state.is_of(key):
        return state
    return Calibration(
        template_hash=key.template_hash,
        gpu_product=key.gpu_product,
        model_version=key.model_version,
        factor=max(state.factor, 1.0),
    )


def _corrected(can: Capability, state: Calibration) -> Capability:
    profile = can.profile
    if isinstance(profile, Missing) or (not state.estimate and state.factor == 1.0):
        return can
    beyond = _beyond_margin(state.factor, profile)
    profile = replace(
        profile,
        load_per_replica=min(
            profile.load_per_replica / beyond, LARGEST_LOAD * profile.capacity_per_replica
        ),
        calibration=state.estimate or None,
    )
    return replace(can, profile=profile, stretch=beyond)


def _beyond_margin(factor: float, profile: Profile) -> float:
    """The largest load has a margin already."""
    return factor if factor < 1.0 else max(factor / (1 + profile.error_fraction), 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Of each pod, its load as a share of capacity and its requests; and what was waited for in all."""

    loads: Floats
    requests: Floats
    count: float
    queue_seconds: float


def _compared(case: Case, seen: Traffic, can: Capability, state: Calibration) -> Calibration:
    profile, replica = can.profile, can.replica
    if isinstance(profile, Missing) or replica is None or not (can.learned and can.reachable):
        return state
    if _disturbed(case, seen):
        return replace(state, disturbed_at=case.at)
    seconds = max(seen.seconds, seen.gateway_seconds)
    if case.at - max(state.compared_at, state.disturbed_at) < seconds:
        return state
    window = _window(seen, profile.capacity_per_replica * gain(can.gains, case.fleet.ready))
    largest = profile.load_per_replica / profile.capacity_per_replica
    relieved = largest / min(state.factor, 1.0)
    if window.loads.max() > OVERLOADED * relieved:  # and a window later what piled up is answered
        return replace(state, disturbed_at=case.at + seconds)
    if (
        window.count < FEWEST_REQUESTS
        or window.loads @ window.requests < BUSY * largest * window.count
    ):
        return state
    likely = likeliest(profile, replica)
    bound, late, doubtful = _late(case, told(case, seen), likely, window, state)
    state = replace(
        state,
        queue=_queue(profile, likely, window, state.queue),
        late=late,
        bound_seconds=bound,
        doubtful=doubtful,
        compared_at=case.at,
    )
    return _judged(case, can, profile, state, seconds)


def _disturbed(case: Case, seen: Traffic) -> bool:
    """Whether there are other reasons to be late than a wrong model."""
    return (
        case.fleet.rolling_out
        or bool(case.slow)
        or seen.partial
        or seen.coverage < 1.0
        or seen.failed > 0
        or shed(seen)
        or not is_steady(seen)
        or not seen.settled
    )


def _window(seen: Traffic, capacity: float) -> _Window:
    requests = [sum(window.requests for window in pod.windows) for pod in seen.pods]
    seconds = [max(window.seconds for window in pod.windows) for pod in seen.pods]
    waited = sum(window.queue_seconds for pod in seen.pods for window in pod.windows)
    counts = np.array(requests)
    loads = counts / np.array(seconds) / capacity
    return _Window(loads=loads, requests=counts, count=sum(requests), queue_seconds=waited)


def _late(
    case: Case,
    signals: Signals | Missing,
    replica: Replica,
    window: _Window,
    state: Calibration,
) -> tuple[float, Compared, float]:
    """With the bound, and the requests that may be late beside those that are."""
    objective = case.observation.policy.objective
    measured: tuple[float, float, float, float] | Missing = NOT_MEASURED
    if isinstance(objective, LatencyObjective) and not isinstance(signals, Missing):
        measured = late_between(objective, signals)
    before, doubted = state.late, stretch.KEPT * state.doubtful
    if isinstance(measured, Missing) or measured[3] < FEWEST_REQUESTS:
        return state.bound_seconds, stretch.faded(before), doubted
    bound, late, doubtful, requests = measured
    if bound != state.bound_seconds:
        before, doubted = Compared(), 0.0
    seen_here = window.requests * (requests / window.count)
    predicted = stretch.expected(late_by_load(replica, bound), window.loads, seen_here)
    return bound, stretch.counted(before, late, predicted, requests), doubted + doubtful


def _queue(profile: Profile, replica: Replica, window: _Window, before: Compared) -> Compared:
    """With a queue delay, or several instances, waiting is not what the table says."""
    if replica.batching is not Batching.GREEDY or profile.instances > 1:
        return stretch.faded(before)
    predicted = stretch.expected(queue_by_load(replica), window.loads, window.requests)
    if predicted[0] < RESOLUTION_SECONDS * window.count:
        return stretch.faded(before)
    return stretch.summed(before, window.queue_seconds, predicted, window.count)


def _judged(
    case: Case, can: Capability, profile: Profile, state: Calibration, seconds: float
) -> Calibration:
    objective = case.observation.policy.objective
    if stretch.enough(state.late) and isinstance(objective, LatencyObjective):
        allowed = (1 - objective.target_fraction) * state.late.requests
        return _by_gateway(can, profile, state, allowed, seconds)
    if stretch.enough(state.queue):
        certain = stretch.at_least(state.queue)
        least = state.factor if state.late.windows >= 1.0 else 1.0  # a gateway showed more
        wrong = certain > QUEUE_LIMIT * (1 + profile.error_fraction)
        return replace(
            state,
            factor=max(min(certain, QUEUE_LIMIT), least),
            estimate=stretch.stretch(state.queue),
            wrong_seconds=state.wrong_seconds + seconds if wrong else 0.0,
        )
    return state


def _too_late(state: Calibration, allowed: float) -> bool:
    """A model that was trusted is not mistrusted for a chance; one that is corrected already may be so further."""
    chance = sqrt(state.late.variance)
    if state.factor > 1.0:
        return state.late.observed - chance > CLOSE * allowed
    missed = state.late.observed - MISSED * chance > allowed
    return missed and stretch.at_least(state.late) > 1.0


def _by_gateway(
    can: Capability, profile: Profile, state: Calibration, allowed: float, seconds: float
) -> Calibration:
    """Up at once where the objective is missed for certain; down slowly, and while it clearly holds."""
    if _too_late(state, allowed):
        return _corrected_further(profile, state, allowed, seconds)
    target = _relief(state, allowed) if can.gains == NO_GAIN else 1.0
    factor = max(state.factor, target)
    if state.late.observed + state.doubtful <= HELD * allowed:
        factor = max(state.factor * EASED, target)
    return replace(state, factor=factor, estimate=_estimate(state, allowed), wrong_seconds=0.0)


def _corrected_further(
    profile: Profile, state: Calibration, allowed: float, seconds: float
) -> Calibration:
    surely = state.late.observed - MISSED * sqrt(state.late.variance) > allowed
    wrong = surely and stretch.at_least(state.late) > 1 + profile.error_fraction
    estimate = stretch.stretch(state.late)
    factor = max(state.factor, min(estimate, GATEWAY_LIMIT))
    kept = max((state.factor / factor) ** LOADS_DIFFER, LEAST_KEPT)
    return replace(
        state,
        late=stretch.faded(state.late, kept) if kept < 1.0 else state.late,
        factor=factor,
        estimate=estimate,
        wrong_seconds=state.wrong_seconds + seconds if wrong else 0.0,
    )


def _estimate(state: Calibration, allowed: float) -> float:
    """By the gateway where it had something to count."""
    if max(state.late.observed, stretch.predicted_as_is(state.late)) >= TELLING * allowed:
        return stretch.stretch(state.late)
    return stretch.stretch(state.queue) if stretch.enough(state.queue) else 0.0


def _relief(state: Calibration, allowed: float) -> float:
    """Only where the model says of these very loads that there is something to see."""
    if stretch.predicted_as_is(state.late) < TELLING * allowed:
        return 1.0
    return min(max(stretch.at_most(state.late, state.doubtful), RELIEF_LIMIT), 1.0)
