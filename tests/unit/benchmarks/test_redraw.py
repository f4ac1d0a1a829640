"""Gaps, smoothing, finer bins and the draw, each against what it must keep."""

import numpy as np
import pytest

from benchmarks.traces.redraw import draw, finer, smoothed, without_gaps

SERIES = np.array([1.0, 4.0, 9.0, 16.0, 25.0, 36.0])


def test_a_gap_is_the_line_between_its_neighbors() -> None:
    gap = np.array([False, True, True, False, False, True])
    assert without_gaps(SERIES, gap).tolist() == [1.0, 6.0, 11.0, 16.0, 25.0, 25.0]


def test_only_gaps_are_refused() -> None:
    with pytest.raises(ValueError, match="no value"):
        without_gaps(SERIES, np.ones(6, dtype=bool))


def test_smoothing_takes_half_a_bin_at_either_end() -> None:
    spike = np.array([0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0])
    assert smoothed(spike, 4)[2:5].tolist() == pytest.approx([2.0, 2.0, 2.0])
    assert smoothed(spike, 4)[1] == pytest.approx(8 * 0.5 / 3.5)  # a shorter window at the end


def test_smoothing_keeps_a_constant_and_the_place_of_a_line() -> None:
    line = np.arange(40.0)
    assert smoothed(np.full(40, 3.0), 18) == pytest.approx(np.full(40, 3.0))
    assert smoothed(line, 18)[9:-9] == pytest.approx(line[9:-9])  # no delay


def test_finer_bins_are_linear_between_window_centers() -> None:
    fine = finer(np.array([10.0, 40.0, 10.0]), 30.0, 10.0)
    assert fine.tolist() == pytest.approx([10.0, 10.0, 20.0, 30.0, 40.0, 30.0, 20.0, 10.0, 10.0])


@pytest.mark.parametrize("idc", [1.5, 2.0, 8.0])
def test_counts_have_the_mean_and_the_burstiness_asked_for(idc: float) -> None:
    means = np.repeat([5.0, 50.0, 400.0], 40_000)
    counts = draw(means, idc, seed=7).reshape(3, -1)
    assert counts.mean(axis=1) == pytest.approx([5.0, 50.0, 400.0], rel=0.02)
    assert counts.var(axis=1) / counts.mean(axis=1) == pytest.approx([idc] * 3, rel=0.04)


def test_no_load_draws_no_requests() -> None:
    assert draw(np.zeros(5), 2.0, seed=1).tolist() == [0.0] * 5


def test_the_seed_decides_the_draw() -> None:
    means = np.full(50, 20.0)
    assert draw(means, 2.0, 1).tolist() == draw(means, 2.0, 1).tolist()
    assert draw(means, 2.0, 1).tolist() != draw(means, 2.0, 2).tolist()


def test_less_bursty_than_poisson_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="above 1"):
        draw(np.ones(3), 1.0, seed=1)
