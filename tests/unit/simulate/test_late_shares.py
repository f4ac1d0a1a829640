"""The share of late requests that decisions count on is that of the replayed batcher."""

import numpy as np
import pytest

from inference_cost.decide.latency.loads import late_share
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.simulate.service import Service
from inference_cost.simulate.steady_state import steady_state
from inference_cost.simulate.world.state import LOAD_STEP

CASES = {
    "slow batches, a loose objective": (0.04, 0.005, 8, 0.3),
    "slow batches, a tight objective": (0.04, 0.005, 8, 0.16),
    "cost per item": (0.01, 0.01, 16, 0.5),
    "one at a time": (0.1, 0.0, 1, 0.5),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_late_shares_by_load(case: tuple[float, float, int, float]) -> None:
    fixed, item, largest, threshold = case
    service = Service(fixed_seconds=fixed, per_item_seconds=item, max_batch=largest)
    curve = steady_state(service, threshold, 0.99, 1, balanced=False).curves.in_time[0]
    replica = Replica(
        alpha_seconds=fixed, beta_seconds=item, max_batch_size=largest, batching=Batching.GREEDY
    )
    for load in (0.5, 0.7, 0.8, 0.9, 0.95):
        simulated = 1.0 - float(np.interp(load, np.arange(len(curve)) * LOAD_STEP, curve))
        told = late_share(replica, threshold, load)
        assert told == pytest.approx(simulated, rel=0.25, abs=0.002), load
