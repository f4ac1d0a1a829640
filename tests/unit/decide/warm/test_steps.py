"""By how much more a policy needed one start later, and how far others grew at the same time."""

from dataclasses import replace
from math import sqrt
from random import Random

import numpy as np
import pytest

from inference_cost.decide.warm.steps import (
    ENDS,
    KEPT_PER_START,
    compare,
    correlation,
    deviation,
    grown,
    seconds_seen,
    see,
    step,
)
from inference_cost.model.warm import WarmRecord

START = 60.0
TICK = 15.0


def watched(*filled: float, start: float = START, record: WarmRecord | None = None) -> WarmRecord:
    record = record or WarmRecord(looked_at=0.0)
    for i, one in enumerate(filled):
        record = see(record, record.looked_at + TICK if i or record.recent else TICK, one, start)
    return record


def classes(record: WarmRecord) -> dict[float, float]:
    return {end: round(s) for end, s in zip(ENDS, record.steps, strict=False) if s > 0.5}


def test_nothing_is_known_before_a_start_is_looked_back_on() -> None:
    assert seconds_seen(watched(1.0, 1.0, 1.0, 1.0)) == 0
    assert classes(watched(1.0, 1.0, 1.0, 1.0, 1.0)) == {0.0: 15}


def test_a_burst_is_counted_for_as_long_as_it_is_new() -> None:
    """One that lasts longer than a start is served by then."""
    found = watched(*[1.0] * 5, *[3.0] * 8)
    growth = sqrt(3 + 1) - sqrt(1 + 1)
    expected = next(end for end in ENDS if end >= growth)
    assert classes(found) == {0.0: 15 + 4 * 15, expected: 4 * 15}


def test_less_than_before_is_no_step() -> None:
    assert classes(watched(*[3.0] * 5, *[1.0] * 4)) == {0.0: 5 * 15}


def test_after_a_gap_what_was_before_says_nothing() -> None:
    record = watched(*[1.0] * 5)
    later = see(record, record.looked_at + 601.0, 9.0, START)
    assert later.steps == record.steps
    assert later.recent == ((later.looked_at, 9.0),)


def test_the_longest_tick_is_no_gap() -> None:
    record = watched(*[1.0] * 5)
    later = see(record, record.looked_at + 600.0, 9.0, START)
    assert seconds_seen(later) == pytest.approx(seconds_seen(record) + 600.0, rel=0.01)


def test_a_clock_that_stands_counts_nothing() -> None:
    record = watched(*[1.0] * 6)
    assert see(record, record.looked_at, 9.0, START) == record


def test_what_is_kept_reaches_back_one_start_and_is_bounded() -> None:
    record = watched(*[1.0] * 500, start=3000.0)
    assert record.recent[0][0] <= record.looked_at - 3000.0 < record.recent[1][0]
    assert len(record.recent) <= KEPT_PER_START + 3


def test_the_step_of_now_is_against_one_start_ago() -> None:
    record = watched(*[1.0] * 5)
    found = step(record, record.looked_at + TICK, 7.0, START)
    assert found == pytest.approx(sqrt(7 + 1) - sqrt(1 + 1))
    assert found is not None
    assert grown(1.0, np.array([found])) == pytest.approx([7.0])
    assert step(WarmRecord(), 0.0, 1.0, START) is None


def test_old_steps_fade() -> None:
    record = replace(watched(*[1.0] * 6), steps=(100.0,) * len(ENDS))
    assert 99.9 < watched(*[1.0] * 20, record=record).steps[3] < 100.0


_CHANCE = Random(1)  # noqa: S311
SWINGS, OTHERS = ([_CHANCE.expovariate(0.5) for _ in range(6_000)] for _ in range(2))


def together(ours: list[float], theirs: list[float]) -> float:
    records = [WarmRecord(), WarmRecord()]
    for i, pair in enumerate(zip(ours, theirs, strict=True)):
        at, before = (i + 1) * TICK, records
        records = [see(one, at, filled, START) for one, filled in zip(records, pair, strict=True)]
        found = [step(old, at, filled, START) for old, filled in zip(before, pair, strict=True)]
        records = compare(records, found, TICK)
    assert all(deviation(one) > 0 for one in records)
    return correlation(records)


def test_correlation_begins_high_and_follows_what_is_seen() -> None:
    assert correlation([]) == pytest.approx(0.3)
    assert 0.35 < together(SWINGS[:300], SWINGS[:300]) < together(SWINGS, SWINGS)
    assert together(SWINGS, SWINGS) > 0.9
    assert together(SWINGS, OTHERS) < 0.05


def test_one_alone_has_nobody_to_be_compared_with() -> None:
    record = watched(*SWINGS[:50])
    assert compare([record], [1.0], TICK) == [record]
    assert compare([record, record], [1.0, None], TICK) == [record, record]
