"""SpotHedge of SkyServe: spread over zones, avoid those that took replicas away, on-demand replicas as fallback.

Source: skypilot-org/skypilot, sky/serve/spot_placer.py and sky/serve/autoscalers.py (2026); Mao et al., "SkyServe",
EuroSys 2025. Zones are active or preempted. A launch goes to the cheapest active zone that is not in use, or if all
are to the cheapest active one (of equal prices to the least used; the source leaves it open). A loss or a failed
launch makes a zone preempted, a replica that became ready makes it active; when fewer than two are active, all are.
On-demand: min(N, N + extra - ready spot).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.baselines.rounding import whole_up
from inference_cost.simulate.baselines.spot_seen import SpotSeen, Zones, alive, preferred
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = 20.0  # AUTOSCALER_DEFAULT_DECISION_INTERVAL_SECONDS
MIN_ACTIVE_ZONES = 2


class Knobs(NamedTuple):
    """Spot replicas beyond the demand, as a share of it, rounded up (num_overprovision)."""

    extra_share: float = 0.10


class State(NamedTuple):
    """Per zone."""

    active: Zones  # 1: active, 0: preempted
    asked: Zones  # spot replicas wanted at the last tick
    ready: Zones  # and ready then


DEFAULT = Knobs()
GRID = tuple(Knobs(percent / 100) for percent in (0, 10, 20, 30, 50))


def label(knobs: Knobs) -> str:
    return f"extra {knobs.extra_share:.2f}"


def new_state(_knobs: Knobs, zones: int) -> State:
    return State(
        active=np.ones(zones, dtype=np.int64),
        asked=np.zeros(zones, dtype=np.int64),
        ready=np.zeros(zones, dtype=np.int64),
    )


@compiled
def desired(seen: SpotSeen, wanted_spot: Zones, knobs: Knobs, state: State) -> int:
    _update_zones(seen, state)
    wanted = seen.demand + whole_up(seen.demand * knobs.extra_share)
    for zone in range(len(wanted_spot)):
        wanted_spot[zone] = alive(seen, zone)
    for _ in range(wanted - np.sum(wanted_spot)):
        wanted_spot[next_zone(state.active, wanted_spot, seen.price)] += 1
    for _ in range(np.sum(wanted_spot) - wanted):
        wanted_spot[_zone_to_leave(seen, wanted_spot)] -= 1
    state.asked[:] = wanted_spot
    state.ready[:] = seen.ready_spot
    missing = wanted - int(np.sum(seen.ready_spot))
    return min(seen.demand, max(0, missing))


@compiled
def _update_zones(seen: SpotSeen, state: State) -> None:
    for zone in range(len(state.active)):
        lost = seen.preempted_since_last[zone] > 0
        missing = alive(seen, zone) < state.asked[zone]  # lost, or the launch failed
        if seen.ready_spot[zone] > state.ready[zone]:
            state.active[zone] = 1
        if lost or missing:
            set_preempted(state.active, zone)


@compiled
def set_preempted(active: Zones, zone: int) -> None:
    active[zone] = 0
    if np.sum(active) < MIN_ACTIVE_ZONES:
        active[:] = 1


@compiled
def next_zone(active: Zones, used: Zones, price: NDArray[np.float64]) -> int:
    """Where the next spot replica is launched."""
    unused = np.where(used == 0, active, 0)
    candidates = unused if np.sum(unused) > 0 else active
    return preferred(candidates, price, used.astype(np.float64))


@compiled
def _zone_to_leave(seen: SpotSeen, wanted_spot: Zones) -> int:
    """Replicas that still start go first, then those of the dearest zone."""
    starting = (wanted_spot > seen.ready_spot).astype(np.int64)
    candidates = starting if np.sum(starting) > 0 else (wanted_spot > 0).astype(np.int64)
    return preferred(candidates, -seen.price, -wanted_spot.astype(np.float64))
