"""llm-d's SLO-aware law: its formula by values, its smoothing, and the HPA behind it."""

from collections.abc import Callable
from math import nan

import pytest

from inference_cost.simulate.baselines import llmd_slo
from inference_cost.simulate.baselines.seen import Seen

FORMULA = {
    "between 0.40 and 0.55: hold": (0.50, 4, 4, 4),
    "at the upper threshold: hold": (0.55, 4, 4, 4),
    "at the lower threshold: hold": (0.40, 4, 4, 4),
    "twice the upper threshold: twice the replicas": (1.10, 4, 4, 8),
    "a little over: one more": (0.56, 4, 4, 5),
    "replicas that start are credited: 0.825 x 4 / 6 is the threshold": (0.825, 6, 4, 6),
    "beyond the credit the deficit is asked for": (1.10, 6, 4, 8),
    "an over-credited ask is less than there is, and left to the window": (0.60, 8, 4, 5),
    "none ready: no credit": (1.10, 4, 0, 8),
    "half the lower threshold: half the replicas": (0.20, 4, 4, 2),
    "scale-down is not credited": (0.20, 4, 2, 2),
    "a part of a replica is kept": (0.35, 4, 4, 4),
    "idle: none, before the minimum": (0.0, 4, 4, 0),
}


@pytest.mark.parametrize(
    ("saturation", "replicas", "ready", "expected"), FORMULA.values(), ids=FORMULA
)
def test_formula(saturation: float, replicas: int, ready: int, expected: int) -> None:
    assert llmd_slo.formula(saturation, replicas, ready, 0.55) == expected


def syncs(look: Callable[..., Seen], saturations: list[float], *, start: int) -> list[int]:
    """Replicas after each sync, every 15 s; what is written is ready at once. The objective is 1 s."""
    state = llmd_slo.new_state(llmd_slo.DEFAULT, start)
    replicas, counts = start, []
    for sync, saturation in enumerate(saturations):
        seen = look(at=sync * 15.0, replicas=replicas, latency_p90_seconds=saturation)
        replicas = llmd_slo.desired(seen, llmd_slo.DEFAULT, state)
        counts.append(replicas)
    return counts


def test_up_after_30_s_and_at_most_double_or_four_more_a_minute(
    look: Callable[..., Seen],
) -> None:
    """The seed holds two syncs; four replicas more is also 100 %; the next step is a minute later."""
    assert syncs(look, [2.0] * 7, start=4) == [4, 4, 8, 8, 8, 8, 16]


def test_down_one_pod_in_120_s_after_180_s(look: Callable[..., Seen]) -> None:
    assert syncs(look, [0.1] * 21, start=6) == [6] * 12 + [5] * 8 + [4]


def test_a_spike_is_capped_before_it_is_averaged(look: Callable[..., Seen]) -> None:
    """90 x the objective counts as 2: with two quiet samples the mean is 0.67 and not 30."""
    state = llmd_slo.new_state(llmd_slo.DEFAULT, 9)
    quiet, spike = look(replicas=9), look(replicas=9, latency_p90_seconds=90.0)
    for seen in (quiet, quiet, spike):
        llmd_slo.desired(seen, llmd_slo.DEFAULT, state)
    assert list(state.saturation) == [2.0, 0.0, 0.0]


def test_the_mean_is_over_three_samples(look: Callable[..., Seen]) -> None:
    """2.0 among 0.45 is 0.97 for three syncs: 16 are asked for, and the window wants it twice."""
    assert syncs(look, [0.45, 0.45, 2.0] + [0.45] * 4, start=9) == [9, 9, 9] + [16] * 4
    assert syncs(look, [0.45, 0.45, 0.60, 0.45, 0.45, 0.45], start=9) == [9] * 6


def test_no_latency_is_an_idle_fleet(look: Callable[..., Seen]) -> None:
    assert syncs(look, [nan] * 13, start=3) == [3] * 12 + [2]


def test_the_hpa_behind_ignores_a_step_within_its_tolerance(look: Callable[..., Seen]) -> None:
    """0.56 asks for one more than twenty: a ratio of 1.05."""
    assert syncs(look, [0.56] * 4, start=20) == [20] * 4


def test_grid_and_label() -> None:
    assert len(llmd_slo.GRID) == 14
    assert llmd_slo.DEFAULT in llmd_slo.GRID
    assert llmd_slo.label(llmd_slo.DEFAULT) == "up 0.55, down 0.40"
