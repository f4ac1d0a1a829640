"""Simple rules for the number of replicas: so much room above the expected demand, kept for so long.

A rule turns a base, which is a demand to be ready for, into replicas: enough for the present base at once, and no
fewer than the largest base of its holding time needs. Bases are the expected demand ÷ the share of the largest load
that a replica is to carry, or the expected demand plus some standard deviations of what the forecast missed by.
"""

from math import exp
from typing import Final, NamedTuple

import numpy as np

DEVIATIONS: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
BASES: Final = 1 + len(DEVIATIONS)  # the expected demand itself is the first
LOADS: Final = tuple(round(0.30 + 0.05 * i, 2) for i in range(15))  # of the largest load
# In buckets of a third of a start-up time, the one that is filling included. A start is paid for from the order on, in
# the record too: where removing sooner than a start takes is dear such rules lose, where load comes in spikes they win.
HOLDS_OF_LOADS: Final = (2, 5, 10, 15, 30)
HOLDS_OF_DEVIATIONS: Final = (2, 5, 15)


class Rule(NamedTuple):
    """`base`: 0 is the expected demand, i the i-th of `DEVIATIONS` above it. `hold`: buckets."""

    base: int
    load: float
    hold: int

    @property
    def deviations(self) -> float:
        return DEVIATIONS[self.base - 1] if self.base else 0.0


RULES: Final[tuple[Rule, ...]] = (
    *(Rule(0, load, hold) for hold in HOLDS_OF_LOADS for load in LOADS),
    *(
        Rule(base, 1.0, hold)
        for base in range(1, len(DEVIATIONS) + 1)
        for hold in HOLDS_OF_DEVIATIONS
    ),
)
BASE_OF: Final = np.array([rule.base for rule in RULES])
LOAD_OF: Final = np.array([rule.load for rule in RULES])
HOLD_OF: Final = np.array([rule.hold for rule in RULES])


def _prior_late(rule: Rule) -> float:
    if rule.base:
        return float(0.105 * exp(-0.75 * rule.deviations) * (rule.hold / 2) ** -0.45)
    return float(0.0296 * (rule.load / 0.85) ** 4.5 * (rule.hold / 5) ** -0.5)


def _prior_cost(rule: Rule) -> float:
    room = exp(0.107 * rule.deviations) if rule.base else 1 / rule.load
    return float(1.14 * room * (rule.hold / 2) ** 0.07)


# Mean share late and mean cost (1: always the largest load on every replica) over 33 days of many services, of public
# traces, smoothed over the rules: what to begin with. `python -m benchmarks.averages` makes such a fit of 49 days of 17
# services; docs/how-it-decides.md tells how far that is from this one, and that leaving services out changes little.
PRIOR_LATE: Final = np.array([_prior_late(rule) for rule in RULES])
PRIOR_COST: Final = np.array([_prior_cost(rule) for rule in RULES])
