"""Numbers and results in words, for a person who decides on money."""

from collections.abc import Sequence
from math import floor

from inference_cost.cli.backtest.result_model import Bound, Run

TITLES = {
    "hpa": "HPA",
    "keda": "KEDA",
    "kpa": "Knative (concurrency)",
    "kpa-rps": "Knative (requests/s)",
    "wva": "WVA",
    "wva-chart": "WVA (chart)",
    "wva-saturation": "WVA (saturation)",
    "llmd-slo": "llm-d SLO-aware KEDA",
    "static": "Static peak",
    "static99": "Best constant in hindsight",
    "spothedge": "SpotHedge",
    "on-demand-only": "On-demand only",
    "one-zone": "One zone with fallback",
    "half-half": "Half spot, half on-demand",
}
DAY_SECONDS, HOUR_SECONDS = 86_400.0, 3_600.0
LONG_DAYS = 2.0
WHOLE_DOLLARS_FROM = 100.0
SAME_PERCENT = 0.5


def title(run: Run) -> str:
    """How a run is called in charts."""
    if run.kind == "ours":
        return run.name
    name = TITLES.get(run.name, run.name)
    return f"{name}, tuned" if run.knob.startswith("tuned") else name


def dollars(amount: str | float) -> str:
    value = float(amount)
    return f"${value:,.0f}" if value >= WHOLE_DOLLARS_FROM else f"${value:,.2f}"


def percent(value: float) -> str:
    """Rounded down to two decimals, so that 100.00 % means all."""
    return f"{floor(value * 100 + 1e-6) / 100:.2f} %"


def span(seconds: float) -> str:
    if seconds >= LONG_DAYS * DAY_SECONDS:
        return f"{seconds / DAY_SECONDS:.3g} days"
    if seconds >= 2 * HOUR_SECONDS:
        return f"{seconds / HOUR_SECONDS:.3g} hours"
    return f"{seconds / 60:.3g} minutes"


def sentence(
    name: str,
    seconds: float,
    target_percent: float | None,
    runs: Sequence[Run],
    bound: Bound | None,
) -> str:
    """For example: Over 14 days resnet would have cost $5,012 and answered 99.31 % in time (…).

    `target_percent`: of the objective; None where policies have different ones.
    """
    ours = runs[0]
    told = (
        f"Over {span(seconds)} {name} would have cost {dollars(ours.cost_dollars)} and answered "
        f"{percent(ours.attainment_percent)} in time{_objective(ours, target_percent)}"
    )
    parts = [told, *(_compared(ours, other) for other in _worth_telling(runs[1:]))]
    if bound is not None:
        parts.append(
            f"the cheapest possible, knowing the future, is {dollars(bound.cost_dollars)}, "
            f"{_difference(ours, bound)}"
        )
    return "; ".join(parts) + "."


def _objective(ours: Run, target_percent: float | None) -> str:
    if target_percent is None:
        return "" if ours.meets_objective else ", with objectives missed"
    verdict = "the objective is" if ours.meets_objective else "short of the objective of"
    return f" ({verdict} {target_percent:g} %)"


def _worth_telling(others: Sequence[Run]) -> list[Run]:
    """HPA as it comes, and the cheapest of all others that met the objective."""
    hpa = [run for run in others if run.name == "hpa" and not run.knob.startswith("tuned")]
    good = [run for run in others if run.meets_objective and run not in hpa]
    return hpa[:1] + sorted(good, key=lambda run: float(run.cost_dollars))[:1]


def _compared(ours: Run, other: Run) -> str:
    name = TITLES.get(other.name, other.name)
    if other.name.startswith("static"):  # a plain word that stands inside the sentence
        name = f"a {name.lower()}" if other.name == "static" else f"the {name.lower()}"
    answered = percent(other.attainment_percent)
    return (
        f"{name}{_how(other)} would have cost {_difference(ours, other)}, with {answered} in time"
    )


def _how(run: Run) -> str:
    if run.knob.startswith("tuned"):
        return " tuned in hindsight"
    return " at its default" if run.knob.startswith("default") else ""


def _difference(ours: Run, other: Run | Bound) -> str:
    mine, theirs = float(ours.cost_dollars), float(other.cost_dollars)
    change = 100 * (theirs / mine - 1) if mine > 0 else 0.0
    if abs(change) < SAME_PERCENT:
        return "about the same"
    return f"{change:.0f} % more" if change > 0 else f"{-change:.0f} % less"
