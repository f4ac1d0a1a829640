"""The rate of the newest slice: a step shows at once, a burst that is over hardly shows again."""

import pytest

from inference_cost.decide.forecast import newest_rate

WINDOW, TICK = 8.0, 3.0
History = tuple[tuple[float, float], ...]


def seen(bounds: list[float], rates: list[float], until: float) -> History:
    """Exact window averages at each tick; `rates[i]` holds before `bounds[i]`, the last one afterwards."""
    edges = [-1000.0, *bounds, 1000.0]

    def average(at: float) -> float:
        parts = zip(edges, edges[1:], rates, strict=False)
        inside = (max(min(b, at) - max(a, at - WINDOW), 0.0) * rate for a, b, rate in parts)
        return sum(inside) / WINDOW

    first = -30.0
    ticks = [first + TICK * i for i in range(int((until - first) / TICK) + 1)]
    return tuple((at, average(at)) for at in ticks)


@pytest.mark.parametrize("tick", range(2, 9))
def test_a_burst_that_is_over_is_not_ordered_for_again(tick: int) -> None:
    history = seen([0.0, 3.0], [200.0, 420.0, 110.0], until=tick * TICK)
    assert newest_rate(history, WINDOW) <= 1.5 * history[-1][1]


def test_a_step_shows_in_the_first_window_that_has_a_slice_of_it() -> None:
    history = seen([0.0], [200.0, 400.0], until=TICK)
    assert history[-1][1] < 280.0
    assert newest_rate(history, WINDOW) >= 350.0


def test_a_step_soon_after_a_fall_shows_too() -> None:
    history = seen([0.0, 6.0], [400.0, 100.0, 300.0], until=9.0)
    assert newest_rate(history, WINDOW) > history[-1][1]
