"""How a saving changes with what nobody knows beforehand: traffic, prices, efficacy, and how often models change."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from itertools import product

DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Factors on what is expected; 1 is as expected."""

    traffic: Decimal = Decimal(1)  # and with it what the baseline costs
    price: Decimal = Decimal(1)  # of nodes
    efficacy: Decimal = Decimal(1)  # of the saving as a share of the baseline
    model_changes_per_year: Decimal = Decimal(
        0
    )  # in which nothing is saved while it is learned anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What is sure: the baseline's cost per month, the share saved, days to learn a new model."""

    baseline_per_month: Decimal
    saved_fraction: Decimal
    learning_days: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    worst: Circumstances
    expected: Circumstances
    best: Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """The saving per month with one circumstance at its worst and at its best, the others as expected."""

    name: str
    at_worst: Decimal
    at_best: Decimal

    @property
    def width(self) -> Decimal:
        return abs(self.at_best - self.at_worst)


def saving_per_month(assumed: Assumption, circumstances: Circumstances) -> Decimal:
    """Raises ValueError: a factor is negative."""
    for field in fields(circumstances):
        if getattr(circumstances, field.name) < 0:
            raise ValueError(f"{field.name} must not be negative")
    learning = circumstances.model_changes_per_year * assumed.learning_days / DAYS_PER_YEAR
    baseline = assumed.baseline_per_month * circumstances.traffic * circumstances.price
    saved = assumed.saved_fraction * circumstances.efficacy
    return baseline * min(saved, Decimal(1)) * (1 - min(learning, Decimal(1)))


def nodes_per_month(
    nodes: Decimal, assumed: Assumption | None, circumstances: Circumstances
) -> Decimal:
    """What nodes cost that cost `nodes` as expected; what is saved less of `assumed` is paid more.

    `assumed`: a saving that is there, so that `nodes` are without it; None where there is none.

    Raises:
        ValueError: a factor is negative.
    """
    there = assumed or Assumption(baseline_per_month=Decimal(0), saved_fraction=Decimal(0))
    saved = there.baseline_per_month * there.saved_fraction
    without = (nodes + saved) * circumstances.traffic * circumstances.price
    return max(without - saving_per_month(there, circumstances), Decimal(0))


def nodes_between(
    nodes: Decimal, assumed: Assumption | None, given: Range
) -> tuple[Decimal, Decimal]:
    """The least and the most that nodes cost: what is worst for a saving need not be dearest."""
    names = [field.name for field in fields(Circumstances)]
    ends = ([getattr(end, name) for end in (given.worst, given.best)] for name in names)
    found = [
        nodes_per_month(nodes, assumed, Circumstances(**dict(zip(names, one, strict=True))))
        for one in product(*ends)
    ]
    return min(found), max(found)


def cases(assumed: Assumption, given: Range) -> dict[str, Decimal]:
    """All circumstances at their worst, as expected, and at their best."""
    return {
        name: saving_per_month(assumed, getattr(given, name))
        for name in ("worst", "expected", "best")
    }


def swings(assumed: Assumption, given: Range) -> list[Swing]:
    """One circumstance at a time; what matters most comes first."""
    return sorted(_swings(assumed, given), key=lambda swing: swing.width, reverse=True)


def _swings(assumed: Assumption, given: Range) -> Iterator[Swing]:
    for field in fields(Circumstances):
        ends = [
            replace(given.expected, **{field.name: getattr(end, field.name)})
            for end in (given.worst, given.best)
        ]
        at_worst, at_best = (saving_per_month(assumed, one) for one in ends)
        yield Swing(name=field.name, at_worst=at_worst, at_best=at_best)
