"""Knative's KPA on concurrency or on requests per second.

Source: knative/serving, pkg/autoscaler/scaling/autoscaler.go, pkg/reconciler/autoscaling/kpa/scaler.go and
config/core/configmaps/autoscaler.yaml (2026-08-21).
containerConcurrency is the number of requests in flight of a replica at its load, the target of requests per second
is that load; both times a utilization of 0.70. Metrics are totals over the revision, averaged over 60 s and 6 s.
"""

from math import isnan, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.baselines.rings import Ring, largest_since, new_ring, push
from inference_cost.simulate.baselines.rounding import whole_up
from inference_cost.simulate.baselines.seen import Seen
from inference_cost.simulate.baselines.targets import DEFAULT_TARGET, TARGETS
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = 2.0  # tick-interval
STABLE_SECONDS = 60.0  # stable-window; the panic window is a tenth of it
PANIC_THRESHOLD = 2.0  # panic-threshold-percentage 200
MAX_SCALE_UP_RATE = 1000
MAX_SCALE_DOWN_RATE = 2
MIN_TARGET = 0.01
ZERO_GRACE_SECONDS = 30.0  # scale-to-zero-grace-period

_PANIC, _ZERO = 0, 1  # slots of State.since


class Knobs(NamedTuple):
    """Target is a share of what one replica carries (target-percentage)."""

    target: float = DEFAULT_TARGET
    scale_down_delay_seconds: float = 0.0
    by_rate: bool = False


DEFAULT = Knobs()
DEFAULT_BY_RATE = Knobs(by_rate=True)
DOWN_DELAYS_SECONDS = (0.0, 300.0)
GRID = tuple(
    Knobs(target=target, scale_down_delay_seconds=delay)
    for delay in DOWN_DELAYS_SECONDS
    for target in TARGETS
)
GRID_BY_RATE = tuple(knobs._replace(by_rate=True) for knobs in GRID)


class State(NamedTuple):
    """`since`: last tick over the panic threshold, first tick of a wish for zero; minus infinity: neither.

    NaN in `since` is the first look: with more than one replica a decider starts in panic, for lack of a history.
    """

    since: NDArray[np.float64]
    panic_pods: NDArray[np.int64]  # most that were wanted since the panic began
    wanted: Ring  # within scale-down-delay


def label(knobs: Knobs) -> str:
    return f"target {knobs.target:.2f}, down delay {knobs.scale_down_delay_seconds:.0f} s"


def new_state(knobs: Knobs, at_replicas: int) -> State:
    since = np.full(2, -np.inf)
    panic_pods = np.zeros(1, dtype=np.int64)
    if at_replicas > 1:
        since[_PANIC] = nan
        panic_pods[0] = at_replicas
    return State(since, panic_pods, new_ring(knobs.scale_down_delay_seconds, INTERVAL_SECONDS))


@compiled
def desired(seen: Seen, knobs: Knobs, state: State) -> int:
    """Replica count of one tick; the present one while there is no data."""
    if isnan(state.since[_PANIC]):
        state.since[_PANIC] = seen.at
    stable, panic, carried = seen.in_flight, seen.in_flight_6s, seen.in_flight_per_replica
    if knobs.by_rate:
        stable, panic, carried = seen.rate, seen.rate_6s, seen.load_per_replica
    if isnan(stable) or isnan(panic):
        return seen.replicas
    target = max(MIN_TARGET, carried * knobs.target)
    pods = decide(seen, whole_up(stable / target), whole_up(panic / target), state)
    if knobs.scale_down_delay_seconds > 0:
        pods = _delayed(seen.at, pods, knobs.scale_down_delay_seconds, state)
    return _applied(seen, pods, state)


@compiled
def decide(seen: Seen, stable_pods: int, panic_pods: int, state: State) -> int:
    """Stable or panic mode, from the pods that either window asks for."""
    ready = max(1, seen.ready)
    highest, lowest = MAX_SCALE_UP_RATE * ready, ready // MAX_SCALE_DOWN_RATE
    _update_panic(seen.at, panic_pods / ready >= PANIC_THRESHOLD, state)
    pods = min(max(stable_pods, lowest), highest)
    if not _in_panic(state):
        return pods
    pods = max(pods, min(max(panic_pods, lowest), highest))
    most: int = max(state.panic_pods[0], pods)
    state.panic_pods[0] = most
    return most


@compiled
def _in_panic(state: State) -> bool:
    in_panic: bool = state.since[_PANIC] > -np.inf
    return in_panic


@compiled
def _update_panic(at: float, over: bool, state: State) -> None:
    """Begin or extend while over the threshold; end when that is more than the stable window ago."""
    if over:
        state.since[_PANIC] = at
    elif _in_panic(state) and state.since[_PANIC] + STABLE_SECONDS < at:
        state.since[_PANIC] = -np.inf
        state.panic_pods[0] = 0


@compiled
def _delayed(at: float, pods: int, delay_seconds: float, state: State) -> int:
    """Most that was wanted within scale-down-delay."""
    push(state.wanted, at, pods)
    return largest_since(state.wanted, at - delay_seconds, pods)


@compiled
def _applied(seen: Seen, pods: int, state: State) -> int:
    """min-scale and max-scale; the last replica goes when zero was wanted for the grace period."""
    pods = min(max(pods, seen.min_replicas), seen.max_replicas)
    if pods > 0:
        state.since[_ZERO] = -np.inf
        return pods
    if state.since[_ZERO] == -np.inf:
        state.since[_ZERO] = seen.at
    if seen.at - state.since[_ZERO] >= ZERO_GRACE_SECONDS:
        return 0
    return min(seen.replicas, 1)
