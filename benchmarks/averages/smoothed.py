"""An average over services, smoothed over the rules by the formulas of `decide/headroom/rules.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.averages.tried import Tried
from benchmarks.traces.columns import Floats
from inference_cost.decide.headroom.rules import BASE_OF, DEVIATIONS, HOLD_OF, LOAD_OF

STEPS: Final = 50  # of the fit; it converges in ten
LEAST_LATE: Final = 1e-5
MOST_LATE: Final = 0.1  # a rule that is later is not chosen anyway, and shall not rule the fit
_OF_DEVIATIONS: Final[NDArray[np.bool_]] = BASE_OF > 0
_Z: Final = np.array([0.0, *DEVIATIONS])[BASE_OF]
_HOLD: Final = np.log(HOLD_OF / 5)
_ONE: Final = np.ones(len(BASE_OF))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Formula:
    """exp(Σ weight × feature) × factor, of some of the rules."""

    name: str
    rules: NDArray[np.bool_]
    features: Floats  # (all rules, features)
    factor: Floats  # (all rules,)

    def fitted(self, means: Floats) -> Floats:
        """Weights for `means` of all rules: Poisson regression, so that the mean over the rules is kept."""
        x, y, factor = self.features[self.rules], means[self.rules], self.factor[self.rules]
        weights = np.zeros(x.shape[1])
        weights[0] = np.log(y.sum() / factor.sum())
        for _ in range(STEPS):
            expected = factor * np.exp(x @ weights)
            weights += np.linalg.solve(x.T @ (x * expected[:, None]), x.T @ (y - expected))
        return weights

    def of(self, weights: Floats) -> Floats:
        """Values of its rules, (rules,)."""
        values: Floats = (self.factor * np.exp(self.features @ weights))[self.rules]
        return values


LATE_OF_LOADS: Final = Formula(
    name="late: a × (load ÷ 0.85)^b × (hold ÷ 5)^c",
    rules=~_OF_DEVIATIONS,
    features=np.column_stack((_ONE, np.log(LOAD_OF / 0.85), _HOLD)),
    factor=_ONE,
)
LATE_OF_DEVIATIONS: Final = Formula(
    name="late: a × exp(b × deviations) × (hold ÷ 5)^c",
    rules=_OF_DEVIATIONS,
    features=np.column_stack((_ONE, _Z, _HOLD)),
    factor=_ONE,
)
COST_OF_LOADS: Final = Formula(
    name="cost: a × (hold ÷ 5)^b ÷ load",
    rules=~_OF_DEVIATIONS,
    features=np.column_stack((_ONE, _HOLD)),
    factor=1 / LOAD_OF,
)
COST_OF_DEVIATIONS: Final = Formula(
    name="cost: a × exp(b × deviations) × (hold ÷ 5)^c",
    rules=_OF_DEVIATIONS,
    features=np.column_stack((_ONE, _Z, _HOLD)),
    factor=_ONE,
)
LATE: Final = (LATE_OF_LOADS, LATE_OF_DEVIATIONS)
COST: Final = (COST_OF_LOADS, COST_OF_DEVIATIONS)


def mean_late(days: Sequence[Tried]) -> Floats:
    return _mean(days, [np.clip(day.late, LEAST_LATE, MOST_LATE) for day in days])


def mean_cost(days: Sequence[Tried]) -> Floats:
    return _mean(days, [day.cost for day in days])


def _mean(days: Sequence[Tried], values: Sequence[Floats]) -> Floats:
    """Services weigh the same."""
    names = [day.service for day in days]
    weights = [1 / names.count(name) for name in names]
    return np.average(np.array(values), axis=0, weights=weights)


def smoothed(formulas: Sequence[Formula], means: Floats) -> Floats:
    """Values of all rules, (rules,)."""
    values = np.empty(len(means))
    for formula in formulas:
        values[formula.rules] = formula.of(formula.fitted(means))
    return values
