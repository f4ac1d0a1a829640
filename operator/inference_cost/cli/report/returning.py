"""Returns and total cost of ownership, from what was saved and what the caller knows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from inference_cost.advise.month import LEAST_HOURS, per_month
from inference_cost.advise.ownership import MonthlyCosts, ownership
from inference_cost.advise.returns import Investment, returns_of
from inference_cost.advise.sensitivity import (
    Assumption,
    Circumstances,
    Range,
    cases,
    nodes_between,
    swings,
)
from inference_cost.cli.report.business_document import (
    BasisPart,
    CasePart,
    FactorPart,
    InputPart,
    OwnershipPart,
    ReturnsPart,
)
from inference_cost.cli.report.comparing import MEASURED, POTENTIAL
from inference_cost.cli.report.document import PolicyPart, SavingsPart
from inference_cost.cli.report.money import Rounding
from inference_cost.model.reading import Missing

NOTHING = Decimal(0)
NODES, IMPLEMENTATION = "nodes", "implementation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What no cluster tells. `given`: per month, by the names of `MonthlyCosts`.

    `implementation_given`: else nothing is taken for it, and that is said.
    """

    investment: Investment = field(default_factory=lambda: Investment(implementation=NOTHING))
    implementation_given: bool = False
    given: Mapping[str, Decimal] = field(default_factory=dict)
    worst: Circumstances = field(default_factory=Circumstances)
    best: Circumstances = field(default_factory=Circumstances)
    learning_days: Decimal = Decimal(1)

    @property
    def range(self) -> Range:
        return Range(worst=self.worst, expected=Circumstances(), best=self.best)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """Savings of one state as those of a month, of policies with hours enough; the others with their hours."""

    saved: Decimal
    baseline: Decimal
    policies: tuple[str, ...]
    too_early: tuple[str, ...]

    @property
    def why_not(self) -> str:
        """No share of the baseline can be told; empty where one can."""
        if not self.policies:
            counted = "; ".join(self.too_early)
            return f"too early: {LEAST_HOURS} h are needed, and counted are, of {counted}"
        return "" if self.baseline > 0 else "the baseline costs nothing: no saving is a share of it"


def monthly(policies: Sequence[PolicyPart], state: str) -> Monthly | None:
    """One part of each policy, the longest. None without any amount."""
    saved = baseline = NOTHING
    enough, early = [], []
    for one in policies:
        part = _longest(one.savings, state)
        if part is None:
            continue
        name, hours = f"{one.namespace}/{one.name}", Decimal(str(part.hours))
        ours = per_month(Decimal(part.amount or 0), hours)
        theirs = per_month(Decimal(part.baseline_cost), hours)
        if isinstance(ours, Missing) or isinstance(theirs, Missing):
            early.append(f"{name} {part.hours:,.4g} h")
            continue
        enough.append(name)
        saved, baseline = saved + ours, baseline + theirs
    if not enough and not early:
        return None
    return Monthly(saved=saved, baseline=baseline, policies=tuple(enough), too_early=tuple(early))


def _longest(parts: Sequence[SavingsPart], state: str) -> SavingsPart | None:
    known = [part for part in parts if part.state == state and part.amount is not None]
    return max(known, key=lambda part: part.hours, default=None)


def ownership_part(
    cost: Decimal,
    recorded_hours: float,
    policies: Sequence[PolicyPart],
    inputs: Inputs,
    rounding: Rounding,
) -> OwnershipPart:
    """`cost` of the nodes in the hours recorded."""
    nodes = per_month(cost, Decimal(str(recorded_hours)))
    known = None if isinstance(nodes, Missing) else nodes
    owned = ownership(MonthlyCosts(nodes=known, **inputs.given))
    investment, once = inputs.investment, inputs.investment.implementation
    others = owned.total - (known or NOTHING)
    lowest, highest = (None, None) if known is None else _between(known, policies, inputs)

    def text(amount: Decimal | None) -> str | None:
        return None if amount is None else rounding.text(amount)

    return OwnershipPart(
        nodes_per_month=text(known),
        nodes_why_not=nodes.detail if isinstance(nodes, Missing) else "",
        inputs=tuple(
            InputPart(name=name, per_month=rounding.text(amount))
            for name, amount in owned.known
            if name != NODES
        ),
        absent=(
            *(name for name in owned.absent if name != NODES),
            *(() if inputs.implementation_given else (IMPLEMENTATION,)),
        ),
        implementation=rounding.text(once) if inputs.implementation_given else None,
        per_month=None if known is None else rounding.text(owned.total),
        lowest_per_month=None if lowest is None else rounding.text(lowest + others),
        highest_per_month=None if highest is None else rounding.text(highest + others),
        in_all=None if known is None else rounding.text(owned.total * investment.months + once),
        months=investment.months,
    )


def _between(
    nodes: Decimal, policies: Sequence[PolicyPart], inputs: Inputs
) -> tuple[Decimal, Decimal]:
    """What measured savings lose of their efficacy is paid for; potential ones are in no node yet."""
    measured = monthly(policies, MEASURED)
    known = measured is not None and not measured.why_not
    assumed = _assumption(measured, inputs) if measured is not None and known else None
    return nodes_between(nodes, assumed, inputs.range)


def returns_part(policies: Sequence[PolicyPart], inputs: Inputs, rounding: Rounding) -> ReturnsPart:
    investment = inputs.investment
    least = investment.implementation / investment.months + investment.running_per_month
    measured, potential = (
        None if found is None else _basis(found, inputs, rounding)
        for found in (monthly(policies, state) for state in (MEASURED, POTENTIAL))
    )
    return ReturnsPart(
        assumed=tuple(_assumed(inputs)),
        least_hours=float(LEAST_HOURS),
        running_per_month=rounding.text(investment.running_per_month),
        break_even_per_month=rounding.text(least),
        measured=measured,
        potential=potential,
    )


def _basis(found: Monthly, inputs: Inputs, rounding: Rounding) -> BasisPart:
    told = bool(found.policies)
    return BasisPart(
        policies=found.policies,
        too_early=found.too_early,
        why_not=found.why_not,
        saved_per_month=rounding.text(found.saved) if told else None,
        baseline_per_month=rounding.text(found.baseline) if told else None,
        cases=() if found.why_not else _cases(found, inputs, rounding),
        alone=() if found.why_not else _alone(found, inputs, rounding),
    )


def _cases(found: Monthly, inputs: Inputs, rounding: Rounding) -> tuple[CasePart, ...]:
    saved = cases(_assumption(found, inputs), inputs.range)
    worst, best = sorted((saved["worst"], saved["best"]))  # of a loss the ends change places
    amounts = {"worst": worst, "expected": saved["expected"], "best": best}
    return tuple(
        _case(name, amount, inputs.investment, rounding) for name, amount in amounts.items()
    )


def _alone(found: Monthly, inputs: Inputs, rounding: Rounding) -> tuple[FactorPart, ...]:
    parts = []
    for swing in swings(_assumption(found, inputs), inputs.range):
        worst, best = sorted((swing.at_worst, swing.at_best))
        parts.append(
            FactorPart(
                factor=swing.name.replace("_", " "),
                worst=_case("worst", worst, inputs.investment, rounding),
                best=_case("best", best, inputs.investment, rounding),
            )
        )
    return tuple(parts)


def _assumption(found: Monthly, inputs: Inputs) -> Assumption:
    return Assumption(
        baseline_per_month=found.baseline,
        saved_fraction=found.saved / found.baseline,
        learning_days=inputs.learning_days,
    )


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
    if not inputs.implementation_given:
        yield "nothing to bring it in, for --implementation-cost is not given"
    if "operator" not in inputs.given:
        yield "nothing to run it, for --running-cost is not given"


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
