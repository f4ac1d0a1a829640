"""What a replica makes late, as the headroom rules are told."""

import numpy as np
import pytest

from inference_cost.decide.latency.loads import LARGEST_LOAD, largest_load, late_share
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.model.policy import LatencyObjective

GREEDY = Replica(alpha_seconds=0.04, beta_seconds=0.005, max_batch_size=8, batching=Batching.GREEDY)
LOADS = np.linspace(0.0, 1.0, 101)


@pytest.mark.parametrize("threshold", [0.1, 0.16, 0.3, 1.0])
@pytest.mark.parametrize("batching", list(Batching))
def test_more_load_is_never_late_less_often(threshold: float, batching: Batching) -> None:
    replica = Replica(alpha_seconds=0.04, beta_seconds=0.005, max_batch_size=8, batching=batching)
    shares = [late_share(replica, threshold, load) for load in LOADS]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize("target", [0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("threshold", [0.16, 0.2, 0.3])
def test_at_the_largest_load_as_many_are_late_as_the_objective_allows(
    threshold: float, target: float
) -> None:
    found = largest_load(
        GREEDY, LatencyObjective(threshold_seconds=threshold, target_fraction=target)
    )
    share = late_share(GREEDY, threshold, found.per_second / GREEDY.capacity)
    if found.per_second < LARGEST_LOAD * GREEDY.capacity:
        assert share == pytest.approx(1 - target, rel=0.25)
    else:
        assert share < 1 - target


def test_a_shorter_threshold_is_missed_more_often() -> None:
    shares = [late_share(GREEDY, threshold, 0.8) for threshold in (0.1, 0.15, 0.2, 0.3, 0.5)]
    assert shares == sorted(shares, reverse=True)
