"""From what is recorded, seen and given to the report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.cli.report.comparing import MEASURED, POTENTIAL, savings_of, state_of
from inference_cost.cli.report.decisions import decisions_of
from inference_cost.cli.report.document import (
    Piece,
    PolicyPart,
    ReportDocument,
    SavingsPart,
    Span,
    Totals,
)
from inference_cost.cli.report.gaps import gaps_of
from inference_cost.cli.report.money import Rounding, percent_of, rate_text
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
from inference_cost.cli.report.spending import Spending, breakdowns_of, policy_costs, spending_of
from inference_cost.cli.report.wasted import wasted
from inference_cost.cli.report.window import Window, time_text

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
    ownership = ownership_part(spending.total, recorded_hours, asked.inputs, spending.rounding)
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
        summary=_summary(totals, asked.currency, asked.window),
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
    first = next((i for i, there in enumerate(known) if there), len(known))
    return (len(known) - first) * window.piece_seconds / 3600


def _totals(
    spending: Spending, policies: Sequence[PolicyPart], services: Sequence[Service]
) -> Totals:
    saved, saved_percent = _saved(policies, MEASURED, spending.rounding)
    potential, potential_percent = _saved(policies, POTENTIAL, spending.rounding)
    requests = [one.requests for one in services if one.requests is not None]
    in_time = all_in_time(services)
    rates = [Decimal(one.per_hour) for one in policies if one.per_hour is not None]
    return Totals(
        cost=spending.rounding.text(spending.total),
        policies=spending.rounding.text(spending.policies_total),
        unused=spending.rounding.text(spending.unused_total),
        per_hour_now=rate_text(sum(rates, Decimal(0))) if rates else None,
        saved=saved,
        saved_percent=saved_percent,
        potential=potential,
        potential_percent=potential_percent,
        not_comparable=tuple(
            f"{one.namespace}/{one.name}"
            for one in policies
            if not any(part.amount is not None for part in one.savings)
        ),
        requests=round(sum(requests)) if requests else None,
        in_time_percent=None if in_time is None else round(100 * in_time, 3),
    )


def _saved(
    policies: Sequence[PolicyPart], state: str, rounding: Rounding
) -> tuple[str | None, float | None]:
    known = [part for part in _of_state(policies, state) if part.amount is not None]
    if not known:
        return None, None
    amount = sum((Decimal(part.amount or 0) for part in known), Decimal(0))
    baseline = sum((Decimal(part.baseline_cost) for part in known), Decimal(0))
    return rounding.text(amount), percent_of(amount, baseline)


def _of_state(policies: Sequence[PolicyPart], state: str) -> Iterator[SavingsPart]:
    return (part for one in policies for part in one.savings if part.state == state)


def _pieces(
    asked: Asked,
    recorded: Recorded,
    spending: Spending,
    policies: Sequence[PolicyPart],
    known: Sequence[bool],
) -> tuple[Piece, ...]:
    keys = [(one.namespace, one.name) for one in policies if one.target_percent is not None]
    in_time = in_time_by_piece(recorded, keys, asked.window.pieces)
    ours, theirs = _sides(recorded, policies, asked.window.pieces)
    text = spending.rounding.text
    return tuple(
        Piece(
            begin=time_text(asked.window.begin + i * asked.window.piece_seconds),
            policies=text(spending.policies[i]),
            unused=text(spending.unused[i]),
            baseline=None if theirs[i] is None else text(theirs[i] or 0.0),
            compared=None if ours[i] is None else text(ours[i] or 0.0),
            in_time_percent=None if in_time[i] is None else round(100 * (in_time[i] or 0.0), 3),
            recorded=known[i],
        )
        for i in range(asked.window.pieces)
    )


def _sides(
    recorded: Recorded, policies: Sequence[PolicyPart], pieces: int
) -> tuple[list[float | None], list[float | None]]:
    """Of all policies with an amount, and both states."""
    ours: list[float | None] = [None] * pieces
    theirs: list[float | None] = [None] * pieces
    wanted = {
        ((one.namespace, one.name), part.baseline, part.state)
        for one in policies
        for part in one.savings
        if part.amount is not None
    }
    for pair, compared in recorded.compared.items():
        if (pair.policy, pair.baseline, state_of(pair)) not in wanted:
            continue
        for i, hours in enumerate(compared.hours):
            if hours > 0:
                ours[i] = (ours[i] or 0.0) + compared.ours[i]
                theirs[i] = (theirs[i] or 0.0) + compared.theirs[i]
    return ours, theirs


def _prices(policies: Sequence[PolicyPart]) -> tuple[str, ...]:
    """Sources of the prices of now, with the oldest date of each."""
    oldest: dict[str, str] = {}
    for one in policies:
        if one.price_source:
            known = oldest.get(one.price_source)
            oldest[one.price_source] = min(filter(None, (known, one.price_time)), default="")
    return tuple(f"{source}, {at[:10]}" if at else source for source, at in sorted(oldest.items()))


def _summary(totals: Totals, currency: str, window: Window) -> str:
    cost = f"{Decimal(totals.cost):,f} {currency} in {_length(window)}"
    if totals.saved is not None:
        return f"{cost}, {_change(totals.saved, totals.saved_percent, currency)} than the baseline"
    if totals.potential is not None:
        change = _change(totals.potential, totals.potential_percent, currency)
        return f"{cost}; enforced, the policies would have cost {change} than the baseline"
    return f"{cost}; what was saved is not known"


def _change(amount: str, percent: float | None, currency: str) -> str:
    number = Decimal(amount)
    share = "" if percent is None else f" ({abs(percent):g} %)"
    return f"{abs(number):,f} {currency}{share} {'less' if number >= 0 else 'more'}"


def _length(window: Window) -> str:
    hours = window.seconds / 3600
    if hours >= 48:  # noqa: PLR2004 - two days
        return f"{hours / 24:.3g} days"
    return f"{hours:.3g} hours" if hours >= 2 else f"{hours * 60:.3g} minutes"  # noqa: PLR2004


def _assumptions(asked: Asked, policies: Sequence[PolicyPart]) -> Iterator[str]:
    yield "Costs are nodes' prices × the time, shared by what replicas request (docs/costs.md)."
    yield "Savings compare whole nodes, idle ones included, at the same objective: else there is no amount."
    yield (
        "Potential savings are what decisions would have saved that were not followed: mode Recommend, or another "
        "autoscaler owned the replicas."
    )
    if not asked.scope.everywhere:
        yield (
            "Of one namespace: what no replica requested belongs to pools, and is in no figure. -A has it."
        )
    if any(len({part.baseline for part in one.savings}) > 1 for one in policies):
        yield "The baseline changed in this time: amounts are of each one for its part of the time."
    yield "A month has 730 hours. Formulas of returns and ownership: docs/business-case.md."
