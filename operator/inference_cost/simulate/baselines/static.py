"""A constant number of replicas: for the peak of the traffic, as capacity is planned without an autoscaler."""

import numpy as np
from numpy.typing import NDArray

from inference_cost.simulate.baselines.rounding import whole_up


def peak_replicas(rates: NDArray[np.float64], load_per_replica: float) -> int:
    """Replicas that carry the highest rate; at least one.

    Args:
        rates: requests per second, means of 60 s, shape (n,)
        load_per_replica: requests per second of one replica at which the objective is just met

    Raises:
        ValueError: the load per replica is not positive.
    """
    if load_per_replica <= 0:
        raise ValueError(f"load_per_replica is {load_per_replica}, must be positive")
    return max(1, whole_up(float(np.max(rates, initial=0.0)) / load_per_replica))
