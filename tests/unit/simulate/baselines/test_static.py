"""The constant that carries the peak."""

import numpy as np
import pytest

from inference_cost.simulate.baselines.static import peak_replicas

CASES = {
    "the peak over the load, rounded up": ([3.0, 41.0, 7.0], 10.0, 5),
    "an exact multiple": ([40.0], 10.0, 4),
    "no traffic still needs one": ([0.0, 0.0], 10.0, 1),
    "no minute at all": ([], 10.0, 1),
}


@pytest.mark.parametrize(("rates", "load", "expected"), CASES.values(), ids=CASES)
def test_peak(rates: list[float], load: float, expected: int) -> None:
    assert peak_replicas(np.array(rates, dtype=np.float64), load) == expected


def test_a_replica_that_carries_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        peak_replicas(np.ones(1), 0.0)
