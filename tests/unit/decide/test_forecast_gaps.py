"""Forecasts across a gap in the demand that was seen: a new leader, or Prometheus away for a while."""

import pytest

from inference_cost.decide.forecast import lasting_slope
from inference_cost.decide.forecast import remember as remember_demand

WINDOW = 8.0


@pytest.mark.parametrize("gap_seconds", [3.0, 9.0, 17.0, 60.0, 600.0])
@pytest.mark.parametrize("ticks_since", [1, 2, 3, 4, 6])
def test_a_gap_is_no_trend_and_no_failure(gap_seconds: float, ticks_since: int) -> None:
    history: tuple[tuple[float, float], ...] = ()
    before = [3.0 * tick for tick in range(10)]
    after = [before[-1] + gap_seconds + 3.0 * tick for tick in range(ticks_since)]
    for at in (*before, *after):
        history = remember_demand(history, at, 100.0, span=1000.0)
    assert lasting_slope(history, WINDOW) == 0.0
