"""A past, look by look."""

from math import nan

import numpy as np

from inference_cost.decide.headroom import history, regression
from inference_cost.decide.headroom.learned import AGE, DEMAND, Learned
from tests.unit.decide.headroom.cases import MIDNIGHT, TICK, look, nothing_learned, serving


def relived(looks: int, *, gap_before: int = 0, ready: int = 10) -> Learned:
    learned, numbers = nothing_learned(), np.arange(looks)
    rates = 100 + 10 * np.sin(numbers)
    past = np.column_stack((MIDNIGHT + TICK * numbers, np.full(looks, TICK), rates, rates))
    past[gap_before, 1] = nan
    history.relive(learned, look(0.0), serving(ready=ready), past)
    return learned


def test_a_past_counts_as_watched() -> None:
    learned = relived(100)
    assert learned.numbers[AGE] == 100 * TICK
    assert learned.numbers[DEMAND] > 0
    assert np.isfinite(learned.expected).sum() == 48 * 3


def test_after_a_gap_nothing_had_been_expected() -> None:
    learned = relived(100, gap_before=90)
    assert learned.numbers[AGE] == 100 * TICK
    assert np.isfinite(learned.expected).sum() == 10 * 3
    ahead = [regression.looks_ahead(look(1.0), i) for i in range(3)]
    assert max(ahead) > 10  # so that the longest horizon learned nothing since


def test_the_own_fleet_was_in_time() -> None:
    learned = relived(100, ready=1)
    assert learned.backlog[-1] == 0
    assert learned.numbers[DEMAND] > 0  # its queue would have kept the record from beginning
