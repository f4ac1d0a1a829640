"""What counts of a run: shares between nothing and everything."""

import numpy as np

from inference_cost.simulate.backtest import compare
from inference_cost.simulate.result import worst
from tests.unit.simulate.worlds import policy, rates, scenario


def test_no_share_is_negative_where_smoothed_arrivals_reach_over_the_excluded_minutes() -> None:
    """An objective over half a step has its arrivals averaged: late ones of before the cut lie behind it then."""
    quiet_after_a_burst = rates(9_000.0, 1.0, seconds=600.0)
    slow = scenario(quiet_after_a_burst, policy=policy(threshold=8.0), exclude_first_seconds=600.0)
    (ours,) = compare(slow).outcomes
    assert ours.late <= ours.requests
    assert ours.attained_fraction >= 0.0
    assert ours.worst_hour_fraction >= 0.0


def test_the_worst_span_counts_at_most_what_was_asked_in_it() -> None:
    assert worst(np.array([4.0, 1.0]), np.array([0.0, 2.0]), 1.0) == 0.0
