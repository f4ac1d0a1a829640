"""From what is recorded, seen and given to the report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.account.calendar import time_text
from inference_cost.cli.report.comparing import MEASURED, POTENTIAL, savings_of
from inference_cost.cli.report.decisions import decisions_of
from inference_cost.cli.report.document import (
    Piece,
    PolicyPart,
    ReportDocument,
    Span,
    Totals,
)
from inference_cost.cli.report.gaps import gaps_of
from inference_cost.cli.report.headline import headline
from inference_cost.cli.report.money import Rounding, rate_text
from inference_cost.cli.report.pools import pools_of
from inference_cost.cli.report.recorded import Line, Policy, Recorded
from inference_cost.cli.report.returning import Inputs, ownership_part, returns_part
from inference_cost.cli.report.seen import Scope, Seen
from inference_cost.cli.report.service import (
    READY,
    Service,
    all_in_time,
    in_time_by_piece,
    policy_part,
    service_of,
    target_of,
)
from inference_cost.cli.report.sides import sides_by_piece, sides_of
from inference_cost.cli.report.spending import Spending, breakdowns_of, policy_costs, spending_of
from inference_cost.cli.report.wasted import wasted
from inference_cost.cli.report.window import Window

PRESENCE = "policy_desired_replicas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`at`: now, epoch seconds."""

    at: float
    window: Window
    scope: Scope
    currency: str
    prometheus: str
    inputs: Inputs


def build(asked: Asked, recorded: Recorded, seen: Seen) -> ReportDocument:
    lines = {line: values for line, values in recorded.lines.items() if _wanted(line, asked.scope)}
    spending = spending_of(lines, asked.window.pieces)
    known = _known(recorded, lines, asked.window.pieces)
    recorded_hours = _recorded_hours(known, asked.window)
    policies = _Policies(asked, recorded, seen, spending.rounding, recorded_hours).parts(spending)
    ownership = ownership_part(
        spending.total, recorded_hours, policies, asked.inputs, spending.rounding
    )
    decisions, left_out = decisions_of(recorded, seen, asked.scope, asked.window)
    totals = _totals(spending, policies, _services(asked, recorded, policies))
    return ReportDocument(
        at=time_text(asked.at),
        currency=asked.currency,
        namespaces=asked.scope.words,
        prometheus=asked.prometheus,
        window=Span(
            begin=time_text(asked.window.begin),
            end=time_text(asked.window.end),
            hours=round(asked.window.seconds / 3600, 4),
            recorded_hours=round(recorded_hours, 4),
            piece_seconds=asked.window.piece_seconds,
        ),
        prices=_prices(policies),
        summary=headline(totals, asked.currency, asked.window),
        totals=totals,
        pieces=_pieces(asked, recorded, spending, policies, known),
        lines=spending.lines,
        breakdowns=breakdowns_of(spending),
        policies=policies,
        pools=pools_of(spending.lines, seen.pools, spending.rounding),
        decisions=decisions,
        waste=wasted(recorded, lines, policies, spending.rounding, asked.window.pieces),
        ownership=ownership,
        returns=returns_part(policies, asked.inputs, spending.rounding),
        decisions_left_out=left_out,
        assumptions=tuple(_assumptions(asked, policies)),
        gaps=gaps_of(
            recorded,
            seen,
            asked.scope,
            asked.window,
            policies=policies,
            known=known,
            absent=ownership.absent,
            nodes_why_not=ownership.nodes_why_not,
        ),
    )


def _wanted(line: Line, scope: Scope) -> bool:
    """A pool's own lines belong to no namespace."""
    policy, _ = line
    return scope.everywhere or scope.has(policy)


@dataclass(frozen=True, slots=True)
class _Policies:
    asked: Asked
    recorded: Recorded
    seen: Seen
    rounding: Rounding
    recorded_hours: float

    def parts(self, spending: Spending) -> tuple[PolicyPart, ...]:
        """Those that cost something in the time, or are there now; the dearest first."""
        costs = dict.fromkeys(self.seen.policies, Decimal(0)) | policy_costs(spending)
        ordered = sorted(costs.items(), key=lambda one: (-one[1], one[0]))
        return tuple(self._part(policy, cost) for policy, cost in ordered)

    def _part(self, policy: Policy, cost: Decimal) -> PolicyPart:
        found = self.seen.policies.get(policy)
        target = target_of((found or {}).get("spec") or {})
        return policy_part(
            policy,
            found,
            cost=cost,
            service=service_of(self.recorded, policy, self.asked.window, shared=target is not None),
            recorded_hours=self.recorded_hours,
            replicas=self.recorded.mean(READY, policy),
            savings=savings_of(self.recorded, policy, target, self.rounding),
            rounding=self.rounding,
        )


def _services(asked: Asked, recorded: Recorded, policies: Sequence[PolicyPart]) -> list[Service]:
    return [
        service_of(recorded, policy, asked.window, shared=target is not None)
        for policy, target in (((one.namespace, one.name), one.target_percent) for one in policies)
    ]


def _known(
    recorded: Recorded, lines: Mapping[Line, Sequence[Decimal]], pieces: int
) -> tuple[bool, ...]:
    """Whether anything was recorded in a piece."""
    present = recorded.means.get(PRESENCE, {}).values()
    return tuple(
        any(values[i] is not None for values in present)
        or any(values[i] > 0 for values in lines.values())
        for i in range(pieces)
    )


def _recorded_hours(known: Sequence[bool], window: Window) -> float:
    """From the first piece that has something to the last one: cost of silent ones between is in the next."""
    there = [i for i, one in enumerate(known) if one]
    pieces = there[-1] - there[0] + 1 if there else 0
    return pieces * window.piece_seconds / 3600


def _totals(
    spending: Spending, policies: Sequence[PolicyPart], services: Sequence[Service]
) -> Totals:
    requests = [one.requests for one in services if one.requests is not None]
    in_time = all_in_time(services)
    rates = [Decimal(one.per_hour) for one in policies if one.per_hour is not None]
    return Totals(
        cost=spending.rounding.text(spending.total),
        policies=spending.rounding.text(spending.policies_total),
        unused=spending.rounding.text(spending.unused_total),
        per_hour_now=rate_text(sum(rates, Decimal(0))) if rates else None,
        measured=sides_of(policies, MEASURED, spending.rounding),
        potential=sides_of(policies, POTENTIAL, spending.rounding),
        not_comparable=tuple(
            f"{one.namespace}/{one.name}"
            for one in policies
            if not any(part.amount is not None for part in one.savings)
        ),
        requests=round(sum(requests)) if requests else None,
        in_time_percent=None if in_time is None else round(100 * in_time, 3),
    )


def _pieces(
    asked: Asked,
    recorded: Recorded,
    spending: Spending,
    policies: Sequence[PolicyPart],
    known: Sequence[bool],
) -> tuple[Piece, ...]:
    keys = [(one.namespace, one.name) for one in policies if one.target_percent is not None]
    in_time = in_time_by_piece(recorded, keys, asked.window.pieces)
    measured, potential = (
        sides_by_piece(recorded, policies, state, spending.rounding, asked.window.pieces)
        for state in (MEASURED, POTENTIAL)
    )
    text = spending.rounding.text
    return tuple(
        Piece(
            begin=time_text(asked.window.begin + i * asked.window.piece_seconds),
            policies=text(spending.policies[i]),
            unused=text(spending.unused[i]),
            measured=measured[i],
            potential=potential[i],
            in_time_percent=None if in_time[i] is None else round(100 * (in_time[i] or 0.0), 3),
            recorded=known[i],
        )
        for i in range(asked.window.pieces)
    )


def _prices(policies: Sequence[PolicyPart]) -> tuple[str, ...]:
    """Sources of the prices of now, with the oldest date of each."""
    oldest: dict[str, str] = {}
    for one in policies:
        if one.price_source:
            known = oldest.get(one.price_source)
            oldest[one.price_source] = min(filter(None, (known, one.price_time)), default="")
    return tuple(f"{source}, {at[:10]}" if at else source for source, at in sorted(oldest.items()))


def _assumptions(asked: Asked, policies: Sequence[PolicyPart]) -> Iterator[str]:
    yield "Costs are nodes' prices × the time, shared by what replicas request (docs/costs.md)."
    yield (
        "Savings compare whole nodes, idle ones included, of the same policies in the same hours at the same "
        "objective: else there is no amount. The cost above is that of requested shares, and of all hours."
    )
    yield (
        "Prices are those that the operator knew at each moment; their sources are those of now. A baseline's "
        "requests in time are predicted, unless it is Observed."
    )
    yield (
        "Potential savings are what decisions would have saved that were not followed: mode Recommend, or another "
        "autoscaler owned the replicas. Nobody has them yet: they are added to nothing."
    )
    if not asked.scope.everywhere:
        yield (
            "Of one namespace: what no replica requested belongs to pools, and is in no figure. -A has it."
        )
    if any(len({part.baseline for part in one.savings}) > 1 for one in policies):
        yield "The baseline changed in this time: amounts are of each one for its part of the time."
    yield "A month has 730 hours. Formulas of returns and ownership: docs/business-case.md."
