"""What the operator's series say of a time, piece by piece. What they do not say is None."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from inference_cost.account.accrual import CostLine

Policy = tuple[str, str]  # namespace and name; ("", "") for a pool's own lines
Line = tuple[Policy, CostLine]
Values = tuple[float | None, ...]  # one of each piece


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


def whose(line: Line) -> str:
    (namespace, name), cost = line
    return f"{namespace}/{name}" if name else f"pool {cost.pool}"
