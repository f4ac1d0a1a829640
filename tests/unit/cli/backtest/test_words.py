"""The sentence for a person who decides on money: fair to all, also where somebody misses the objective."""

from typing import Any

import pytest

from inference_cost.cli.backtest.result_model import Bound, Hours, Run
from inference_cost.cli.backtest.words import Bounds, ratio_note, sentence

MISSES = {"meets_objective": False}


def row(name: str, cost: str, attained: float = 99.5, **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "name": name,
        "kind": "baseline",
        "knob": "default: x",
        "cost_dollars": f"{cost}.0000",
        "replica_hours": Hours(on_demand=1, spot=0, warm=0),
        "attainment_percent": attained,
        "worst_day_percent": 99,
        "worst_hour_percent": 99,
        "requests": 100,
        "late": 1,
        "dropped": 0,
        "starts": 1,
        "scale_events": 1,
        "ratio_to_bound": None,
        "ratio_bound": None,
        "meets_objective": True,
        "notes": (),
    }
    return Run(**(fields | changes))


def bound(cost: str) -> Bound:
    return Bound(cost_dollars=f"{cost}.0000", attainment_percent=99, duality_gap_dollars="0.0000")


GOOD = row("resnet", "100", kind="ours", knob="")
SHORT = row("resnet", "100", 98, kind="ours", knob="", **MISSES)
ON_DEMAND = Bounds(on_demand=bound("80"))
BOTH = Bounds(on_demand=bound("80"), spot=bound("30"))

SENTENCES: dict[str, tuple[Run, tuple[Run, ...], Bounds, str]] = {
    "costs of those that meet the objective": (
        GOOD, (row("hpa", "150"), row("wva", "120")), ON_DEMAND,
        ("HPA at its default would have cost 50 % more, with 99.50 % in time; WVA at its default would have cost "
        "20 % more, with 99.50 % in time; the cheapest possible, knowing the future, is $80.00, 20 % less."),
    ),
    "a rival that misses it is not cheap but bad": (
        GOOD, (row("hpa", "3", 0.08, **MISSES), row("keda", "2", 1, **MISSES)), Bounds(),
        "HPA at its default would miss the objective (0.08 % in time).",
    ),
    "ours misses it, others do not": (
        SHORT, (row("hpa", "90"), row("static", "200", knob="9 replicas")), ON_DEMAND,
        ("HPA at its default would have met it for $90.00 (99.50 % in time); a static peak would have met it for "
        "$200 (99.50 % in time); the cheapest possible that meets the objective, knowing the future, is $80.00."),
    ),
    "nobody meets it": (
        SHORT, (row("hpa", "90", 97, **MISSES),), Bounds(),
        "HPA at its default would miss it too (97.00 % in time).",
    ),
    "with spot, what ours orders placed on demand is no rival": (
        GOOD, (row("on-demand-only", "50"), row("spothedge", "60")), BOTH,
        ("SpotHedge at its default would have cost 40 % less, with 99.50 % in time; the cheapest possible with spot, "
        "knowing the future, is $30.00, 70 % less (on demand alone $80.00, 20 % less)."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SENTENCES)
def test_sentence(case: str) -> None:
    ours, others, bounds, expected = SENTENCES[case]
    _, _, found = sentence("resnet", 3600, 99, (ours, *others), bounds).partition("; ")
    assert found == expected


def test_of_a_fleet_each_objective_counts() -> None:
    """The mean may be above the objective where policies miss theirs."""
    runs = (GOOD, row("hpa", "90", 99.9, **MISSES))
    told = sentence("this fleet of 3", 3600, 99, runs, Bounds(), fleet=True)
    assert told.endswith("HPA at its default would miss an objective (99.90 % in time).")
    told = sentence("this fleet of 3", 3600, 99, (SHORT,), Bounds(), fleet=True)
    assert told.endswith("98.00 % in time, with objectives missed.")


def test_which_bound_a_ratio_is_of() -> None:
    rows = (
        row("hpa", "90", ratio_bound="bound"),
        row("spothedge", "90", ratio_bound="spotBound"),
        row("one-zone", "90", ratio_bound="spotBound"),
    )
    assert ratio_note(rows) == (
        "÷ bound: of SpotHedge, One zone with fallback by the bound with spot, of all others by the one on demand"
    )
    assert ratio_note(rows[:1]) == ""
