"""Knobs of the rules that hold a metric per replica at a target through an HPA, and their grid."""

from typing import NamedTuple

from inference_cost.simulate.baselines.hpa_behavior import (
    DOWN_BY_DEFAULT,
    TOLERANCE,
    UP_BY_DEFAULT,
    Rules,
)
from inference_cost.simulate.baselines.targets import (
    DEFAULT_TARGET,
    DOWN_WINDOWS_SECONDS,
    TARGETS,
)


class Knobs(NamedTuple):
    """Target is a share of the load per replica.

    One class for all of them: Numba's dispatcher takes classes of equal shape for one another at first, and a call
    from Python then takes milliseconds.
    """

    target: float = DEFAULT_TARGET
    tolerance: float = TOLERANCE
    up: Rules = UP_BY_DEFAULT
    down: Rules = DOWN_BY_DEFAULT


DEFAULT = Knobs()
GRID = tuple(
    Knobs(target=target, down=DOWN_BY_DEFAULT._replace(window_seconds=window))
    for window in DOWN_WINDOWS_SECONDS
    for target in TARGETS
)


def label(knobs: Knobs) -> str:
    return f"target {knobs.target:.2f}, down {knobs.down.window_seconds:.0f} s"
