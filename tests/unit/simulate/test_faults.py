"""What goes wrong in a run, what the decisions make of it, and that without the code for it they would do worse."""

from dataclasses import replace

import numpy as np
import pytest

from inference_cost.decide import demand, need, plan_policy
from inference_cost.decide.limits import guard
from inference_cost.simulate.backtest import bound_of
from inference_cost.simulate.observation import Observer
from inference_cost.simulate.ours import Operator, run_ours
from inference_cost.simulate.phases import phases
from inference_cost.simulate.scenario import Faults, Fidelity, Scenario
from inference_cost.simulate.tuning import Trial, run_trial
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.new import new_world
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.state import DROPPED, LATE, READY_SECONDS, World
from tests.unit.simulate.worlds import SERVICE, policy, rates, scenario

TEN_MINUTES = 60  # bins


def late_share(case: Scenario, since: int) -> float:
    """Of the requests from so many ten minutes on."""
    world = new_world(case)
    run_ours(Operator(case), world)
    late = world.course[LATE, since * TEN_MINUTES :].sum()
    return float(late / np.diff(world.arrivals.total)[since * TEN_MINUTES :].sum())


OUTAGE = scenario(rates(*[400.0] * 6, 0.0, *[400.0] * 2), start_seconds=180.0)


def test_after_an_outage_upstream_the_fleet_is_still_there() -> None:
    assert late_share(OUTAGE, since=7) < 0.01


def test_without_the_suspicion_requests_are_late_after_an_outage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(need, "suspected", lambda *_: (None, None))
    assert late_share(OUTAGE, since=7) > 0.1


REJECTING = scenario(
    rates(*[500.0] * 12, *[1250.0] * 4),
    policy=policy(highest=100),
    start_seconds=180.0,
    faults=Faults(queue_limit_seconds=2 * SERVICE.seconds(8)),
)


def minutes_lost(case: Scenario) -> float:
    """Minutes in which the objective is not kept."""
    world = new_world(case)
    run_ours(Operator(case), world)
    assert world.course[DROPPED].sum() > 0
    share = world.course[LATE] / np.diff(world.arrivals.total)
    return float((share > 0.01).sum() / 6)


def test_load_that_is_rejected_unseen_is_grown_after() -> None:
    assert minutes_lost(REJECTING) < 8.0  # 2.5 times the load is two steps, of 3.6 minutes each


def test_without_the_code_for_censored_demand_rejections_last_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demand, "_censored", lambda *_, **__: False)
    assert minutes_lost(REJECTING) > 9.0


def test_a_run_without_faults_is_one_phase() -> None:
    case = scenario()
    world = new_world(case)
    [only] = phases(world, case)
    assert only.conditions == world.conditions


def test_faults_that_begin_during_a_run_need_steps() -> None:
    case = scenario(faults=Faults(slower_from=60.0, slower_factor=2.0), fidelity=Fidelity.REQUEST)
    with pytest.raises(ValueError, match="step"):
        list(phases(new_world(case), case))


def ready(case: Scenario, replicas: int, ordered: int) -> list[float]:
    """Serving replicas by bin where so many are ordered at once at the start."""
    world = new_world(case, replicas=replicas)
    order(world, ordered)
    for phase in phases(world, case):
        while advance(phase, 15.0):
            pass
    return (world.course[READY_SECONDS] / 10.0).tolist()


def test_no_replica_becomes_ready_in_a_spell_and_all_start_anew_after_it() -> None:
    spell = Faults(unready_from=60.0, unready_until=600.0)
    seen = ready(scenario(faults=spell, start_seconds=100.0), 2, 5)
    assert seen[69] == 2.0
    assert seen[71] == 5.0


def test_a_share_of_the_starts_fails_for_ever_and_for_every_controller_alike() -> None:
    case = scenario(faults=Faults(failing_starts=0.1))
    starts = new_world(case).starts
    assert np.isinf(starts).mean() == pytest.approx(0.1, abs=0.02)
    assert np.array_equal(starts, new_world(case).starts)
    assert not np.isinf(new_world(scenario()).starts).any()


def slowed(world: World, case: Scenario) -> tuple[float, float]:
    """Requests/s that a replica takes before and after."""
    first, second = phases(world, case)
    return first.conditions.capacity, second.conditions.capacity


def test_slower_servers_take_less_and_targets_do_not_know() -> None:
    case = scenario(rates(150.0, 150.0), faults=Faults(slower_from=600.0, slower_factor=1.4))
    world = new_world(case, replicas=2)
    before, after = slowed(world, case)
    assert before / after == pytest.approx(1.4)
    assert [p.conditions.load_per_replica for p in phases(world, case)] == [
        world.conditions.load_per_replica
    ] * 2


def test_the_bound_pays_for_what_slower_servers_need() -> None:
    even = scenario(rates(*[900.0] * 4))
    slower = replace(even, faults=Faults(slower_from=1200.0, slower_factor=1.4))
    plain, more = bound_of(even), bound_of(slower)
    assert plain is not None
    assert more is not None
    assert 1.1 < more.cost_dollars / plain.cost_dollars < 1.3


def test_an_autoscaler_goes_on_through_the_phases() -> None:
    even = scenario(rates(*[300.0] * 4), start_seconds=60.0)
    slower = replace(even, faults=Faults(slower_from=1200.0, slower_factor=3.0))
    good, bad = (run_trial(case, Trial(name="hpa")) for case in (even, slower))
    assert bad.late > good.late
    assert bad.course.late[: 2 * TEN_MINUTES].sum() == good.course.late[: 2 * TEN_MINUTES].sum()


def test_wrong_priors_are_told_of_timings_and_of_the_start() -> None:
    case = scenario(start_seconds=100.0, faults=Faults(prior_error=0.3))
    snapshot = Observer(case).snapshot(new_world(case))
    assert snapshot.settings.start_up_seconds_prior == pytest.approx(130.0)
    [configuration] = snapshot.observations[0].configurations
    assert configuration.batch_statistics[-1].mean_seconds == pytest.approx(1.3 * 0.08)


FAILING = scenario(
    rates(*[500.0] * 3, *(500.0 + 75.0 * step for step in range(10))),
    policy=policy(highest=40),
    start_seconds=180.0,
    faults=Faults(failing_starts=0.1),
)


def test_replicas_that_never_become_ready_are_replaced() -> None:
    assert late_share(FAILING, since=4) < 0.01


def test_without_replacing_them_one_of_them_keeps_the_fleet_from_growing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (guard, plan_policy):
        monkeypatch.setattr(module, "replaced", lambda _: 0)
    assert late_share(FAILING, since=4) > 0.1
