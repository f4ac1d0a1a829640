"""All spot in the cheapest zone, with on-demand replicas for what is missing there.

Source: the plain use of one spot node pool with a fallback, as in skypilot-org/skypilot, sky/serve/autoscalers.py
(dynamic_ondemand_fallback without a spot placer): on-demand wanted = spot wanted - spot ready.
"""

from typing import NamedTuple

import numpy as np

from inference_cost.simulate.baselines.spot_seen import SpotSeen, Zones
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = 20.0  # AUTOSCALER_DEFAULT_DECISION_INTERVAL_SECONDS


class Knobs(NamedTuple):
    """On-demand replicas that are kept in any case (base_ondemand_fallback_replicas)."""

    base_on_demand: int = 0


class State(NamedTuple):
    zone: Zones  # length 1: cheapest at the first look, kept; -1: no look yet


DEFAULT = Knobs()
GRID = tuple(Knobs(base) for base in (0, 1, 2, 4, 8))


def label(knobs: Knobs) -> str:
    return f"on demand at least {knobs.base_on_demand}"


def new_state(_knobs: Knobs, _zones: int) -> State:
    return State(np.full(1, -1, dtype=np.int64))


@compiled
def desired(seen: SpotSeen, wanted_spot: Zones, knobs: Knobs, state: State) -> int:
    if state.zone[0] < 0:
        state.zone[0] = np.argmin(seen.price)
    zone = state.zone[0]
    base = min(knobs.base_on_demand, seen.demand)
    wanted_spot[:] = 0
    wanted_spot[zone] = seen.demand - base
    missing: int = max(0, seen.demand - base - seen.ready_spot[zone])
    return base + missing
