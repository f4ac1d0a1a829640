"""Numbers and results in words, for a person who decides on money."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from inference_cost.cli.backtest.knobs import DEFAULT, TUNED, setting
from inference_cost.cli.backtest.options import OWN_PLACEMENTS
from inference_cost.cli.backtest.result_model import Bound, Run

TITLES = {
    "hpa": "HPA",
    "keda": "KEDA",
    "kpa": "Knative (concurrency)",
    "kpa-rps": "Knative (requests/s)",
    "wva": "WVA",
    "wva-chart": "WVA (chart)",
    "wva-saturation": "WVA (saturation)",
    "wva-saturation-chart": "WVA (saturation, chart)",
    "llmd-slo": "llm-d SLO-aware KEDA",
    "static": "Static peak",
    "static99": "Best constant in hindsight",
    "priced": "Ours on spot, risk priced",
    "survive-largest-zone": "Ours on spot, surviving the largest zone",
    "spothedge": "SpotHedge",
    "on-demand-only": "On-demand only",
    "one-zone": "One zone with fallback",
    "half-half": "Half spot, half on-demand",
}
NO_RIVALS = ("on-demand-only", *OWN_PLACEMENTS)
DAY_SECONDS, HOUR_SECONDS = 86_400.0, 3_600.0
LONG_DAYS = 2.0
WHOLE_DOLLARS_FROM = 100.0
SAME_PERCENT = 0.5


def title(run: Run) -> str:
    """How a run is called in charts."""
    if run.kind == "ours":
        return run.name
    name = TITLES.get(run.name, run.name)
    return f"{name}, tuned" if setting(run.knob) == TUNED else name


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The cheapest possible: of on-demand replicas, and where spot may be used as well."""

    on_demand: Bound | None = None
    spot: Bound | None = None

    def named(self) -> list[tuple[str, Bound]]:
        """Those that are known, the one with spot last."""
        pairs = (("cheapest possible", self.on_demand), ("cheapest possible with spot", self.spot))
        return [(name, bound) for name, bound in pairs if bound is not None]

    def all(self) -> list[Bound]:
        return [bound for _, bound in self.named()]


def ratio_note(runs: Sequence[Run]) -> str:
    """Which bound a ratio is of, where there are two; else ""."""
    spot = dict.fromkeys(title(run) for run in runs if run.ratio_bound == "spotBound")
    if not spot:
        return ""
    return (
        f"÷ bound: of {', '.join(spot)} by the bound with spot, of all others by the one on demand"
    )


def sentence(
    name: str,
    seconds: float,
    target_percent: float | None,
    runs: Sequence[Run],
    bounds: Bounds,
    *,
    fleet: bool = False,
) -> str:
    """For example: Over 14 days resnet would have cost $5,012 and answered 99.31 % in time (…).

    `target_percent`: of the objective; None where policies have different ones.
    """
    ours = runs[0]
    told = (
        f"Over {span(seconds)} {name} would have cost {dollars(ours.cost_dollars)} and answered "
        f"{percent(ours.attainment_percent)} in time{_objective(ours, target_percent, fleet=fleet)}"
    )
    noun = "an objective" if fleet else "the objective"
    parts = [told, *(_compared(ours, other, noun) for other in _worth_telling(runs[1:]))]
    parts += _least(ours, bounds, noun)
    return "; ".join(parts) + "."


def _objective(ours: Run, target_percent: float | None, *, fleet: bool) -> str:
    if target_percent is None or (fleet and not ours.meets_objective):
        return "" if ours.meets_objective else ", with objectives missed"
    verdict = "the objective is" if ours.meets_objective else "short of the objective of"
    return f" ({verdict} {target_percent:g} %)"


def _worth_telling(others: Sequence[Run]) -> list[Run]:
    """HPA as it comes, and the cheapest of all others that met the objective.

    `on-demand-only` and our own placements are no rivals: they place what ours orders.
    """
    hpa = [run for run in others if run.name == "hpa" and setting(run.knob) != TUNED]
    rivals = [run for run in others if run not in hpa and run.name not in NO_RIVALS]
    good = [run for run in rivals if run.meets_objective]
    return hpa[:1] + sorted(good, key=lambda run: float(run.cost_dollars))[:1]


def _compared(ours: Run, other: Run, noun: str) -> str:
    """Costs are compared where both met the objective: less money for more late requests is no saving."""
    name, answered = f"{_inside(other)}{_how(other)}", percent(other.attainment_percent)
    if not other.meets_objective:
        missed = f"miss {noun}" if ours.meets_objective else "miss it too"
        return f"{name} would {missed} ({answered} in time)"
    if not ours.meets_objective:
        return f"{name} would have met it for {dollars(other.cost_dollars)} ({answered} in time)"
    return f"{name} would have cost {_difference(ours, other)}, with {answered} in time"


def _inside(run: Run) -> str:
    """The name as it stands inside a sentence."""
    name = TITLES.get(run.name, run.name)
    if run.name == "static":
        return f"a {name.lower()}"
    return f"the {name.lower()}" if run.name.startswith("static") else name


def _how(run: Run) -> str:
    return {TUNED: " tuned in hindsight", DEFAULT: " at its default"}.get(setting(run.knob), "")


def _least(ours: Run, bounds: Bounds, noun: str) -> list[str]:
    """The bound that holds for whoever may use spot, where there is a market; and the one on demand."""
    best = bounds.spot or bounds.on_demand
    if best is None:
        return []
    market = "" if bounds.spot is None else " with spot"
    met = "" if ours.meets_objective else f" that meets {noun}"
    more = ""
    if bounds.spot is not None and bounds.on_demand is not None:
        more = f" (on demand alone {_amount(ours, bounds.on_demand)})"
    return [
        f"the cheapest possible{market}{met}, knowing the future, is {_amount(ours, best)}{more}"
    ]


def _amount(ours: Run, bound: Bound) -> str:
    amount = dollars(bound.cost_dollars)
    return f"{amount}, {_difference(ours, bound)}" if ours.meets_objective else amount


def _difference(ours: Run, other: Run | Bound) -> str:
    mine, theirs = float(ours.cost_dollars), float(other.cost_dollars)
    change = 100 * (theirs / mine - 1) if mine > 0 else 0.0
    if abs(change) < SAME_PERCENT:
        return "about the same"
    return f"{change:.0f} % more" if change > 0 else f"{-change:.0f} % less"
