"""Which shares of the pods are chance, which are sticky clients, and what follows."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.decide.case import case_of
from inference_cost.decide.evenness import FORGOTTEN_SECONDS, LASTING_WINDOWS, look
from inference_cost.decide.explain.explanation import explain
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.observation import PolicyObservation
from inference_cost.model.plan import Evenness, LimitedBy, Plan, Profile
from inference_cost.model.reading import Missing
from tests.unit.decide.worlds import (
    NOON,
    learned,
    observation,
    plan_of,
    pod,
    pod_signals,
    policy,
    signals,
    snapshot,
    workload,
)

STICKY = Evenness(
    pods=3,
    effective=1.8,
    hottest="p2",
    hottest_fraction=0.66,
    idle=1,
    windows=LASTING_WINDOWS,
    looked_at=NOON - 15.0,
)


def seen_of(rates: list[float], at: float = NOON, **running: Any) -> PolicyObservation:
    pods = tuple(pod_signals(f"p{i}", rate) for i, rate in enumerate(rates))
    shown = replace(signals(sum(rates), len(rates), sampled_at=at), pods=pods)
    return observation(
        seen=shown,
        replicas=len(rates),
        running=workload(len(rates), **running) if running else None,
    )


def after(rates: list[float], windows: int = 1, **running: Any) -> Evenness:
    memory: PolicyMemory = learned(needs=1)
    for i in range(1, windows + 1):
        at = NOON + 60.0 * i
        case = case_of(seen_of(rates, at, **running), memory, replace(snapshot(), at=at))
        assert not isinstance(case.traffic, Missing)
        memory = replace(case.memory, evenness=look(case, case.traffic))
    return memory.evenness


@pytest.mark.parametrize(
    ("rates", "effective", "uneven"),
    [
        pytest.param([50.0, 50.0], 2.0, False, id="alike"),
        pytest.param([4 / 6, 6 / 6], 2.0, False, id="40 and 60 requests may be chance"),
        pytest.param([30.0, 70.0], 1.73, True, id="1,800 and 4,200 are not chance"),
        pytest.param([45.0, 55.0], 1.98, False, id="beyond chance, and little"),
        pytest.param([100.0, 0.0], 1.0, True, id="one pod gets all"),
        pytest.param([60.0, 40.0, 0.0, 0.0], 1.93, True, id="two of four get all"),
        pytest.param([100.0] + [33.0] * 3, 2.99, True, id="one pod gets half"),
        pytest.param([50.0], 0.0, False, id="a single pod is not compared"),
        pytest.param([0.1, 0.4], 0.0, False, id="nor are few requests"),
    ],
)
def test_the_effective_pods(rates: list[float], effective: float, uneven: bool) -> None:
    found = after(rates)
    assert found.effective == pytest.approx(effective, abs=0.02)
    assert bool(found.windows) is uneven


def test_it_must_last_and_one_even_window_ends_it() -> None:
    assert [after([90.0, 10.0], n).windows for n in (1, 2, 3, 9)] == [1, 2, 3, 3]
    assert after([50.0, 50.0], 3).windows == 0


@pytest.mark.parametrize(
    "running",
    [
        pytest.param({"rolling_out": True}, id="a rollout"),
        pytest.param(
            {"pods": (pod("p0"), replace(pod("p1"), ready_at=NOON + 50.0))}, id="a pod just started"
        ),
        pytest.param({"pods": (pod("p0"), pod("p1"), pod("p2"))}, id="a pod does not report"),
    ],
)
def test_pods_that_come_and_go_say_nothing(running: dict[str, Any]) -> None:
    assert after([90.0, 10.0], **running) == Evenness()


@pytest.mark.parametrize(
    ("rates", "ages", "idle"),
    [
        pytest.param([60.0, 40.0, 0.0], [900.0, 800.0, 300.0], 1, id="clients keep to the older"),
        pytest.param([60.0, 0.0, 60.0], [900.0, 800.0, 300.0], 0, id="an older one was left out"),
        pytest.param([60.0, 0.0, 0.0], [900.0, 300.0, 300.0], 2, id="two new ones"),
    ],
)
def test_which_pods_are_found_by_nobody(rates: list[float], ages: list[float], idle: int) -> None:
    pods = tuple(pod(f"p{i}", age=age) for i, age in enumerate(ages))
    assert after(rates, pods=pods).idle == idle


def decided(evenness: Evenness, rates: list[float]) -> tuple[Plan, PolicyObservation]:
    memory = learned(needs=1, evenness=evenness)
    seen = seen_of(rates)
    return plan_of(seen, memory), seen


def test_no_replica_is_added_while_a_pod_gets_nothing() -> None:
    rates = [100.0, 200.0, 0.0]
    plan, seen = decided(STICKY, rates)
    assert (plan.desired, plan.limited_by) == (3, LimitedBy.TRAFFIC_UNEVEN)
    assert "1 of 3 pods get no requests" in explain(plan, seen).limited
    assert decided(replace(STICKY, idle=0), rates)[0].desired > 3


@pytest.mark.parametrize(
    ("why", "evenness", "running"),
    [
        ("six minutes old", replace(STICKY, looked_at=NOON - 360.0), {}),
        ("a rollout replaces the pods", STICKY, {"rolling_out": True}),
        ("none of the youngest is idle", replace(STICKY, idle=0), {}),
    ],
)
def test_what_says_little_of_a_new_pod_holds_none_back(
    why: str, evenness: Evenness, running: dict[str, Any]
) -> None:
    seen = seen_of([200.0, 300.0, 0.0], **running)
    plan = plan_of(seen, learned(needs=1, evenness=evenness))
    assert plan.desired > 3, why


def test_the_minimum_is_an_order_all_the_same() -> None:
    seen = replace(seen_of([100.0, 200.0, 0.0]), policy=policy(lowest=5))
    plan = plan_of(seen, learned(needs=1, evenness=STICKY))
    assert plan.desired == 5


@pytest.mark.parametrize(
    ("effective", "share"),
    [pytest.param(2.4, 0.8, id="as effective"), pytest.param(1.2, 0.5, id="half at least")],
)
def test_each_pod_is_given_less_so_that_the_fullest_holds(effective: float, share: float) -> None:
    uneven = replace(STICKY, effective=effective, idle=0)
    plan, seen = decided(uneven, [60.0, 40.0, 20.0])
    even, _ = decided(replace(uneven, windows=0), [60.0, 40.0, 20.0])
    assert isinstance(plan.profile, Profile)
    assert isinstance(even.profile, Profile)
    assert plan.profile.load_per_replica == pytest.approx(share * even.profile.load_per_replica)
    assert f"3 pods carry what {effective} would" in explain(plan, seen).findings
    assert "latency model says" not in explain(plan, seen).findings


def test_what_was_seen_long_ago_is_not_known() -> None:
    old = replace(STICKY, looked_at=NOON - FORGOTTEN_SECONDS - 1.0, windows=LASTING_WINDOWS)
    case = decided(old, [60.0, 0.5, 60.0])[0]
    assert isinstance(case.evenness, Evenness)  # looked at anew
    assert case.evenness.windows <= LASTING_WINDOWS
    lone, _ = decided(old, [60.0])
    assert isinstance(lone.evenness, Missing)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(min_value=2, max_value=20),
    st.floats(min_value=0.5, max_value=50.0),
    st.integers(min_value=0, max_value=2**16),
)
def test_requests_spread_at_random_are_never_called_uneven(
    pods: int, rate: float, seed: int
) -> None:
    draw = Random(seed)  # noqa: S311 - chance of a simulation
    mean = 60.0 * rate
    counts = [max(round(draw.gauss(mean, mean**0.5)), 0) for _ in range(pods)]
    found = after([count / 60.0 for count in counts], LASTING_WINDOWS)
    assert found.windows == 0
    if found.pods:
        assert found.effective >= 0.9 * pods
