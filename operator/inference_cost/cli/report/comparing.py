"""Savings of one policy in the time: both sides at the same objective, or no amount."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from inference_cost.account.savings.look import ALLOWED_LATE
from inference_cost.cli.report.document import SavingsPart
from inference_cost.cli.report.money import Rounding, percent_of
from inference_cost.cli.report.recorded import Compared, Pair, Policy, Recorded
from inference_cost.model.policy import Mode

MEASURED, POTENTIAL = "Measured", "Potential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Sums over the time counted."""

    cost: Decimal
    late_share: float


def savings_of(
    recorded: Recorded, policy: Policy, target_percent: float | None, rounding: Rounding
) -> tuple[SavingsPart, ...]:
    """Measured ones first, of each kind the longest first."""
    allowed = ALLOWED_LATE if target_percent is None else 1 - target_percent / 100
    found = [
        _part(compared, pair, allowed, rounding)
        for pair, compared in recorded.compared.items()
        if pair.policy == policy and sum(compared.hours) > 0
    ]
    return tuple(sorted(found, key=lambda one: (one.state, -one.hours, one.baseline)))


def state_of(pair: Pair) -> str:
    return MEASURED if pair.mode == Mode.ENFORCE.value else POTENTIAL


def _part(compared: Compared, pair: Pair, allowed: float, rounding: Rounding) -> SavingsPart:
    asked = sum(compared.requests)
    ours = _side(compared.ours, compared.ours_late, asked, rounding)
    theirs = _side(compared.theirs, compared.theirs_late, asked, rounding)
    why_not = _unlike(ours, theirs, allowed)
    amount = theirs.cost - ours.cost
    return SavingsPart(
        state=state_of(pair),
        baseline=pair.baseline,
        amount=None if why_not else rounding.text(amount),
        percent=None if why_not else percent_of(amount, theirs.cost),
        cost=rounding.text(ours.cost),
        baseline_cost=rounding.text(theirs.cost),
        in_time_percent=_in_time(ours),
        baseline_in_time_percent=_in_time(theirs),
        requests=round(asked),
        hours=round(sum(compared.hours), 4),
        why_not=why_not,
    )


def _side(cost: Sequence[float], late: Sequence[float], asked: float, rounding: Rounding) -> Side:
    share = min(1.0, sum(late) / asked) if asked > 0 else 0.0
    return Side(cost=rounding.of(sum(cost)), late_share=share)


def _in_time(side: Side) -> float:
    return round(100 * (1 - side.late_share), 3)


def _unlike(ours: Side, theirs: Side, allowed: float) -> str:
    for side, whose in ((ours, "the policy"), (theirs, "the baseline")):
        if side.late_share > allowed:
            return (
                f"{whose} has {100 * side.late_share:.2f} % of the requests late, where the objective allows "
                f"{100 * allowed:.2f} %: at unlike objectives there is no saving"
            )
    return ""
