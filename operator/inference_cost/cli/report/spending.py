"""Where the money went: lines, pieces of time and breakdowns, rounded so that all of them add up."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.cli.report.document import Breakdown, Line, Share
from inference_cost.cli.report.money import Rounding, percent_of, rounding_for
from inference_cost.cli.report.recorded import Line as LineKey
from inference_cost.cli.report.recorded import Policy

NOBODY = "(no replica)"
NO_CENTER = "(no cost center)"
KINDS: dict[str, str] = {
    "serving": "Serving: replicas that were ready",
    "boot": "Boot: replicas and nodes that were not ready yet",
    "warm": "Warm: places held for replicas to come",
    "overhead": "Overhead: system pods and DaemonSets",
    "other": "Other: pods of no policy",
    "idle": "Idle: what nobody requested",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """`policies` and `unused` by piece; their sums are those of the lines."""

    rounding: Rounding
    lines: tuple[Line, ...]
    policies: tuple[Decimal, ...]
    unused: tuple[Decimal, ...]

    @property
    def policies_total(self) -> Decimal:
        return sum(self.policies, Decimal(0))

    @property
    def unused_total(self) -> Decimal:
        return sum(self.unused, Decimal(0))

    @property
    def total(self) -> Decimal:
        return self.policies_total + self.unused_total


def spending_of(lines: Mapping[LineKey, Sequence[Decimal]], pieces: int) -> Spending:
    """`lines`: what each grew by, by piece."""
    exact = {line: sum(values, Decimal(0)) for line, values in lines.items()}
    whole = sum(exact.values(), Decimal(0))
    rounding = rounding_for(whole)
    amounts = dict(
        zip(exact, rounding.shared(list(exact.values()), rounding.of(whole)), strict=True)
    )
    charged = {line: values for line, values in lines.items() if line[0][1]}
    own = {line: values for line, values in lines.items() if not line[0][1]}
    return Spending(
        rounding=rounding,
        lines=_parts(amounts, rounding),
        policies=_by_piece(charged, pieces, rounding, _total_of(charged, amounts)),
        unused=_by_piece(own, pieces, rounding, _total_of(own, amounts)),
    )


def policy_costs(spending: Spending) -> dict[Policy, Decimal]:
    """As rounded; all of them are what policies were charged."""
    costs: dict[Policy, Decimal] = defaultdict(Decimal)
    for line in spending.lines:
        if line.policy:
            costs[line.namespace, line.policy] += Decimal(line.amount)
    return dict(costs)


def breakdowns_of(spending: Spending) -> tuple[Breakdown, ...]:
    names: tuple[tuple[str, Callable[[Line], str]], ...] = (
        ("what for", lambda one: KINDS.get(one.line, one.line)),
        ("policy", lambda one: f"{one.namespace}/{one.policy}" if one.policy else NOBODY),
        ("variant", _variant),
        ("pool", lambda one: one.pool),
        ("capacity type", lambda one: one.capacity_type),
        (
            "cost center",
            lambda one: one.cost_center or (NO_CENTER if one.policy else NOBODY),
        ),
    )
    return tuple(_breakdown(by, name, spending) for by, name in names)


def _variant(line: Line) -> str:
    if not line.policy:
        return NOBODY
    return f"{line.namespace}/{line.policy}" + (f", {line.variant}" if line.variant else "")


def _breakdown(by: str, name: Callable[[Line], str], spending: Spending) -> Breakdown:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in spending.lines:
        sums[name(line)] += Decimal(line.amount)
    ordered = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    rows = [
        Share(
            name=key,
            amount=spending.rounding.text(amount),
            percent=percent_of(amount, spending.total) or 0.0,
        )
        for key, amount in ordered
        if amount
    ]
    return Breakdown(by=by, rows=tuple(rows))


def _parts(amounts: Mapping[LineKey, Decimal], rounding: Rounding) -> tuple[Line, ...]:
    parts = [
        Line(
            namespace=namespace,
            policy=name,
            variant=cost.variant,
            pool=cost.pool,
            capacity_type=cost.capacity_type.value,
            cost_center=cost.cost_center,
            line=cost.kind.value,
            amount=rounding.text(amount),
        )
        for ((namespace, name), cost), amount in amounts.items()
        if amount
    ]
    return tuple(sorted(parts, key=lambda one: (-Decimal(one.amount), one.policy, one.pool)))


def _by_piece(
    lines: Mapping[LineKey, Sequence[Decimal]], pieces: int, rounding: Rounding, total: Decimal
) -> tuple[Decimal, ...]:
    sums = [sum((values[i] for values in lines.values()), Decimal(0)) for i in range(pieces)]
    return tuple(rounding.shared(sums, total))


def _total_of(
    lines: Mapping[LineKey, Sequence[Decimal]], amounts: Mapping[LineKey, Decimal]
) -> Decimal:
    return sum((amounts[line] for line in lines), Decimal(0))
