"""Who pays: what was spent in a time, put together by cost center, namespace, policy, pool or capacity type.

What no replica requested is a row of its own where rows are people, and stays with its pool where rows are pools.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from inference_cost.account.accrual import CostLine
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.rounding import in_cents

NOBODY = "(nobody)"


class By(StrEnum):
    COST_CENTER = "cost-center"
    NAMESPACE = "namespace"
    POLICY = "policy"
    VARIANT = "variant"
    POOL = "pool"
    CAPACITY_TYPE = "capacity-type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One line's amount from `begin` to `end` (epoch seconds), within one month. No policy: the pool's own."""

    namespace: str
    policy: str
    line: CostLine
    amount: Decimal
    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """In cents, by what it was for; the cells of all rows add up to the total."""

    name: str
    cells: tuple[tuple[Kind, Decimal], ...]

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.cells), Decimal(0))


_NAMES: dict[By, Callable[[Spent], str]] = {
    By.COST_CENTER: lambda one: one.line.cost_center,
    By.NAMESPACE: lambda one: one.namespace,
    By.POLICY: lambda one: f"{one.namespace}/{one.policy}" if one.policy else "",
    By.VARIANT: lambda one: (
        f"{one.namespace}/{one.policy}/{one.line.variant}" if one.policy else ""
    ),
    By.POOL: lambda one: one.line.pool,
    By.CAPACITY_TYPE: lambda one: one.line.capacity_type.value,
}


def rows_of(spent: Sequence[Spent], by: By) -> list[Row]:
    """The dearest first; what is nobody's comes last."""
    sums: dict[tuple[str, Kind], Decimal] = defaultdict(Decimal)
    for one in spent:
        sums[_NAMES[by](one) or NOBODY, one.line.kind] += one.amount
    rounded = dict(zip(sums, in_cents(list(sums.values())), strict=True))
    names = dict.fromkeys(name for name, _ in sums)
    rows = [
        Row(name=name, cells=tuple((k, a) for (n, k), a in rounded.items() if n == name))
        for name in names
    ]
    return sorted(rows, key=lambda row: (row.name == NOBODY, -row.total, row.name))


def kinds_of(rows: Sequence[Row]) -> list[Kind]:
    """That any row has, in the ledger's order."""
    found = {kind for row in rows for kind, _ in row.cells}
    return [kind for kind in Kind if kind in found]
