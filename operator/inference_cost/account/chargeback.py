"""Who pays: what was spent in a time, put together by cost center, namespace, label, policy, pool or capacity type.

What no replica requested is a row of its own where rows are people, and stays with its pool where rows are pools.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from inference_cost.account.accrual import CostLine
from inference_cost.account.ledger.lines import Kind
from inference_cost.account.rounding import in_cents

NOBODY = "(nobody)"
NO_LABEL = "(no label)"
GONE = "(policy gone)"


class By(StrEnum):
    COST_CENTER = "cost-center"
    NAMESPACE = "namespace"
    POLICY = "policy"
    VARIANT = "variant"
    POOL = "pool"
    CAPACITY_TYPE = "capacity-type"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByLabel:
    """By a label of the policies as they are now. `values`: by namespace and name; "" where it has none."""

    label: str
    values: Mapping[tuple[str, str], str]

    @property
    def value(self) -> str:
        return f"label:{self.label}"

    def name_of(self, one: "Spent") -> str:
        if not one.policy:
            return ""
        value = self.values.get((one.namespace, one.policy))
        return GONE if value is None else value or NO_LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One line's amount from `begin` to `end` (epoch seconds), within one month. No policy: the pool's own.

    `hours`: of its replicas, or nodes; None where they are not recorded.
    """

    namespace: str
    policy: str
    line: CostLine
    amount: Decimal
    begin: float
    end: float
    hours: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """What the amounts of a policy, or of a pool's own lines, do not have, in words."""

    namespace: str
    policy: str
    pool: str
    what: str

    def __str__(self) -> str:
        whose = f"{self.namespace}/{self.policy}" if self.policy else f"pool {self.pool}"
        return f"{whose}: {self.what}"

    def is_of(self, one: Spent) -> bool:
        if one.policy:
            return (self.namespace, self.policy) == (one.namespace, one.policy)
        return not self.policy and self.pool == one.line.pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """In cents, by what it was for; the cells of all rows add up to the total. `missed`: what is not in it."""

    name: str
    cells: tuple[tuple[Kind, Decimal], ...]
    missed: tuple[Missed, ...] = ()

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


def rows_of(spent: Sequence[Spent], by: By | ByLabel, missed: Sequence[Missed] = ()) -> list[Row]:
    """The dearest first; what is nobody's comes last."""
    name_of = _NAMES[by] if isinstance(by, By) else by.name_of
    sums: dict[tuple[str, Kind], Decimal] = defaultdict(Decimal)
    owners: dict[str, dict[tuple[str, str, str], Spent]] = defaultdict(dict)
    for one in spent:
        name = name_of(one) or NOBODY
        sums[name, one.line.kind] += one.amount
        owners[name].setdefault((one.namespace, one.policy, one.line.pool), one)
    rounded = dict(zip(sums, in_cents(list(sums.values())), strict=True))
    names = dict.fromkeys(name for name, _ in sums)
    rows = [
        Row(
            name=name,
            cells=tuple((k, a) for (n, k), a in rounded.items() if n == name),
            missed=tuple(m for m in missed if any(map(m.is_of, owners[name].values()))),
        )
        for name in names
    ]
    return sorted(rows, key=lambda row: (row.name == NOBODY, -row.total, row.name))


def kinds_of(rows: Sequence[Row]) -> list[Kind]:
    """That any row has, in the ledger's order."""
    found = {kind for row in rows for kind, _ in row.cells}
    return [kind for kind in Kind if kind in found]
