"""Bounds by the clock: when windows hold, where clocks change, several at once, and ahead of their time."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_cost.decide.engine import decide
from inference_cost.decide.explain.explanation import explain
from inference_cost.decide.schedule import _windows, in_force, widest
from inference_cost.model.memory import PolicyMemory
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.policy import Fallback, FallbackBehavior, Mode, Pause, Policy, Schedule
from inference_cost.model.reading import Missing, MissingReason
from tests.unit.decide.worlds import (
    NOON,
    learned,
    memory_of,
    observation,
    plan_of,
    policy,
    snapshot,
)

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
MINUTE, HOUR = 60.0, 3600.0


def at(text: str, zone: str = "UTC", *, second: bool = False) -> float:
    """Of local time; `second`: of the two moments where it comes twice."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=int(second))
    return moment.timestamp()


def schedule(
    start: str, end: str, zone: str = "UTC", least: int | None = 5, most: int | None = None
) -> Schedule:
    return Schedule(
        start=start, end=end, time_zone=zone, name="s", min_replicas=least, max_replicas=most
    )


def lowest(one: Schedule, moment: float, lead: float = 0.0) -> int:
    return in_force(policy(schedules=(one,)), moment, lead).lowest


WEEKDAYS = schedule("0 8 * * 1-5", "0 18 * * 1-5", BERLIN)
# On 2026-03-29 Berlin has no 2:00 to 3:00, on 2026-10-25 it has them twice; New York on 2026-03-08 and 2026-11-01.
WINDOWS: dict[str, tuple[Schedule, float, float, int]] = {
    "from its start on": (WEEKDAYS, at("2026-11-26T08:00", BERLIN), 0.0, 5),
    "not a second earlier": (WEEKDAYS, at("2026-11-26T07:59:59", BERLIN), 0.0, 1),
    "to the last second": (WEEKDAYS, at("2026-11-26T17:59:59", BERLIN), 0.0, 5),
    "its end is not part of it": (WEEKDAYS, at("2026-11-26T18:00", BERLIN), 0.0, 1),
    "not at the weekend": (WEEKDAYS, at("2026-11-28T12:00", BERLIN), 0.0, 1),
    "its zone counts and not UTC": (WEEKDAYS, at("2026-11-26T07:30"), 0.0, 5),
    "over midnight": (schedule("0 22 * * *", "0 6 * * *"), at("2026-11-26T03:00"), 0.0, 5),
    "for months": (schedule("0 0 1 11 *", "0 0 1 3 *"), at("2027-02-15T00:00"), 0.0, 5),
    "a start again within it changes nothing": (
        schedule("0 8-12 * * *", "0 18 * * *"),
        at("2026-11-26T10:30"),
        0.0,
        5,
    ),
    "an end at the moment of a start ends the one before alone": (
        schedule("0 * * * *", "0 12 * * *"),
        at("2026-11-26T12:00"),
        0.0,
        5,
    ),
    "the first end after a start, of several": (
        schedule("0 8 * * *", "30 9,17 * * *"),
        at("2026-11-26T10:00"),
        0.0,
        1,
    ),
    "a leap day that is years away": (
        schedule("0 0 29 2 *", "0 0 1 3 *"),
        at("2028-02-29T12:00"),
        0.0,
        5,
    ),
    "a start that clocks leave out comes right after": (
        schedule("30 2 * * *", "0 4 * * *", BERLIN),
        at("2026-03-29T03:00", BERLIN),
        0.0,
        5,
    ),
    "and not before": (
        schedule("30 2 * * *", "0 4 * * *", BERLIN),
        at("2026-03-29T01:59:59", BERLIN),
        0.0,
        1,
    ),
    "an end that clocks leave out comes right after": (
        schedule("0 1 * * *", "30 2 * * *", BERLIN),
        at("2026-03-29T03:00", BERLIN),
        0.0,
        1,
    ),
    "until it": (
        schedule("0 1 * * *", "30 2 * * *", BERLIN),
        at("2026-03-29T01:59:59", BERLIN),
        0.0,
        5,
    ),
    "a start that comes twice counts the first time": (
        schedule("30 2 * * *", "0 4 * * *", BERLIN),
        at("2026-10-25T02:30", BERLIN),
        0.0,
        5,
    ),
    "and still holds the second time": (
        schedule("30 2 * * *", "0 4 * * *", BERLIN),
        at("2026-10-25T02:15", BERLIN, second=True),
        0.0,
        5,
    ),
    "an end that comes twice counts the first time": (
        schedule("0 1 * * *", "30 2 * * *", BERLIN),
        at("2026-10-25T02:30", BERLIN),
        0.0,
        1,
    ),
    "and does not open again the second time": (
        schedule("0 1 * * *", "30 2 * * *", BERLIN),
        at("2026-10-25T02:15", BERLIN, second=True),
        0.0,
        1,
    ),
    "over both hours of a fold": (
        schedule("30 1 * * *", "30 3 * * *", BERLIN),
        at("2026-10-25T02:45", BERLIN, second=True),
        0.0,
        5,
    ),
    "a start of every real hour after an end that comes once": (
        schedule("*/30 2 * * *", "45 2 * * *", BERLIN),
        at("2026-10-25T12:00", BERLIN),
        0.0,
        5,
    ),
    "a fold on the other side of midnight in UTC": (
        schedule("30 1 * * *", "0 3 * * *", NEW_YORK),
        at("2026-11-01T01:15", NEW_YORK, second=True),
        0.0,
        5,
    ),
    "a day after the fold": (
        schedule("30 1 * * *", "0 3 * * *", NEW_YORK),
        at("2026-11-02T01:29:59", NEW_YORK),
        0.0,
        1,
    ),
    "a start-up time ahead": (WEEKDAYS, at("2026-11-26T07:57", BERLIN), 3 * MINUTE, 5),
    "and no more than that": (WEEKDAYS, at("2026-11-26T07:56:59", BERLIN), 3 * MINUTE, 1),
    "ahead over the end of a day": (
        schedule("1 0 * * *", "0 6 * * *"),
        at("2026-11-26T23:59"),
        3 * MINUTE,
        5,
    ),
    "what is about to end holds until then": (
        WEEKDAYS,
        at("2026-11-26T17:59", BERLIN),
        3 * MINUTE,
        5,
    ),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_when_a_schedule_holds(case: str) -> None:
    one, moment, lead, want = WINDOWS[case]
    assert lowest(one, moment, lead) == want


def test_a_window_over_a_fold_is_an_hour_longer_and_one_over_a_gap_an_hour_shorter() -> None:
    night = schedule("0 0 * * *", "0 6 * * *", BERLIN)

    def minutes(day: str) -> int:
        start = at(f"{day}T00:00", BERLIN) - 6 * HOUR
        return sum(lowest(night, start + MINUTE * i) == 5 for i in range(18 * 60))

    assert [minutes(d) for d in ("2026-03-29", "2026-06-01", "2026-10-25")] == [300, 360, 420]


NIGHT = schedule("0 20 * * *", "0 6 * * *", least=1, most=4)
SEVERAL: dict[str, tuple[Policy, tuple[int, int]]] = {
    "a minimum alone leaves the maximum": (policy(schedules=(schedule("0 * * * *", "59 * * * *"),)), (5, 10)),
    "a maximum alone leaves the minimum": (
        policy(lowest=2, schedules=(schedule("0 * * * *", "59 * * * *", least=None, most=7),)),
        (2, 7),
    ),
    "of several the largest minimum and the largest maximum": (
        policy(
            lowest=6,
            schedules=(
                schedule("0 * * * *", "59 * * * *", least=3, most=4),
                schedule("0 0 * * *", "59 * * * *", least=2, most=8),
            ),
        ),
        (3, 8),
    ),
    "a minimum raises a maximum below it": (
        policy(
            schedules=(
                schedule("0 * * * *", "59 * * * *", least=8),
                schedule("0 * * * *", "58 * * * *", least=None, most=5),
            )
        ),
        (8, 8),
    ),
    "fewer than the policy's minimum": (
        policy(lowest=6, schedules=(schedule("0 * * * *", "59 * * * *", least=0),)),
        (0, 10),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SEVERAL)
def test_bounds_in_force(case: str) -> None:
    one, want = SEVERAL[case]
    found = in_force(one, at("2026-11-26T00:30"), 0.0)
    assert (found.lowest, found.highest) == want


def test_the_minimum_of_the_policy_is_served_when_a_lower_one_ends() -> None:
    one = policy(lowest=6, schedules=(replace(NIGHT, name="night"),))
    found = in_force(one, at("2026-11-26T05:58"), 3 * MINUTE)
    assert (found.lowest, found.highest) == (6, 6)
    assert found.lowest_by is not None
    assert found.lowest_by.code == "schedule-ends"
    assert dict(found.lowest_by.values) == {"name": "night", "replicas": 6, "seconds": 120.0}


def test_what_is_ever_allowed_spans_policy_and_schedules() -> None:
    assert widest(policy(lowest=2)) == (2, 10)
    wide = schedule("0 * * * *", "1 * * * *", least=0, most=12)
    assert widest(policy(lowest=2, schedules=(NIGHT, wide))) == (0, 12)


# --- in a decision ----------------------------------------------------------------------------------------------

START_UP = 180.0


def open_at_noon(least: int | None, most: int | None = None, offset: float = 0.0) -> Schedule:
    """Around `NOON + offset`, to the minute; NOON is 2027-01-15 08:00 UTC."""
    begins = datetime.fromtimestamp(NOON + offset, ZoneInfo("UTC"))
    return Schedule(
        start=f"{begins.minute} {begins.hour} * * *",
        end=f"{begins.minute} {(begins.hour + 4) % 24} * * *",
        name="weekday mornings",
        min_replicas=least,
        max_replicas=most,
    )


def planned(
    one: Schedule, rate: float | Missing = 100.0, replicas: int = 2, **more: object
) -> Plan:
    memory = more.pop("memory", None)
    of = policy(schedules=(one,), **more)
    seen = observation(rate, replicas, of=of)
    return plan_of(seen, memory)  # type: ignore[arg-type]


def told(plan: Plan, one: Schedule) -> str:
    return explain(plan, observation(of=policy(schedules=(one,)))).limited


def test_a_minimum_is_asked_for_and_named() -> None:
    one = open_at_noon(5)
    plan = planned(one)
    assert (plan.desired, plan.limited_by, plan.write) == (5, LimitedBy.SCHEDULE, True)
    assert told(plan, one) == "Schedule 'weekday mornings' asks for at least 5 replicas."


def test_a_maximum_is_kept_and_named() -> None:
    one = open_at_noon(None, 3)
    plan = planned(one, 500.0, 2)
    assert (plan.desired, plan.limited_by) == (3, LimitedBy.SCHEDULE)
    assert told(plan, one) == "Schedule 'weekday mornings' asks for at most 3 replicas."


def test_replicas_above_a_maximum_that_begins_go_at_once() -> None:
    assert planned(open_at_noon(None, 3), 500.0, 8).desired == 3


def test_replicas_are_ordered_a_start_up_ahead() -> None:
    one = open_at_noon(5, offset=START_UP)
    plan = planned(one)
    assert (plan.desired, plan.limited_by) == (5, LimitedBy.SCHEDULE)
    assert told(plan, one) == (
        "Schedule 'weekday mornings' opens in 3 min: at least 5 replicas must serve by then."
    )
    assert planned(open_at_noon(5, offset=START_UP + MINUTE)).desired == 2


def test_a_longer_start_up_orders_earlier() -> None:
    slow = learned(needs=1, start_up_seconds=(590.0,) * 5)
    assert planned(open_at_noon(5, offset=600.0), memory=slow).desired == 5


def test_a_schedule_that_asks_for_no_more_than_needed_is_not_named() -> None:
    plan = planned(open_at_noon(1, 10))
    assert plan.limited_by is not LimitedBy.SCHEDULE
    assert "schedule" not in {reason.code for reason in plan.reasons}


def test_it_holds_in_recommend_as_well() -> None:
    plan = planned(open_at_noon(5), mode=Mode.RECOMMEND)
    assert (plan.desired, plan.limited_by, plan.write) == (5, LimitedBy.SCHEDULE, False)


def test_a_pause_stays_above_it() -> None:
    plan = planned(open_at_noon(5), pause=Pause(source="policy", replicas=1))
    assert (plan.desired, plan.limited_by) == (1, LimitedBy.PAUSED)


GONE = Missing(reason=MissingReason.SOURCE_UNREACHABLE)
AWAY = PolicyMemory(misses=10, last_miss_at=NOON - 15.0)
FALLBACKS: dict[str, tuple[Schedule, int, FallbackBehavior, int]] = {
    "no fewer than the schedule's minimum": (open_at_noon(6), 4, FallbackBehavior.STATIC, 6),
    "no more than its maximum": (open_at_noon(None, 3), 4, FallbackBehavior.STATIC, 3),
    "within both": (open_at_noon(3, 6), 4, FallbackBehavior.STATIC, 4),
    "and removes none where it never does": (
        open_at_noon(None, 1),
        4,
        FallbackBehavior.CURRENT_REPLICAS_IF_HIGHER,
        2,
    ),
}


@pytest.mark.parametrize("case", FALLBACKS)
def test_the_fallback_is_clipped(case: str) -> None:
    one, replicas, behavior, want = FALLBACKS[case]
    fallback = Fallback(failure_threshold=3, replicas=replicas, behavior=behavior)
    plan = planned(one, GONE, memory=AWAY, fallback=fallback)
    assert (plan.desired, plan.limited_by) == (want, LimitedBy.FALLBACK)
    clipped = case.startswith("no ")
    assert ("schedule" in {reason.code for reason in plan.reasons}) is clipped


def test_the_minimum_is_kept_without_metrics() -> None:
    one = open_at_noon(5)
    plan = planned(one, GONE)
    assert (plan.desired, plan.limited_by) == (5, LimitedBy.METRICS_UNAVAILABLE)
    assert told(plan, one) == (
        "Metrics are not available; the minimum of 5 is kept."
        " Schedule 'weekday mornings' asks for at least 5 replicas."
    )


def test_a_time_that_is_none_holds_its_policy_and_no_other_dies() -> None:
    seen = observation(of=policy(schedules=(open_at_noon(5),)))
    for moment in (float("nan"), 1e18, -1e18):
        plan = decide(snapshot(seen, at=moment), memory_of(learned())).plans[seen.policy.key]
        assert plan.desired == 2


# --- properties -------------------------------------------------------------------------------------------------

MINUTES = st.integers(0, 59)
HOURS = st.integers(0, 23)
CRONS = st.builds("{} {} * * {}".format, MINUTES, HOURS, st.sampled_from(["*", "1-5", "0", "3,6"]))
SCHEDULES = st.builds(
    Schedule,
    start=CRONS,
    end=CRONS,
    time_zone=st.sampled_from(["UTC", BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kolkata"]),
    min_replicas=st.none() | st.integers(0, 20),
    max_replicas=st.none() | st.integers(1, 20),
)
TIMES = st.floats(at("2026-01-01T00:00"), at("2027-01-01T00:00"))


@settings(deadline=None)
@given(st.lists(SCHEDULES, max_size=3), TIMES, st.floats(0.0, 2 * HOUR))
def test_the_minimum_is_that_of_the_worst_moment_ahead(
    schedules: list[Schedule], moment: float, lead: float
) -> None:
    one = policy(lowest=3, schedules=tuple(schedules))
    ahead = [*range(0, int(lead), 60), lead]
    at_times = [in_force(one, (moment + s) // 60 * 60 if s else moment, 0.0).lowest for s in ahead]
    found = in_force(one, moment, lead)
    assert found.lowest == max(at_times)
    assert found.highest >= max(found.lowest, 1)


@st.composite
def fields(draw: st.DrawFn) -> tuple[int, int, frozenset[int]]:
    """Minute, hour, and the days of the week that are meant, Sunday as 0."""
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    return draw(MINUTES), draw(HOURS), days


@settings(deadline=None, max_examples=50)
@given(fields(), fields(), st.integers(0, 364 * 24 * 60))
def test_a_schedule_holds_where_a_minute_by_minute_look_back_says_so(
    start: tuple[int, int, frozenset[int]], end: tuple[int, int, frozenset[int]], minute: int
) -> None:
    moment = at("2026-01-01T00:00") + MINUTE * minute

    def due(of: tuple[int, int, frozenset[int]], back: int) -> bool:
        then = datetime.fromtimestamp(moment - MINUTE * back, ZoneInfo("UTC"))
        return (then.minute, then.hour) == of[:2] and then.isoweekday() % 7 in of[2]

    def cron(of: tuple[int, int, frozenset[int]]) -> str:
        return f"{of[0]} {of[1]} * * {','.join(map(str, sorted(of[2])))}"

    last = next((b for b in range(7 * 24 * 60 + 1) if due(start, b) or due(end, b)), None)
    holds = last is not None and due(start, last)
    assert (lowest(schedule(cron(start), cron(end)), moment) == 5) is holds


def test_windows_are_found_once_a_day() -> None:
    one = policy(schedules=(WEEKDAYS, NIGHT))
    begin = at("2031-11-26T07:00", BERLIN)
    before = _windows.cache_info().misses
    for i in range(1000):
        in_force(one, begin + i, 180.0)
    assert _windows.cache_info().misses - before == len(one.schedules)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(SCHEDULES, max_size=3),
    st.floats(0.0, 2000.0) | st.just(GONE),
    st.integers(1, 30),
    st.integers(0, 10),
)
def test_every_decision_keeps_the_bounds_in_force(
    schedules: list[Schedule], rate: float | Missing, replicas: int, misses: int
) -> None:
    """Without metrics what runs may stay, whatever the maximum."""
    fallback = Fallback(failure_threshold=3, replicas=4, behavior=FallbackBehavior.STATIC)
    of = policy(lowest=2, highest=12, schedules=tuple(schedules), fallback=fallback)
    memory = learned(needs=1, misses=misses, start_up_seconds=(180.0,) * 5)
    plan = plan_of(observation(rate, replicas, of=of), memory)
    found = in_force(of, NOON, 180.0 + 15.0)
    held = plan.limited_by is LimitedBy.METRICS_UNAVAILABLE
    assert max(found.lowest, 1) <= plan.desired
    assert plan.desired <= (max(found.highest, replicas) if held else found.highest)
    assert explain(plan, observation(rate, replicas, of=of)).message
