"""Shares late by load, between the cells of a small table."""

from math import exp, log

import numpy as np
import pytest

from inference_cost.decide.headroom import lateness
from inference_cost.decide.headroom.lateness import Grid, Table

# Two loads; half of the requests take 1 or 2 full batches at most, nine in ten 3 or 6. Twice that in the last cell.
FIGURES = np.array([[0.0, 1.0, 3.0], [0.0, 2.0, 6.0]])
CELLS = np.array([[FIGURES, FIGURES], [FIGURES, 2 * FIGURES]])
GRID = Grid(loads=np.array([0.2, 0.8]), tails=np.array([0.0, log(2.0), log(10.0)]))
PLACES = np.array([0.0, 1.0])  # of the cells, either way
TABLE = Table(batches=PLACES, shares=PLACES, cells=CELLS)


def late(threshold: float, load: float, batch: float = 0.0, share: float = 0.0) -> float:
    figures = lateness.blended(TABLE, batch, share)
    return float(lateness.late_curve(GRID, figures, threshold, np.array([load]))[0])


@pytest.mark.parametrize(
    ("threshold", "load", "share"),
    [
        (1.0, 0.2, 0.5),
        (3.0, 0.2, 0.1),
        (2.0, 0.8, 0.5),
        (0.5, 0.2, exp(-log(2.0) / 2)),
        (5.0, 0.2, exp(-log(10.0) - log(5.0))),
        (3.0, 0.1, 0.1),
        (2.0, 0.9, exp(-log(2.0) / 2)),
        (2.0, 1.0, 1.0),
        (2.0, 1.7, 1.0),
    ],
    ids=[
        "at the first quantile",
        "at the last quantile",
        "at the last load",
        "before the first quantile",
        "beyond the last quantile",
        "below the first load",
        "half way to capacity",
        "at capacity",
        "above capacity",
    ],
)
def test_the_table_is_read(threshold: float, load: float, share: float) -> None:
    assert late(threshold, load) == pytest.approx(share)


@pytest.mark.parametrize(
    ("place", "median"),
    [
        ((1.0, 1.0), 2.0),
        ((0.5, 1.0), 1.5),
        ((0.5, 0.5), 1.25),
        ((0.0, 1.0), 1.0),
        ((3.0, 3.0), 2.0),
        ((1.0, 0.0), 1.0),
    ],
)
def test_times_between_cells_are_their_weighted_mean(
    place: tuple[float, float], median: float
) -> None:
    assert late(median, 0.2, *place) == pytest.approx(0.5)


@pytest.mark.parametrize(("weight", "times"), [(0.0, [1, 2]), (0.5, [2, 4]), (2.0, [5, 10])])
def test_figures_between_two_and_beyond(weight: float, times: list[float]) -> None:
    assert lateness.between_figures(FIGURES, 1, weight).tolist() == times


def test_more_load_is_never_less_late() -> None:
    falling = FIGURES[::-1].copy()
    low, high = lateness.late_curve(GRID, falling, 2.0, np.array([0.2, 0.8]))
    assert low == high == pytest.approx(0.5)


def test_the_most_in_time_is_between_too_little_load_and_too_many_late() -> None:
    loads = np.array([0.0, 0.5, 1.0])
    assert lateness.most_in_time(loads, np.array([0.0, 0.1, 0.8])) == pytest.approx(0.45)
