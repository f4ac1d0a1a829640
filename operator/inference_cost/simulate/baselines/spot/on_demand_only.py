"""Everything on demand: what a fleet costs that never uses spot capacity."""

from typing import NamedTuple

from inference_cost.simulate.baselines.spot_seen import SpotSeen, Zones
from inference_cost.simulate.compiled import compiled

INTERVAL_SECONDS = 20.0


class Knobs(NamedTuple):
    """On-demand replicas beyond the demand."""

    extra: int = 0


class State(NamedTuple):
    """Nothing to remember; Numba wants a field."""

    zones: int


DEFAULT = Knobs()
GRID = (DEFAULT,)


def label(_knobs: Knobs) -> str:
    return "on demand"


def new_state(_knobs: Knobs, zones: int) -> State:
    return State(zones)


@compiled
def desired(seen: SpotSeen, wanted_spot: Zones, knobs: Knobs, state: State) -> int:
    wanted_spot[: state.zones] = 0
    return seen.demand + knobs.extra
