"""Load × 2: the answer comes within rate window + scrape + one tick, in full one window later."""

import time
from itertools import pairwise

import pytest

from e2e.rig.providers import Capability
from e2e.scenarios.early import STEADY_PER_SECOND, EarlyFleets
from e2e.scenarios.start import RATE_WINDOW_SECONDS, SCRAPE_SECONDS, TICK_SECONDS

pytestmark = pytest.mark.needs(Capability.PROCESS_NODES, Capability.AUDIT_LOG)

FIRST_WRITE_SECONDS = RATE_WINDOW_SECONDS + SCRAPE_SECONDS + TICK_SECONDS
FULL_AMOUNT_SECONDS = FIRST_WRITE_SECONDS + RATE_WINDOW_SECONDS


def test_load_step(early: EarlyFleets) -> None:
    """After a step of load × 2 the first higher write comes within 13 s, the full amount within 21 s."""
    fleet, scene = early.steady, early.steady.scene
    scene.wait_told(fleet.name, "MetricsAvailable", "True", "MetricsFresh")
    fleet.wait_settled(STEADY_PER_SECOND)
    before = scene.replicas(fleet.name)
    full_amount = fleet.needed(2 * STEADY_PER_SECOND)
    assert before < full_amount, "the step asks for more than there is"

    load = fleet.load(
        early.steady_url, per_second=STEADY_PER_SECOND, seconds=FULL_AMOUNT_SECONDS + 5, name="step"
    )
    stepped_at = time.time()
    seen: list[tuple[float, int]] = []
    while (at := time.time() - stepped_at) < FULL_AMOUNT_SECONDS:
        seen.append((at, scene.replicas(fleet.name)))
        if seen[-1][1] >= full_amount:
            break
        time.sleep(0.2)
    load.wait(timeout_seconds=30)

    changes = [later for earlier, later in pairwise(seen) if later[1] != earlier[1]]
    told = f"from {before} to at least {full_amount} replicas, seen: {changes}"
    assert seen[-1][1] >= full_amount, told
    first = scene.scale_writes(fleet.name, since=stepped_at)[0]
    assert first.at - stepped_at <= FIRST_WRITE_SECONDS, told
    assert all(later[1] > earlier[1] for earlier, later in pairwise(changes)), told
    assert scene.wait_event(fleet.name, "ScaledOut")
