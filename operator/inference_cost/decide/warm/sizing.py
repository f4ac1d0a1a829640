"""How many nodes pay: one more is kept while being one short would cost more, times how often that happens."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inference_cost.decide.warm.shortfall import DRAWS
from inference_cost.decide.warm.steps import Floats


class Bounds(NamedTuple):
    least: int
    most: int


def enough(short: Floats, price: float, penalty: float, bounds: Bounds) -> int:
    """Nodes to keep, for `short` (draws,) nodes that are missing at once.

    `price`: of keeping one, per hour. `penalty`: of being one short, per hour.
    """
    ordered, nodes = np.sort(short), bounds.least
    while nodes < bounds.most and price < penalty * _more_often_than(ordered, nodes):
        nodes += 1
    return nodes


def shared_penalty(penalties: Sequence[float], short: Floats) -> float:
    """Of one node that all are short of: who is short more often counts for more. `short`: (draws, policies)."""
    weights = short.mean(axis=0)
    total = float(weights.sum())
    return float(np.dot(penalties, weights)) / total if total > 0 else 0.0


def cost(short: Floats, price: float, penalty: float, nodes: int) -> float:
    """Per hour, with so many kept: these, and the requests that are late all the same."""
    return price * nodes + penalty * float(np.maximum(short - nodes, 0.0).mean())


def _more_often_than(ordered: Floats, nodes: int) -> float:
    """Share of the draws in which more are missing."""
    return 1.0 - float(np.searchsorted(ordered, nodes, side="right")) / DRAWS
