"""Arrivals of a window, put together from scrape to scrape."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_cost.decide.engine import decide
from inference_cost.decide.gaps import KEPT, Gaps, extended, mean
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import Demand
from inference_cost.model.signals import LatestGap, Signals
from inference_cost.model.workload import Pod
from tests.unit.decide.worlds import (
    NOON,
    learned,
    memory_of,
    observation,
    pod,
    pod_signals,
    signals,
    snapshot,
    workload,
)

WINDOW, SCRAPE = 60.0, 15.0


def followed(rates: list[float], seconds: float = SCRAPE, every: float = SCRAPE) -> Gaps:
    gaps: Gaps = ()
    for i, rate in enumerate(rates):
        gaps = extended(gaps, NOON + every * i, seconds, rate, WINDOW)
    return gaps


def test_the_mean_is_of_the_newest_window() -> None:
    assert mean(followed([1.0, 10.0, 20.0, 30.0, 40.0]), WINDOW) == 25.0


def test_before_gaps_reach_back_over_the_window_nothing_is_known() -> None:
    assert mean(followed([10.0] * 4), WINDOW) is None
    assert mean(followed([10.0] * 5), WINDOW) == 10.0


@pytest.mark.parametrize(
    ("why", "seconds", "every", "known"),
    [
        ("a gap for each look", 15.0, 15.0, True),
        ("looks that come unevenly", 15.0, 16.0, True),
        ("scrapes between looks were not seen", 5.0, 15.0, False),
    ],
)
def test_gaps_must_follow_on_each_other(
    why: str, seconds: float, every: float, *, known: bool
) -> None:
    assert (mean(followed([10.0] * 9, seconds, every), WINDOW) is not None) is known, why


def test_a_look_that_shows_nothing_new_changes_nothing() -> None:
    gaps = followed([10.0] * 5)
    assert extended(gaps, gaps[-1][0], SCRAPE, 99.0, WINDOW) == gaps


def test_after_a_break_or_a_step_back_in_time_it_begins_anew() -> None:
    gaps = followed([10.0] * 5)
    for at in (NOON + 300.0, NOON - 300.0):
        assert extended(gaps, at, SCRAPE, 20.0, WINDOW) == ((at, 20.0),)


@given(
    rates=st.lists(st.floats(0.0, 1e6), min_size=1, max_size=200),
    window=st.floats(1.0, 1e5),
)
def test_what_is_kept_is_bounded_and_the_mean_between_the_least_and_the_most(
    rates: list[float], window: float
) -> None:
    gaps: Gaps = ()
    for i, rate in enumerate(rates):
        gaps = extended(gaps, NOON + SCRAPE * i, SCRAPE, rate, window)
    assert len(gaps) <= min(KEPT, window / SCRAPE + 3)
    found = mean(gaps, window)
    assert found is None or min(rates) * 0.999 - 1e-9 <= found <= max(rates) * 1.001 + 1e-9


def seen_at(at: float, shares: dict[str, float], latest: dict[str, float]) -> Signals:
    """`shares`: requests/s over the window of pods that are there; `latest`: in the newest gap."""
    reports = tuple(
        pod_signals(
            name,
            rate,
            latest=LatestGap(
                at=at, seconds=SCRAPE, requests=latest[name] * SCRAPE, pending_change=0.0
            ),
        )
        for name, rate in shares.items()
    )
    return replace(signals(0.0, 0, sampled_at=at), pods=reports)


def demand_of(memory: PolicyMemory, at: float, seen: Signals, pods: tuple[Pod, ...]) -> Demand:
    shown = observation(running=workload(len(pods), pods), seen=seen)
    decisions = decide(replace(snapshot(shown), at=at), memory_of(memory))
    demand = decisions.plans[shown.policy.key].demand
    assert isinstance(demand, Demand)
    return demand


def test_what_a_removed_pod_served_is_still_demand() -> None:
    """Three pods share 150 requests/s; then two do, in whose windows of before are 50 each."""
    gaps = tuple((NOON - SCRAPE * (5 - i), 150.0) for i in range(5))
    left = (pod("p0"), pod("p1"))
    seen = seen_at(NOON, {"p0": 56.0, "p1": 56.0}, {"p0": 75.0, "p1": 75.0})
    assert demand_of(learned(needs=1), NOON, seen, left).now == pytest.approx(112.0)
    assert demand_of(learned(needs=1, gaps=gaps), NOON, seen, left).now == pytest.approx(150.0)
