"""What the operator's series say of a time, piece by piece. What they do not say is None."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from inference_cost.account.accrual import CostLine

Policy = tuple[str, str]  # namespace and name; ("", "") for a pool's own lines
Line = tuple[Policy, CostLine]
Values = tuple[float | None, ...]  # one of each piece

LEAST_FALL = Decimal("0.01")  # floats are not exact


class Pair(NamedTuple):
    """Whose savings, against what, and in which mode they were counted."""

    policy: Policy
    baseline: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Sums of each piece, over the time in which both sides were known. Late: requests beyond the objective."""

    hours: tuple[float, ...]
    ours: tuple[float, ...]  # money
    theirs: tuple[float, ...]
    requests: tuple[float, ...]
    ours_late: tuple[float, ...]
    theirs_late: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """`lines`: what each grew by. `means`: by series and policy. `limited`: share of the time, by policy and limit.

    `began_late`: policies and pools whose totals are not there at the begin; `fell`: those whose total fell.
    """

    lines: Mapping[Line, tuple[Decimal, ...]]
    means: Mapping[str, Mapping[Policy, Values]]
    compared: Mapping[Pair, Compared]
    limited: Mapping[tuple[Policy, str], Values]
    limited_hours: Mapping[tuple[Policy, str], float]
    unpriced_pools: Mapping[str, float]
    began_late: tuple[str, ...]
    fell: tuple[str, ...]

    def mean(self, name: str, policy: Policy) -> Values | None:
        return self.means.get(name, {}).get(policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """By key: what it had come to when the time began, the lowest in it, and the highest of each piece."""

    before: Mapping[Any, Decimal]
    first: Mapping[Any, Decimal]
    highest: Mapping[Any, Sequence[Decimal | None]]

    @property
    def fallen(self) -> list[Any]:
        """Keys whose total fell: a leader knew nothing of the one before."""
        return [key for key, values in self.highest.items() if _falls(values)]

    def grown(self) -> dict[Any, tuple[Decimal, ...]]:
        return {
            key: grown_by(values, self.before.get(key, self.first.get(key, Decimal(0))))
            for key, values in self.highest.items()
        }


def grown_by(values: Sequence[Decimal | None], begun: Decimal) -> tuple[Decimal, ...]:
    """How much a total that never falls rose in each piece, from the highest value of each."""
    reached, grown = begun, []
    for value in values:
        now = max(reached, value) if value is not None else reached
        grown.append(now - reached)
        reached = now
    return tuple(grown)


def whose(line: Line) -> str:
    (namespace, name), cost = line
    return f"{namespace}/{name}" if name else f"pool {cost.pool}"


def _falls(values: Sequence[Decimal | None]) -> bool:
    known = [value for value in values if value is not None]
    return any(before - after > LEAST_FALL for before, after in pairwise(known))
