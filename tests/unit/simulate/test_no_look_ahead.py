"""No controller sees the future, nor arrivals that its metrics do not show yet."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from inference_cost.decide import engine
from inference_cost.simulate import ours as ours_module
from inference_cost.simulate.baselines.registry import AUTOSCALERS
from inference_cost.simulate.ours import Operator
from inference_cost.simulate.runs import RUNS
from inference_cost.simulate.scenario import Fidelity, Scenario
from inference_cost.simulate.traffic import Traffic, from_times
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.look import look_directly
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.state import BILLED_SECONDS, LATE, LIVE, World
from tests.unit.simulate.worlds import scenario

HOUR = 360  # bins


def noisy(seed: int, bins: int = 2 * HOUR) -> Traffic:
    draw = np.random.default_rng(seed)
    level = 250.0 + 200.0 * np.sin(np.arange(bins) / 40.0)
    return Traffic(width_seconds=10.0, counts=draw.poisson(level * 10.0).astype(np.float64))


def run(case: Scenario, name: str) -> World:
    world = new_world(case, replicas=4)
    if name == "ours":
        operator = Operator(case)
        while advance(world, case.tick_seconds):
            operator.tick(world)
    else:
        baseline = AUTOSCALERS[name]
        state = baseline.new_state(baseline.default, int(world.counts[LIVE]))
        RUNS[name](world, baseline.default, state)
    return world


# At request level all rules look through the same two functions: one of each, and ours.
CUT = [
    *product(["ours", *RUNS], [Fidelity.STEP]),
    *product(["ours", "hpa", "kpa"], [Fidelity.REQUEST]),
]


@pytest.mark.parametrize(("name", "fidelity"), CUT)
def test_cutting_off_the_future_changes_nothing_before(name: str, fidelity: Fidelity) -> None:
    whole = scenario(noisy(1), fidelity=fidelity)
    cut = replace(whole, traffic=whole.traffic.until(3600.0))
    counts = np.where(np.arange(2 * HOUR) < HOUR, 1.0, 6.0) * whole.traffic.counts
    burst = replace(whole, traffic=Traffic(width_seconds=10.0, counts=counts))
    long, short, other = run(whole, name), run(cut, name), run(burst, name)
    # An end could be taken for more of the same; six times the load cannot.
    assert np.array_equal(long.course[BILLED_SECONDS, :HOUR], other.course[BILLED_SECONDS, :HOUR])
    # Replicas are paid from their order on: up to the cut the decisions were the same.
    assert np.array_equal(long.course[BILLED_SECONDS, :HOUR], short.course[BILLED_SECONDS, :HOUR])
    # Batches that were open at the cut close without what comes later.
    before = slice(0, HOUR - 10)
    assert np.array_equal(long.course[LATE, before], short.course[LATE, before])


@pytest.mark.parametrize("lag", [0.0, 5.0])
def test_requests_of_the_present_bin_are_seen_as_they_come(lag: float) -> None:
    """At request level a look in the middle of a bin must not know the rest of it."""
    times = np.sort(np.random.default_rng(4).uniform(0.0, 600.0, 60_000))
    before, after = times[times < 306.0], np.full(5_000, 309.0)
    seen = []
    for arrivals in (times, np.concatenate((before, after))):
        case = scenario(
            from_times(arrivals, 10.0), fidelity=Fidelity.REQUEST, metric_lag_seconds=lag
        )
        world = new_world(case, replicas=4)
        advance(world, 306.0)
        seen.append((look_directly(world).rate_6s, look_directly(world).rate))
    assert seen[0] == seen[1]


@pytest.mark.parametrize("name", ["hpa", "kpa-rps", "wva"])
def test_the_test_of_the_future_can_fail(name: str) -> None:
    """Other arrivals in the past do change what is done."""
    ours, other = run(scenario(noisy(1)), name), run(scenario(noisy(2)), name)
    assert not np.array_equal(ours.course[BILLED_SECONDS], other.course[BILLED_SECONDS])


def decisions(change: Callable[[World], None]) -> list[int]:
    """Desired replicas of an hour's ticks, with the world's true arrivals changed before each look."""
    case = scenario(noisy(3, HOUR))
    world, operator, desired = new_world(case, replicas=4), Operator(case), []
    kept = world.arrivals.total.copy()
    while advance(world, case.tick_seconds):
        change(world)
        desired.append(operator.tick(world).desired)
        world.arrivals.total[:] = kept
    return desired


def test_true_arrivals_do_not_matter_where_the_counters_stay() -> None:
    """Ours infers the demand from Triton's counters: it has no access to what really arrived."""

    def triple(world: World) -> None:
        world.arrivals.total[:] *= 3.0

    def silence(world: World) -> None:
        world.arrivals.total[:] = 0.0

    plain = decisions(lambda _: None)
    assert len(set(plain)) > 3
    assert decisions(triple) == plain
    assert decisions(silence) == plain


def test_counters_do_matter() -> None:
    def triple(world: World) -> None:
        world.scraped[:] *= 3.0

    assert decisions(triple) != decisions(lambda _: None)


def test_it_is_the_very_decide_of_the_operator() -> None:
    assert ours_module.decide is engine.decide
