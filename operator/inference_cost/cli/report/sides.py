"""Both sides of the savings, summed up by state: measured ones and potential ones are never in one sum."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from inference_cost.cli.report.comparing import state_of
from inference_cost.cli.report.document import PieceSides, PolicyPart, SavingsPart, SidesPart
from inference_cost.cli.report.money import Rounding, percent_of
from inference_cost.cli.report.recorded import Recorded

NOTHING = Decimal(0)
Amounts = list[Decimal]


def sides_of(policies: Sequence[PolicyPart], state: str, rounding: Rounding) -> SidesPart | None:
    """Of those with an amount: what has none is on neither side. None where there is none."""
    known = list(_comparable(policies, state))
    if not known:
        return None
    cost = sum((Decimal(part.cost) for _, part in known), NOTHING)
    baseline = sum((Decimal(part.baseline_cost) for _, part in known), NOTHING)
    return SidesPart(
        saved=rounding.text(baseline - cost),
        percent=percent_of(baseline - cost, baseline),
        cost=rounding.text(cost),
        baseline_cost=rounding.text(baseline),
        requests=sum(part.requests for _, part in known),
        in_time_percent=_mean([(part.requests, part.in_time_percent) for _, part in known]),
        baseline_in_time_percent=_mean(
            [(part.requests, part.baseline_in_time_percent) for _, part in known]
        ),
        policy_hours=round(sum(part.hours for _, part in known), 4),
        policies=tuple(dict.fromkeys(_name(one) for one, _ in known)),
    )


def sides_by_piece(
    recorded: Recorded,
    policies: Sequence[PolicyPart],
    state: str,
    rounding: Rounding,
    pieces: int,
) -> list[PieceSides | None]:
    """Their sums are the costs of `sides_of`."""
    ours, theirs = [NOTHING] * pieces, [NOTHING] * pieces
    known = [False] * pieces
    parts = {
        (one.namespace, one.name, part.baseline): part for one, part in _comparable(policies, state)
    }
    for pair, compared in recorded.compared.items():
        part = parts.get((*pair.policy, pair.baseline))
        if part is None or state_of(pair) != state:
            continue
        ours = _added(ours, compared.ours, part.cost, rounding)
        theirs = _added(theirs, compared.theirs, part.baseline_cost, rounding)
        known = [was or hours > 0 for was, hours in zip(known, compared.hours, strict=True)]
    return [
        PieceSides(cost=rounding.text(ours[i]), baseline_cost=rounding.text(theirs[i]))
        if known[i] or ours[i] or theirs[i]
        else None
        for i in range(pieces)
    ]


def _comparable(
    policies: Sequence[PolicyPart], state: str
) -> Iterator[tuple[PolicyPart, SavingsPart]]:
    for one in policies:
        for part in one.savings:
            if part.state == state and part.amount is not None:
                yield one, part


def _added(
    sums: Sequence[Decimal], values: Sequence[float], total: str, rounding: Rounding
) -> Amounts:
    exact = [Decimal(str(value)) for value in values]
    shared = rounding.shared(exact, Decimal(total))
    return [before + more for before, more in zip(sums, shared, strict=True)]


def _mean(weighed: Sequence[tuple[int, float]]) -> float | None:
    """Percent, by requests."""
    whole = sum(requests for requests, _ in weighed)
    if not whole:
        return None
    return round(sum(requests * share for requests, share in weighed) / whole, 3)


def _name(policy: PolicyPart) -> str:
    return f"{policy.namespace}/{policy.name}"
