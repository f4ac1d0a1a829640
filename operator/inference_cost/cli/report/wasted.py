"""Waste, from what is recorded of each policy and pool."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from inference_cost.account.ledger.lines import Kind
from inference_cost.advise.waste import (
    Found,
    Piece,
    Waste,
    kept_by_minimum,
    not_computing,
    paid_for_late,
    ranked,
)
from inference_cost.cli.report.comparing import POTENTIAL
from inference_cost.cli.report.document import PolicyPart, WastePart
from inference_cost.cli.report.money import Rounding
from inference_cost.cli.report.recorded import Line, Policy, Recorded, Values
from inference_cost.cli.report.service import IN_TIME

MINIMUM = "MinReplicas"
PRICE_KNOWN = "policy_price_known"
UTILIZATION = "policy_gpu_utilization_ratio"


def wasted(
    recorded: Recorded,
    lines: Mapping[Line, Sequence[Decimal]],
    policies: Sequence[PolicyPart],
    rounding: Rounding,
    pieces: int,
) -> tuple[WastePart, ...]:
    """`lines`: those of the report, by piece."""
    found: list[Found] = []
    for part in policies:
        policy = (part.namespace, part.name)
        found += _of_policy(part, pieces_of(recorded, lines, policy, pieces))
        found += _unpriced(recorded, policy)
    found += _of_lines(lines)
    found += (
        Found(
            waste=Waste.PRICE_UNKNOWN,
            where=f"pool {pool}",
            amount=None,
            why=f"Up to {nodes:.0f} nodes at once had no known price; what they cost is in no figure.",
        )
        for pool, nodes in recorded.unpriced_pools.items()
    )
    return tuple(
        WastePart(
            waste=one.waste.value,
            where=one.where,
            amount=None if one.amount is None else rounding.text(one.amount),
            why=one.why,
            fix=one.fix,
        )
        for one in ranked(found)
        if one.amount is None or rounding.of(one.amount) > 0
    )


def pieces_of(
    recorded: Recorded, lines: Mapping[Line, Sequence[Decimal]], policy: Policy, pieces: int
) -> list[Piece]:
    def mean(name: str) -> Values:
        return recorded.mean(name, policy) or (None,) * pieces

    own = [(cost.kind, values) for (whose, cost), values in lines.items() if whose == policy]
    in_time = mean(IN_TIME)
    utilization, desired = mean(UTILIZATION), mean("policy_desired_replicas")
    forecast, load = (
        mean("policy_forecast_requests_per_second"),
        mean("policy_replica_load_requests_per_second"),
    )
    minimum = recorded.limited.get((policy, MINIMUM))
    # Where something else limits or nothing does, the minimum does not.
    limits_known = any(whose == policy for whose, _ in recorded.limited)
    found = []
    for i in range(pieces):
        share = in_time[i]
        found.append(
            Piece(
                cost=sum((values[i] for _, values in own), Decimal(0)),
                serving=sum((v[i] for kind, v in own if kind is Kind.SERVING), Decimal(0)),
                gpu_utilization=utilization[i],
                minimum_limits_share=minimum[i] if minimum else 0.0 if limits_known else None,
                desired=desired[i],
                forecast=forecast[i],
                load_per_replica=load[i],
                late_share=None if share is None else 1 - share,
            )
        )
    return found


def _of_policy(part: PolicyPart, pieces: Sequence[Piece]) -> Iterator[Found]:
    where = f"{part.namespace}/{part.name}"
    idle = not_computing(pieces)
    if idle is not None:
        yield Found(
            waste=Waste.GPU_NOT_COMPUTING,
            where=where,
            amount=idle,
            why=f"Serving replicas' GPUs computed {_computed(pieces)} of the time, by cost.",
        )
    kept = kept_by_minimum(pieces)
    if kept is not None:
        yield Found(
            waste=Waste.MIN_REPLICAS,
            where=where,
            amount=kept,
            why="Replicas beyond what the load asked for, kept by minReplicas. At most: headroom is not subtracted.",
        )
    if part.late_of_allowed is not None and part.late_of_allowed > 1:
        yield Found(
            waste=Waste.LATE,
            where=where,
            amount=paid_for_late(pieces),
            why=f"{100 - (part.in_time_percent or 0):.2f} % of the requests were late, and paid for.",
        )
    for savings in part.savings:
        if savings.amount is None:
            continue
        amount = Decimal(savings.amount)
        if savings.state == POTENTIAL:
            yield Found(
                waste=Waste.NOT_ENFORCED,
                where=where,
                amount=amount,
                why=f"What the decisions would have saved against {savings.baseline}, in {savings.hours:,.1f} h.",
            )
        elif amount < 0:
            yield Found(
                waste=Waste.DEARER,
                where=where,
                amount=-amount,
                why=f"It cost more than {savings.baseline} would have, in {savings.hours:,.1f} h.",
            )


def _computed(pieces: Sequence[Piece]) -> str:
    known = [(float(p.serving), p.gpu_utilization) for p in pieces if p.gpu_utilization is not None]
    whole = sum(cost for cost, _ in known)
    return f"{100 * sum(cost * busy for cost, busy in known) / whole:.0f} %" if whole else "0 %"


def _unpriced(recorded: Recorded, policy: Policy) -> Iterator[Found]:
    known = [v for v in recorded.mean(PRICE_KNOWN, policy) or () if v is not None]
    unknown = sum(1 - value for value in known)
    if known and unknown > 0:
        yield Found(
            waste=Waste.PRICE_UNKNOWN,
            where="/".join(policy),
            amount=None,
            why=f"In {100 * unknown / len(known):.1f} % of the time a price of its replicas was not known: that part is"
            " in no figure.",
        )


def _of_lines(lines: Mapping[Line, Sequence[Decimal]]) -> Iterator[Found]:
    sums: dict[tuple[Waste, str], Decimal] = {}
    for ((namespace, name), cost), values in lines.items():
        if name and cost.kind is Kind.BOOT:
            key = (Waste.REPLICA_BOOT, f"{namespace}/{name}")
        elif not name and cost.kind is Kind.BOOT:
            key = (Waste.NODE_BOOT, f"pool {cost.pool}")
        elif cost.kind is Kind.IDLE:
            key = (Waste.IDLE, f"pool {cost.pool}")
        else:
            continue
        sums[key] = sums.get(key, Decimal(0)) + sum(values, Decimal(0))
    for (waste, where), amount in sums.items():
        yield Found(waste=waste, where=where, amount=amount, why=_LINES[waste])


_LINES = {
    Waste.REPLICA_BOOT: "Replicas that had a node and did not serve yet.",
    Waste.NODE_BOOT: "Nodes that were paid for and not ready yet.",
    Waste.IDLE: "GPUs of the pool's nodes that no replica of a policy requested.",
}
