"""Looks without metrics: what counts as a miss, what a gap undoes, and what a pause keeps."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import (
    Fallback,
    FallbackBehavior,
    Pause,
)
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.decide.worlds import (
    NOON,
    gateway,
    learned,
    memory_of,
    observation,
    plan_of,
    policy,
    signals,
    snapshot,
)

STALE = Missing(reason=MissingReason.STALE, detail="newest sample is 300 s old")


@pytest.mark.parametrize(
    ("behavior", "desired"),
    [
        (FallbackBehavior.STATIC, 4),
        (FallbackBehavior.CURRENT_REPLICAS, 8),
        (FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER, 8),
        (FallbackBehavior.CURRENT_REPLICAS_IF_LOWER, 4),
    ],
)
def test_above_the_maximum_only_a_fallback_that_names_fewer_removes(
    behavior: FallbackBehavior, desired: int
) -> None:
    fallback = Fallback(failure_threshold=3, replicas=6, behavior=behavior)
    plan = plan_of(
        observation(STALE, 8, of=policy(highest=4, fallback=fallback)), learned(misses=3)
    )
    assert (plan.desired, plan.limited_by) == (desired, LimitedBy.FALLBACK)


@pytest.mark.parametrize(("apart", "limited_by"), [(1.0, "MetricsUnavailable"), (14.9, "Fallback")])
def test_a_look_without_metrics_counts_once_per_tick(apart: float, limited_by: str) -> None:
    fallback = Fallback(failure_threshold=3, replicas=6, behavior=FallbackBehavior.STATIC)
    seen = observation(STALE, 2, of=policy(fallback=fallback))
    memory = memory_of(learned())
    for look in range(4):
        decisions = decide(replace(snapshot(seen), at=NOON + apart * look), memory)
        memory = decisions.memory
    assert decisions.plans[policy().key].limited_by == limited_by


TICK, HOLD = 15.0, 180.0


def look(
    memory: Memory, at: float, rate: float | Missing, replicas: int = 6, **more: Any
) -> tuple[int, Memory]:
    """Replicas asked for at a look at this time, all pods ready for long."""
    read = rate if isinstance(rate, Missing) else signals(rate, replicas, sampled_at=at)
    seen = observation(seen=read, replicas=replicas, of=policy(**more))
    decisions = decide(replace(snapshot(seen), at=at), memory)
    return decisions.plans[policy().key].desired, decisions.memory


def first_removal(memory: Memory, at: float, **more: Any) -> float:
    """Seconds of looks at a low load until fewer replicas are asked for."""
    for tick in range(100):
        desired, memory = look(memory, at + TICK * tick, 60.0, **more)
        if desired < 6:
            return TICK * tick
    return float("inf")


def test_the_holding_time_is_counted_in_ticks_with_metrics() -> None:
    assert first_removal(memory_of(learned()), NOON) == HOLD


@pytest.mark.parametrize("gap", [75.0, 600.0, 7200.0], ids=["5 ticks", "10 min", "restored"])
@pytest.mark.parametrize("silent", [True, False], ids=["no metrics", "no looks"])
def test_after_a_gap_a_lower_need_must_last_anew(gap: float, silent: bool) -> None:
    desired, memory = look(memory_of(learned()), NOON, 60.0)
    assert desired == 6
    for tick in range(1, round(gap / TICK) if silent and gap < HOLD * 10 else 1):
        _, memory = look(memory, NOON + TICK * tick, STALE)
    assert first_removal(memory, NOON + gap) == HOLD


def test_one_look_without_metrics_does_not_start_the_holding_time_over() -> None:
    _, memory = look(memory_of(learned()), NOON, 60.0)
    _, memory = look(memory, NOON + TICK, STALE)
    assert first_removal(memory, NOON + 2 * TICK) == HOLD - 2 * TICK


def test_looks_as_rare_as_the_scrapes_are_no_gaps() -> None:
    memory = memory_of(learned())
    for minute in range(0, 5, 2):
        at = NOON + 60.0 * minute
        read = replace(signals(60.0, 6, sampled_at=at), scrape_interval_seconds=120.0)
        seen = observation(seen=read, replicas=6)
        decisions = decide(replace(snapshot(seen), at=at), memory)
        memory = decisions.memory
    assert decisions.plans[policy().key].desired < 6


def test_the_load_before_a_gap_is_not_forecast_after_it() -> None:
    memory = memory_of(learned())
    for tick in range(20):
        _, memory = look(memory, NOON + TICK * tick, 500.0)
    for tick in range(26, 28):
        desired, memory = look(memory, NOON + TICK * tick, 120.0, replicas=2)
    assert desired <= 4  # not the seven of before


def test_a_pause_replaces_the_choice_and_nothing_else() -> None:
    seen = observation(seen=signals(150.0, 2, gateway=gateway(150.0, late=0.5)))
    paused = replace(seen, policy=policy(pause=Pause(source="policy")))
    plans, memories = [], []
    for one in (seen, paused):
        decisions = decide(snapshot(one), memory_of(learned(needs=1)))
        plans.append(decisions.plans[policy().key])
        memories.append(decisions.memory.policies[policy().key])
    free, held = plans
    assert not isinstance(held.attainment, Missing)
    assert held.attainment.fraction == pytest.approx(0.5)
    assert (held.attainment, held.demand, held.profile) == (
        free.attainment,
        free.demand,
        free.profile,
    )
    assert (held.desired, held.limited_by) == (2, LimitedBy.PAUSED)
    assert memories[0] == memories[1]


def test_a_pause_without_metrics_says_what_is_missing() -> None:
    plan = plan_of(observation(STALE, 2, of=policy(pause=Pause(source="policy", replicas=7))))
    assert (plan.desired, plan.attainment) == (7, STALE)
