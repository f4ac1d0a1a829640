"""What waits, since when, and what is expected to come."""

from dataclasses import replace

import pytest

from inference_cost.decide.deadline.backlog import (
    ENTRIES_KEPT,
    History,
    age_seconds,
    backlog_of,
    expected_rate,
    held_back,
    mean_rate,
    remember,
)
from inference_cost.decide.traffic import Traffic, traffic
from inference_cost.model.reading import Missing, MissingReason, Sample
from tests.unit.decide.worlds import NOON, gateway, signals, workload

AHEAD = 200.0


def came(*each: float, seconds: float = 10.0) -> History:
    """So many requests in each of the newest spans, the last one until noon."""
    start = NOON - seconds * len(each)
    times = [(start + seconds * (i + 1), float(n), 0.0) for i, n in enumerate(each)]
    return ((start, 0.0, 0.0), *times)


AGES = {
    "nothing waits": (came(5, 5), 0.0, 0.0),
    "what came last waits": (came(5, 5, 5), 5.0, 10.0),
    "and what came before it": (came(5, 5, 5), 7.0, 20.0),
    "one batch, long ago": (came(0, 100, 0, 0), 50.0, 30.0),
    "more than is known to have come waits since the beginning": (came(5, 5), 50.0, 20.0),
    "nothing is known": ((), 50.0, 0.0),
}


@pytest.mark.parametrize(("history", "free", "age"), AGES.values(), ids=AGES.keys())
def test_the_age_of_the_oldest_at_the_gateway(history: History, free: float, age: float) -> None:
    assert age_seconds(history, free, NOON) == pytest.approx(age)


RATES = {
    "an even load": (came(*[20] * 60), 2.0),
    "a batch that came once": (came(*[0] * 59, 5000), 0.0),
    "a batch on an even load": (came(*[20] * 59, 5000), 2.0),
    "a load that has ended": (came(*[20] * 40, *[0] * 20), 0.0),
    "a load that has grown counts as it was": (came(*[20] * 40, *[40] * 20), 2.0),
    "little is known: the mean over what lies ahead": (came(*[20] * 10), 1.0),
    "a part of the earlier span": (came(*[20] * 30), 2.0),
    "nothing is known": ((), 0.0),
}


@pytest.mark.parametrize(("history", "rate"), RATES.values(), ids=RATES.keys())
def test_what_is_expected(history: History, rate: float) -> None:
    assert expected_rate(history, NOON, AHEAD) == pytest.approx(rate)


def test_the_mean_counts_a_part_of_a_span_in_part() -> None:
    assert mean_rate(came(100, 50), NOON, 15.0) == pytest.approx(100 / 15)


def test_what_the_gateway_holds_back_more_has_come_and_what_it_let_go_came_before() -> None:
    first = remember((), 5.0, 100.0, at=NOON, longest_gap=60.0, span=600.0)
    assert first == ((NOON, 100.0, 100.0),)
    more = remember(first, 5.0, 180.0, at=NOON + 10.0, longest_gap=60.0, span=600.0)
    assert more[-1] == (NOON + 10.0, 50.0 + 80.0, 180.0)
    less = remember(more, 5.0, 100.0, at=NOON + 20.0, longest_gap=60.0, span=600.0)
    assert less[-1] == (NOON + 20.0, 0.0, 100.0)


def test_of_a_long_gap_only_what_was_seen_counts() -> None:
    history = remember(came(50), 5.0, 0.0, at=NOON + 5000.0, longest_gap=60.0, span=86_400.0)
    assert history[-1] == (NOON + 5000.0, 300.0, 0.0)


def test_the_history_of_a_day_is_short_and_complete() -> None:
    history: History = ()
    for i in range(6000):
        history = remember(history, 2.0, 0.0, at=NOON + 15.0 * i, longest_gap=60.0, span=86_400.0)
    assert len(history) <= ENTRIES_KEPT + 1
    seconds = history[-1][0] - history[0][0]
    assert seconds > 85_000.0
    assert sum(came for _, came, _ in history[1:]) == pytest.approx(2.0 * seconds)


def test_queues_are_summed_and_the_longest_is_of_a_pod() -> None:
    read = signals(50.0, 2, pending=Sample(value=30.0, at=NOON))
    seen = traffic(read, workload(2).pods, NOON, 60.0)
    assert isinstance(seen, Traffic)
    found = backlog_of(seen, read)
    assert (found.held, found.longest, found.free) == (60.0, 30.0, 0.0)


@pytest.mark.parametrize("value", [float("nan"), -1.0, float("inf")])
def test_what_makes_no_sense_does_not_wait(value: float) -> None:
    front = gateway(50.0)
    assert held_back(Missing(reason=MissingReason.STALE)) == 0.0
    assert held_back(signals(50.0, 1, gateway=front)) == 0.0
    odd = replace(front, waiting=Sample(value=value, at=NOON))
    assert held_back(signals(50.0, 1, gateway=odd)) == 0.0
