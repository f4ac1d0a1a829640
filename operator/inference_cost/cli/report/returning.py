"""Returns and total cost of ownership, from what was saved and what the caller knows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from inference_cost.advise.ownership import HOURS_PER_MONTH, MonthlyCosts, ownership
from inference_cost.advise.returns import Investment, returns_of
from inference_cost.advise.sensitivity import Assumption, Circumstances, Range, cases, swings
from inference_cost.cli.report.comparing import MEASURED, chosen, per_month
from inference_cost.cli.report.document import (
    CasePart,
    FactorPart,
    InputPart,
    OwnershipPart,
    PolicyPart,
    ReturnsPart,
    SavingsPart,
)
from inference_cost.cli.report.money import Rounding
from inference_cost.model.reading import Missing

NOTHING = Decimal(0)
NODES = "nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What no cluster tells. `given`: per month, by the names of `MonthlyCosts`."""

    investment: Investment = field(default_factory=lambda: Investment(implementation=NOTHING))
    given: Mapping[str, Decimal] = field(default_factory=dict)
    worst: Circumstances = field(default_factory=Circumstances)
    best: Circumstances = field(default_factory=Circumstances)
    learning_days: Decimal = Decimal(1)


def ownership_part(
    cost: Decimal, recorded_hours: float, inputs: Inputs, rounding: Rounding
) -> OwnershipPart:
    """`cost` of the nodes in the hours recorded."""
    nodes = cost / Decimal(str(recorded_hours)) * HOURS_PER_MONTH if recorded_hours else None
    owned = ownership(MonthlyCosts(nodes=nodes, **inputs.given))
    investment = inputs.investment
    return OwnershipPart(
        nodes_per_month=None if nodes is None else rounding.text(nodes),
        inputs=tuple(
            InputPart(name=name, per_month=rounding.text(amount))
            for name, amount in owned.known
            if name != NODES
        ),
        absent=owned.absent,
        implementation=rounding.text(investment.implementation),
        per_month=rounding.text(owned.total),
        in_all=rounding.text(owned.total * investment.months + investment.implementation),
        months=investment.months,
    )


def returns_part(policies: Sequence[PolicyPart], inputs: Inputs, rounding: Rounding) -> ReturnsPart:
    savings = [one for one in (chosen(part.savings) for part in policies) if one is not None]
    saved, baseline = per_month(savings)
    investment = inputs.investment
    least = investment.implementation / investment.months + investment.running_per_month
    known = bool(savings) and baseline > 0
    return ReturnsPart(
        basis=_basis(savings),
        assumed=tuple(_assumed(inputs)),
        saved_per_month=rounding.text(saved) if savings else None,
        running_per_month=rounding.text(investment.running_per_month),
        break_even_per_month=rounding.text(least),
        cases=_cases(saved, baseline, inputs, rounding) if known else (),
        alone=_alone(saved, baseline, inputs, rounding) if known else (),
    )


def _cases(
    saved: Decimal, baseline: Decimal, inputs: Inputs, rounding: Rounding
) -> tuple[CasePart, ...]:
    found = cases(_assumption(saved, baseline, inputs), _range(inputs))
    worst, best = sorted((found["worst"], found["best"]))  # of a loss the ends change places
    amounts = {"worst": worst, "expected": found["expected"], "best": best}
    return tuple(
        _case(name, amount, inputs.investment, rounding) for name, amount in amounts.items()
    )


def _alone(
    saved: Decimal, baseline: Decimal, inputs: Inputs, rounding: Rounding
) -> tuple[FactorPart, ...]:
    found = swings(_assumption(saved, baseline, inputs), _range(inputs))
    return tuple(
        FactorPart(
            factor=swing.name.replace("_", " "),
            worst=_case("worst", swing.at_worst, inputs.investment, rounding),
            best=_case("best", swing.at_best, inputs.investment, rounding),
        )
        for swing in found
    )


def _assumption(saved: Decimal, baseline: Decimal, inputs: Inputs) -> Assumption:
    return Assumption(
        baseline_per_month=baseline,
        saved_fraction=saved / baseline,
        learning_days=inputs.learning_days,
    )


def _range(inputs: Inputs) -> Range:
    return Range(worst=inputs.worst, expected=Circumstances(), best=inputs.best)


def _assumed(inputs: Inputs) -> Iterator[str]:
    worst, best = inputs.worst, inputs.best
    yield f"traffic {worst.traffic:f} to {best.traffic:f} times what was seen"
    yield f"prices {worst.price:f} to {best.price:f} times those of now"
    yield f"efficacy {worst.efficacy:f} to {best.efficacy:f} times what was seen"
    yield (
        f"{worst.model_changes_per_year:f} to {best.model_changes_per_year:f} more model changes per year, each without"
        f" a saving for {inputs.learning_days:f} d"
    )
    yield f"later money discounted by {100 * inputs.investment.discount_per_year:f} % per year"


def _basis(savings: Sequence[SavingsPart]) -> str:
    measured = any(one.state == MEASURED for one in savings)
    potential = any(one.state != MEASURED for one in savings)
    if measured and potential:
        return "measured savings, and potential ones of policies that are not enforced"
    if measured:
        return "measured savings"
    return "potential savings: nothing is enforced yet" if potential else "no saving is known"


def _case(name: str, saved: Decimal, investment: Investment, rounding: Rounding) -> CasePart:
    returns = returns_of(saved, investment)
    roi, payback = returns.roi, returns.payback_months
    return CasePart(
        name=name,
        saved_per_month=rounding.text(saved),
        net=rounding.text(returns.net),
        present_value=rounding.text(returns.present_value),
        roi_percent=None if isinstance(roi, Missing) else round(100 * float(roi), 1),
        payback_months=None if isinstance(payback, Missing) else round(float(payback), 1),
    )
