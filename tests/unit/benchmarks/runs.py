"""Made-up comparisons and rows for the tests of what is made from them."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.replay.plan import Case
from benchmarks.replay.rows import Row, rows_of
from benchmarks.replay.scenarios import scenario_of
from inference_cost.simulate.outcome import (
    BoundOutcome,
    Comparison,
    Course,
    Outcome,
    ReplicaHours,
)
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.traffic import Traffic

CASE = Case(trace="mlarge", seed=101)
TRAFFIC = Traffic(width_seconds=10.0, counts=np.full(8640 * 14, 2000.0))
LARGEST_LOAD = 240.0
NOTHING = Course(
    width_seconds=10.0,
    requests=np.zeros(1),
    late=np.zeros(1),
    ready=np.zeros(1),
    billed=np.zeros(1),
    dollars=np.zeros(1),
)


def outcome(name: str, cost: float = 110.0, attained: float = 0.993, **more: Any) -> Outcome:
    fields: dict[str, Any] = {
        "name": name,
        "kind": "baseline",
        "knob": "default: target 0.70",
        "cost_dollars": cost,
        "replica_hours": ReplicaHours(on_demand=cost),
        "requests": 1000.0,
        "late": 1000.0 * (1 - attained),
        "dropped": 1.0,
        "attained_fraction": attained,
        "worst_day_fraction": attained - 0.01,
        "worst_hour_fraction": attained - 0.1,
        "starts": 12,
        "scale_events": 20,
        "course": NOTHING,
    }
    return Outcome(**(fields | more))


def ours(cost: float = 114.0, attained: float = 0.993) -> Outcome:
    return outcome("its-name", cost, attained, kind="ours", knob="")


def tuned(name: str, cost: float, attained: float = 0.991) -> Outcome:
    return outcome(name, cost, attained, knob="tuned: target 0.85")


def comparison(*outcomes: Outcome, bound: float = 100.0) -> Comparison:
    return Comparison(
        outcomes=outcomes,
        bound=BoundOutcome(
            cost_dollars=bound, attained_fraction=0.99, duality_gap_dollars=bound / 1000
        ),
    )


def scenario(case: Case = CASE, traffic: Traffic = TRAFFIC) -> Scenario:
    return scenario_of(case, traffic, LARGEST_LOAD, (20.0, 50.0))


def rows(*outcomes: Outcome, bound: float = 100.0, **of_case: Any) -> tuple[Row, ...]:
    case = replace(CASE, **of_case)
    made = comparison(*(outcomes or (ours(),)), bound=bound)
    return rows_of(case, scenario(case), made, "c0de")
