"""WVA's token law by worked examples, and the HPA of its chart behind it."""

from collections.abc import Callable
from math import nan

import pytest

from inference_cost.simulate.baselines import wva
from inference_cost.simulate.baselines.seen import Seen

# A replica supplies 10 requests/s; scale up above 0.85 of the supply, down below 0.70.
LAW = {
    "between the thresholds: no change": (10, 10, 80.0, 10),
    "100 / 0.85 is 117.6: two replicas more than ten": (10, 10, 100.0, 12),
    "at exactly 0.85 of the supply: no change": (20, 20, 170.0, 20),
    "starting replicas are supply: what they cover is not ordered twice": (12, 10, 100.0, 12),
    "a large step comes in one": (2, 2, 100.0, 12),
    "40 / 0.70 is 57.1: four of ten are spare": (10, 10, 40.0, 6),
    "a spare part of a replica is kept": (10, 10, 64.0, 10),
    "only ready supply is spare, but it is taken from all": (10, 8, 40.0, 8),
    "no load leaves one": (10, 10, 0.0, 1),
    "without data: no change": (10, 10, nan, 10),
}


@pytest.mark.parametrize(("replicas", "ready", "rate", "expected"), LAW.values(), ids=LAW)
def test_token_law(
    look: Callable[..., Seen], replicas: int, ready: int, rate: float, expected: int
) -> None:
    seen = look(replicas=replicas, ready=ready, rate=rate)
    state = wva.new_state(wva.DEFAULT, replicas)
    assert wva.law(seen, wva.DEFAULT, state) == expected


def test_bounds(look: Callable[..., Seen]) -> None:
    state = wva.new_state(wva.DEFAULT, 5)
    assert wva.law(look(replicas=5, rate=500.0, max_replicas=9), wva.DEFAULT, state) == 9
    assert wva.law(look(replicas=5, rate=1.0, min_replicas=4), wva.DEFAULT, state) == 4


def test_zero_after_ten_silent_minutes_where_the_minimum_is_zero(
    look: Callable[..., Seen],
) -> None:
    def replicas(silent_seconds: float, lowest: int) -> int:
        state = wva.new_state(wva.DEFAULT, 1)
        wva.law(look(at=60.0, rate=3.0, min_replicas=lowest), wva.DEFAULT, state)
        seen = look(at=60.0 + silent_seconds, rate=0.0, min_replicas=lowest)
        return wva.law(seen, wva.DEFAULT, state)

    assert replicas(540.0, 0) == 1
    assert replicas(600.0, 0) == 0
    assert replicas(600.0, 1) == 1


def test_each_request_starts_the_silence_anew(look: Callable[..., Seen]) -> None:
    state = wva.new_state(wva.DEFAULT, 1)
    written = [
        wva.law(look(at=at, rate=rate, min_replicas=0), wva.DEFAULT, state)
        for at, rate in ((0.0, 3.0), (300.0, 3.0), (600.0, 0.0), (900.0, 0.0))
    ]
    assert written == [1, 1, 1, 0]


def syncs(
    look: Callable[..., Seen],
    rates: list[float],
    *,
    start: int,
    knobs: wva.Knobs = wva.CHART,
) -> list[int]:
    """Replicas after each sync of the HPA, every 15 s; what is written is ready at once."""
    state = wva.new_state(knobs, start)
    replicas, counts = start, []
    for sync, rate in enumerate(rates):
        seen = look(at=sync * 15.0, replicas=replicas, rate=rate)
        replicas = wva.desired(seen, knobs, state)
        counts.append(replicas)
    return counts


def test_without_the_up_window_the_first_sync_follows(look: Callable[..., Seen]) -> None:
    assert syncs(look, [100.0] * 3, start=5, knobs=wva.DEFAULT) == [12, 12, 12]


def test_without_the_up_window_the_way_down_waits_all_the_same(look: Callable[..., Seen]) -> None:
    assert syncs(look, [14.0] * 17, start=5, knobs=wva.DEFAULT) == [5] * 16 + [2]


def test_the_chart_waits_240_s_on_the_way_up(look: Callable[..., Seen]) -> None:
    assert syncs(look, [100.0] * 17, start=5) == [5] * 16 + [12]


def test_the_chart_waits_240_s_on_the_way_down(look: Callable[..., Seen]) -> None:
    assert syncs(look, [14.0] * 17, start=5) == [5] * 16 + [2]


def test_the_chart_adds_ten_pods_in_150_s(look: Callable[..., Seen]) -> None:
    assert syncs(look, [1000.0] * 28, start=5) == [5] * 16 + [15] * 10 + [25] * 2


def test_the_chart_publishes_every_minute(look: Callable[..., Seen]) -> None:
    state = wva.new_state(wva.DEFAULT, 5)
    published = []
    for at, rate in ((0.0, 40.0), (15.0, 100.0), (45.0, 100.0), (60.0, 100.0), (75.0, 40.0)):
        wva.desired(look(at=at, replicas=5, rate=rate), wva.DEFAULT, state)
        published.append(int(state.published.replicas[0]))
    assert published == [5, 5, 5, 12, 12]


def test_the_chart_does_not_follow_a_step_within_the_tolerance(look: Callable[..., Seen]) -> None:
    """One replica more than eleven is a ratio of 1.09."""
    assert syncs(look, [100.0] * 40, start=11) == [11] * 40


def test_grid_and_label() -> None:
    assert len(wva.GRID) == 11
    assert wva.DEFAULT in wva.GRID
    assert wva.label(wva.DEFAULT) == "up 0.85, down 0.70"
