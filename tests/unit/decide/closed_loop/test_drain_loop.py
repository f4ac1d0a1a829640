"""Deadlines against simulated replicas: a batch that comes at once, and a load that trickles."""

from dataclasses import replace

import numpy as np
import pytest

from e2e.rig.traces import poisson_arrivals
from inference_cost.model.policy import Routing
from tests.unit.decide.closed_loop.harness import LoopSettings
from tests.unit.decide.closed_loop.held_back import DrainLoop, ideal_replica_seconds

# A batch of 8 takes 8 s: one request per second and replica.
SLOW = LoopSettings(
    tick=15.0,
    scrape=15.0,
    window=60.0,
    start_up=180.0,
    alpha=4.0,
    beta=0.5,
    max_replicas=40,
    batch_statistics=True,
)
COMES = 900.0


@pytest.mark.parametrize("within", [1200.0, 1800.0, 3600.0])
def test_a_batch_is_done_within_the_deadline_at_little_more_than_the_ideal_price(
    within: float,
) -> None:
    requests = 5000
    loop = DrainLoop([COMES] * requests, COMES + within + 300.0, SLOW, within=within, room=16)
    result = loop.run()
    waits = loop.waits()
    assert len(waits) == requests
    assert max(waits) <= within
    used = sum(
        SLOW.tick * desired for at, desired, _ in result.replicas if at > COMES and desired > 1
    )
    ideal = ideal_replica_seconds(requests, 1.0, SLOW.start_up, within)
    assert used <= 1.15 * ideal
    assert result.plans[-1].desired == 1


@pytest.mark.parametrize(
    ("evened_out", "within", "price"),
    [(True, 900.0, 1.15), (False, 900.0, 1.3), (False, 600.0, 1.3)],
)
def test_a_trickle_keeps_the_deadline_for_little_more_than_it_needs_on_average(
    evened_out: bool, within: float, price: float
) -> None:
    """2.3 replicas would be needed. At random some queues grow longer than others."""
    hours, per_second = 4, 2.3
    routing = Routing.LEAST_REQUEST if evened_out else Routing.EQUAL
    settings = replace(SLOW, power_of_two=evened_out, routing=routing)
    arrivals = poisson_arrivals(np.full(hours * 60, per_second), hours * 3600.0, 1).tolist()
    loop = DrainLoop(arrivals, hours * 3600.0, settings, within=within)
    result = loop.run()
    assert max(loop.waits()) <= within
    mean = result.replica_seconds / (hours * 3600.0)
    assert mean <= price * per_second
    assert len(result.writes) <= 5 * hours
