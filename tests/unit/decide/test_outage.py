"""Requests that stop at once: held for a bounded time, and only where nothing else explains it."""

from dataclasses import dataclass, replace
from math import log
from typing import Any

import pytest

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.headroom.learned import NOTHING, from_bytes, to_bytes, views
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.signals import LatestGap
from tests.unit.decide.worlds import (
    NOON,
    key,
    learned,
    memory_of,
    observation,
    policy,
    signals,
    snapshot,
    watched,
)

REPLICAS = 4
RATE = 300.0
LOOKS = 60
MINUTE, DAY = 60.0, 86_400.0
STALE = Missing(reason=MissingReason.STALE)


def used_to(usual: float | None, rate: float = RATE) -> PolicyMemory:
    """Of a policy with an even load; `usual`: requests/s at any time of day, None where no day was seen."""
    memory = watched([rate] * LOOKS, REPLICAS)
    return memory if usual is None else with_days(memory, usual)


def with_days(memory: PolicyMemory, usual: float) -> PolicyMemory:
    vector = from_bytes(memory.headroom)
    views(vector).daily[...] = log(usual + views(vector).numbers[NOTHING])
    return replace(memory, headroom=to_bytes(vector))


def look(
    memory: PolicyMemory, rate: float, latest: float, at: float = NOON, **more: Any
) -> tuple[Plan, PolicyMemory]:
    """One tick that sees `rate` in the window and `latest` in its newest gap."""
    gap = LatestGap(at=at, seconds=15.0, requests=15.0 * latest / REPLICAS, pending_change=0.0)
    seen = signals(rate, REPLICAS, sampled_at=at, latest=gap, **more)
    observed = observation(seen=seen, replicas=REPLICAS, of=policy(lowest=1))
    decisions = decide(replace(snapshot(observed), at=at), memory_of(memory))
    return decisions.plans[key()], decisions.memory.policies[key()]


def suspected(plan: Plan) -> bool:
    return plan.limited_by is LimitedBy.SUSPECTED_OUTAGE


def silence(memory: PolicyMemory, since: float, until: float) -> tuple[Plan, PolicyMemory]:
    """Ticks without a request, the last one at `until`."""
    plan, at = None, since
    while plan is None or at <= until:
        plan, memory = look(memory, 0.0, 0.0, at)
        at += 15.0
    return plan, memory


@dataclass(frozen=True)
class Fall:
    expected: bool
    usual: float | None = RATE
    rate: float = 0.7 * RATE  # in the window
    latest: float = 0.0
    before: float = RATE


FALLS = {
    "nothing comes at a time that usually has as much": Fall(True),
    "a twentieth still comes": Fall(True, latest=RATE / 20),
    "no day was seen yet": Fall(True, usual=None),
    "a fifth still comes": Fall(False, latest=RATE / 5),
    "a fifth still comes, and no day was seen": Fall(False, usual=None, latest=RATE / 5),
    "the window shows that it fell long ago": Fall(False, rate=RATE / 10),
    "this time of day usually has little": Fall(False, usual=RATE / 10),
    "so few came before that none is no news": Fall(False, usual=0.5, before=0.5, rate=0.3),
    "no fall at all": Fall(False, rate=RATE, latest=RATE),
}


@pytest.mark.parametrize("fall", FALLS.values(), ids=FALLS)
def test_what_is_taken_for_an_outage(fall: Fall) -> None:
    plan, _ = look(used_to(fall.usual, fall.before), fall.rate, fall.latest)
    assert suspected(plan) is fall.expected
    if fall.expected:
        assert plan.desired == REPLICAS


def test_part_of_the_metrics_is_no_ground_for_suspicion() -> None:
    plan, _ = look(used_to(RATE), 0.7 * RATE, 0.0, partial=True)
    assert not suspected(plan)


def test_a_person_on_call_is_told_what_fell_what_is_usual_and_until_when() -> None:
    plan, _ = look(used_to(200.0), 0.7 * RATE, 0.0)
    text = explain(plan, observation(0.0, REPLICAS)).message
    assert text == (
        "Keep 4 replicas. Requests fell from 300 requests/s to nearly none within a minute although 200 requests/s are "
        "usual at this time of day: suspected outage upstream, holding 4 replicas until 08:30 UTC."
    )
    young, _ = look(used_to(None), 0.7 * RATE, 0.0)
    assert "within a minute: suspected" in explain(young, observation(0.0, REPLICAS)).message


def held_seconds(memory: PolicyMemory) -> float:
    plan, memory = look(memory, 0.7 * RATE, 0.0)
    at = NOON
    while suspected(plan):
        at += 15.0
        plan, memory = look(memory, 0.0, 0.0, at)
    assert plan.desired < REPLICAS or plan.limited_by is LimitedBy.STABILIZATION
    return at - NOON


def test_the_hold_ends_after_half_an_hour() -> None:
    assert held_seconds(used_to(RATE)) == 30 * MINUTE


def test_without_a_day_to_confirm_it_the_hold_is_shorter() -> None:
    # Three lead times of half a window, a tick and a start-up.
    assert held_seconds(used_to(None)) == 3 * (30.0 + 15.0 + 180.0)


def test_what_starts_quickly_is_held_for_less() -> None:
    quick = replace(used_to(RATE), start_up_seconds=(15.0,) * 5)
    assert held_seconds(quick) == 10 * (30.0 + 15.0 + 15.0)


def test_replicas_go_once_the_hold_is_over() -> None:
    _, memory = look(used_to(RATE), 0.7 * RATE, 0.0)
    plan, _ = silence(memory, NOON + 15.0, NOON + 50 * MINUTE)
    assert plan.desired < REPLICAS


def test_half_an_hour_of_holding_comes_back_within_a_day() -> None:
    _, memory = look(used_to(RATE), 0.7 * RATE, 0.0)
    _, memory = silence(memory, NOON + 15.0, NOON + 31 * MINUTE)
    fresh = used_to(RATE)
    for later, expected in ((3600.0, False), (DAY, True)):
        again = replace(fresh, outage=memory.outage)
        at = NOON + 31 * MINUTE
        assert again.outage is not None
        moved = replace(again.outage, seen_at=NOON - later + (again.outage.seen_at - at))
        plan, _ = look(replace(again, outage=moved), 0.7 * RATE, 0.0)
        assert suspected(plan)
        held = held_seconds(replace(again, outage=moved))
        assert (held > 25 * MINUTE) is expected


def test_the_hold_ends_when_requests_are_back_and_fill_the_window() -> None:
    _, memory = look(used_to(RATE), 0.7 * RATE, 0.0)
    _, memory = silence(memory, NOON + 15.0, NOON + 5 * MINUTE)
    plan, memory = look(memory, RATE / 4, RATE, NOON + 5 * MINUTE + 15.0)
    assert suspected(plan)  # else what the window misses would count as a lower demand
    plan, memory = look(memory, RATE, RATE, NOON + 6 * MINUTE)
    assert not suspected(plan)
    assert plan.desired == REPLICAS


def test_more_than_before_is_followed_at_once_when_it_comes_back() -> None:
    _, memory = look(used_to(RATE), 0.7 * RATE, 0.0)
    plan, _ = look(memory, 2 * RATE, 3 * RATE, NOON + MINUTE)
    assert plan.desired > REPLICAS


def test_a_time_of_day_that_usually_ends_it_ends_the_hold() -> None:
    plan, memory = look(used_to(RATE), 0.7 * RATE, 0.0)
    assert suspected(plan)
    plan, _ = look(with_days(memory, 10.0), 0.0, 0.0, NOON + 5 * MINUTE)
    assert not suspected(plan)


def test_nothing_is_learned_from_an_outage() -> None:
    before = used_to(RATE)
    _, memory = look(before, 0.7 * RATE, 0.0)
    _, memory = silence(memory, NOON + 15.0, NOON + 10 * MINUTE)
    assert memory.headroom == before.headroom


def test_metrics_that_go_missing_meanwhile_do_not_end_it() -> None:
    _, memory = look(used_to(RATE), 0.7 * RATE, 0.0)
    for minutes in (1, 4):
        shot = snapshot(observation(STALE, REPLICAS))
        at = NOON + minutes * MINUTE
        memory = decide(replace(shot, at=at), memory_of(memory)).memory.policies[key()]
    plan, _ = look(memory, 0.0, 0.0, NOON + 5 * MINUTE)
    assert suspected(plan)


def test_a_policy_that_knows_nothing_suspects_nothing() -> None:
    plan, memory = look(learned(needs=1), 0.7 * RATE, 0.0)
    assert not suspected(plan)
    assert memory.outage is None
