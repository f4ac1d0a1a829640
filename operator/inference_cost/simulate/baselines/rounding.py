"""Whole replicas from a quotient of floats.

Kubernetes divides integers (quantities in thousandths), where 0.3 ÷ 0.1 is 3; in floats it is 3.0000000000000004
or 2.9999999999999996. A hair is taken off before rounding, far below a thousandth.
"""

from math import ceil, floor

from inference_cost.simulate.compiled import compiled

HAIR = 1e-9


@compiled
def whole_up(quotient: float) -> int:
    return int(ceil(quotient - HAIR))  # noqa: RUF046 - Numba's ceil is a float


@compiled
def whole_down(quotient: float) -> int:
    return int(floor(quotient + HAIR))  # noqa: RUF046 - Numba's floor is a float
