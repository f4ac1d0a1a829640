"""What one replica makes late, by load: compiled, for it is asked anew whenever the service time was learned."""

from math import exp
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import Floats

Cells = NDArray[np.float64]  # (batches, per-item shares, loads, figures)

SMALLEST_STEP: Final = 1e-9


class Table(NamedTuple):
    """Figures by load, for each of some batch sizes and shares that the items have in the time of a full batch."""

    batches: Floats  # binary logarithms
    shares: Floats
    cells: Cells


class Grid(NamedTuple):
    """What the figures of a replica are tabulated for. Its first figure is no quantile."""

    loads: Floats
    tails: Floats  # -ln of the share beyond each quantile, 0 first


@compiled
def blended(table: Table, batch: float, share: float) -> Floats:
    """(loads, figures) between the four nearest cells."""
    i, more_batch = _bracket(table.batches, batch)
    j, more_share = _bracket(table.shares, share)
    lower, upper = table.cells[i], table.cells[i + 1]
    figures: Floats = np.empty_like(lower[j])
    for load in range(figures.shape[0]):
        for one in range(figures.shape[1]):
            figure = lower[j, load, one] * ((1 - more_batch) * (1 - more_share))
            figure += lower[j + 1, load, one] * ((1 - more_batch) * more_share)
            figure += upper[j, load, one] * (more_batch * (1 - more_share))
            figure += upper[j + 1, load, one] * (more_batch * more_share)
            figures[load, one] = figure
    return figures


@compiled
def between_figures(figures: Floats, lower: int, weight: float) -> Floats:
    """(loads,) between one figure and the next, or beyond."""
    times = np.empty(len(figures))
    for load in range(len(times)):
        time = figures[load, lower]
        times[load] = time + weight * (figures[load, lower + 1] - time)
    return times


@compiled
def late_curve(grid: Grid, figures: Floats, threshold: float, loads: Floats) -> Floats:
    """Share later than the threshold, in times of a full batch, at each of the loads."""
    tails, last = _tails_by_load(grid, figures, threshold), grid.loads[-1]
    late = np.empty(len(loads))
    for i in range(len(loads)):
        load = loads[i]
        if load >= 1.0:
            late[i] = 1.0
        elif load > last:
            late[i] = exp(-tails[-1] * (1 - load) / (1 - last))
        else:
            late[i] = exp(-_between(grid.loads, tails, load))
    return late


@compiled
def time_curve(grid: Grid, times: Floats, loads: Floats) -> Floats:
    """The time, of one figure, at each of the loads below capacity; beyond the grid it grows as 1 ÷ (1 - load)."""
    found, last = np.empty(len(loads)), grid.loads[-1]
    for i in range(len(loads)):
        if loads[i] > last:
            found[i] = times[-1] * (1 - last) / (1 - loads[i])
        else:
            found[i] = _between(grid.loads, times, loads[i])
    return found


@compiled
def most_in_time(loads: Floats, late: Floats) -> float:
    """Largest share of capacity that is served in time."""
    most = 0.0
    for i in range(len(loads)):
        most = max(most, loads[i] * (1.0 - late[i]))
    return most


@compiled
def _tails_by_load(grid: Grid, figures: Floats, threshold: float) -> Floats:
    """-ln of the share later than the threshold; straight between the tabulated quantiles and beyond."""
    tails, times = np.empty(len(grid.loads)), np.zeros(len(grid.tails))
    least = np.inf
    for load in range(len(tails)):
        times[1:] = figures[load, 1:]
        lower = min(max(_not_above(times, threshold) - 1, 0), len(times) - 2)
        step = max(times[lower + 1] - times[lower], SMALLEST_STEP)
        rise = grid.tails[lower + 1] - grid.tails[lower]
        least = min(least, grid.tails[lower] + (threshold - times[lower]) / step * rise)
        tails[load] = least
    return tails


@compiled
def _not_above(rising: Floats, value: float) -> int:
    """How many are at most the value."""
    count = 0
    while count < len(rising) and rising[count] <= value:
        count += 1
    return count


@compiled
def _between(grid: Floats, values: Floats, at: float) -> float:
    """Between neighbors of the grid; outside it as at its edge."""
    lower, weight = _bracket(grid, at)
    return float(values[lower] + weight * (values[lower + 1] - values[lower]))


@compiled
def _bracket(grid: Floats, value: float) -> tuple[int, float]:
    """Index of the lower neighbor and the weight of the upper one; values outside use the edge."""
    lower = min(max(_not_above(grid, value) - 1, 0), len(grid) - 2)
    weight = (value - grid[lower]) / (grid[lower + 1] - grid[lower])
    return lower, min(max(weight, 0.0), 1.0)
