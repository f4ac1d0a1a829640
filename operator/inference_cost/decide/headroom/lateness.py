"""What one replica makes late, by load: compiled, for it is asked anew whenever the service time was learned."""

from math import exp
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inference_cost.decide.headroom.compiled import compiled
from inference_cost.decide.headroom.learned import Floats

SMALLEST_STEP: Final = 1e-9


class Cell(NamedTuple):
    """A place between four cells of the latency table: the lower ones, and the weights of the upper ones."""

    batch: int
    batch_weight: float
    share: int
    share_weight: float


class Table(NamedTuple):
    """The latency table. The first figure of a load is no quantile."""

    cells: NDArray[np.float64]  # (batches, shares, loads, figures)
    loads: Floats
    tails: Floats  # -ln of the share beyond each quantile, 0 first


@compiled
def late_curve(table: Table, cell: Cell, threshold: float, loads: Floats) -> Floats:
    """Share later than the threshold, in times of a full batch, at each of the loads."""
    tails, last = _tails_by_load(table, cell, threshold), table.loads[-1]
    late = np.empty(len(loads))
    for i in range(len(loads)):
        load = loads[i]
        if load >= 1.0:
            late[i] = 1.0
        elif load > last:
            late[i] = exp(-tails[-1] * (1 - load) / (1 - last))
        else:
            late[i] = exp(-_between(table.loads, tails, load))
    return late


@compiled
def most_in_time(loads: Floats, late: Floats) -> float:
    """Largest share of capacity that is served in time."""
    most = 0.0
    for i in range(len(loads)):
        most = max(most, loads[i] * (1.0 - late[i]))
    return most


@compiled
def _tails_by_load(table: Table, cell: Cell, threshold: float) -> Floats:
    """-ln of the share later than the threshold; straight between the tabulated quantiles and beyond."""
    tails, times = np.empty(len(table.loads)), np.zeros(len(table.tails))
    for load in range(len(tails)):
        for i in range(1, len(times)):
            times[i] = _blended(table.cells, cell, load, i)
        lower = min(max(_not_above(times, threshold) - 1, 0), len(times) - 2)
        step = max(times[lower + 1] - times[lower], SMALLEST_STEP)
        rise = table.tails[lower + 1] - table.tails[lower]
        tails[load] = table.tails[lower] + (threshold - times[lower]) / step * rise
    return tails


@compiled
def _blended(cells: NDArray[np.float64], cell: Cell, load: int, figure: int) -> float:
    batch, share = cell.batch, cell.share
    more_batch, more_share = cell.batch_weight, cell.share_weight
    blended = cells[batch, share, load, figure] * ((1 - more_batch) * (1 - more_share))
    blended += cells[batch, share + 1, load, figure] * ((1 - more_batch) * more_share)
    blended += cells[batch + 1, share, load, figure] * (more_batch * (1 - more_share))
    blended += cells[batch + 1, share + 1, load, figure] * (more_batch * more_share)
    return float(blended)


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
    lower = min(max(_not_above(grid, at) - 1, 0), len(grid) - 2)
    weight = (at - grid[lower]) / (grid[lower + 1] - grid[lower])
    weight = min(max(weight, 0.0), 1.0)
    return float(values[lower] + weight * (values[lower + 1] - values[lower]))
