"""Rows keep what a run gave, and the file keeps the rows."""

from dataclasses import replace

import pytest

from benchmarks.replay.plan import Case
from benchmarks.replay.rows import Results, from_csv, merged, rows_of, to_csv
from benchmarks.traces.variants import Variant
from inference_cost.simulate.outcome import ReplicaHours
from tests.unit.benchmarks.runs import CASE, comparison, ours, outcome, rows, scenario, tuned

ROWS = rows(ours(), outcome("hpa", 145.0, 1.0, notes=("held at max",)), tuned("hpa", 119.0))


def test_a_row_holds_cost_attainment_and_the_conditions() -> None:
    row = rows(outcome("hpa", 145.0, 0.99321, replica_hours=ReplicaHours(on_demand=1.0, warm=2.0)))[
        0
    ]
    assert (row.cost_dollars, row.bound_dollars, row.ratio_to_bound) == (145.0, 100.0, 1.45)
    assert (row.attainment_percent, row.worst_day_percent) == (99.321, 98.321)
    assert (row.days, row.mean_replicas, row.stretch) == (14.0, 16.0, 19.2)
    assert (row.objective_seconds, row.replica_hours) == (1.92, 3.0)
    assert row.case == CASE


def test_three_times_the_traffic_means_three_times_the_replicas() -> None:
    assert rows(variant=Variant.TRIPLED)[0].mean_replicas == 48.0


def test_who_is_ours_and_what_is_tuned() -> None:
    assert [(row.ours, row.tuned) for row in ROWS] == [(True, False), (False, False), (False, True)]


def test_without_a_bound_there_is_no_row() -> None:
    unbounded = replace(comparison(ours()), bound=None)
    with pytest.raises(ValueError, match="no bound"):
        rows_of(CASE, scenario(), unbounded, "c0de")


def test_a_bound_of_nothing_has_no_ratio() -> None:
    assert rows(ours(), bound=0.0)[0].ratio_to_bound is None


def test_the_file_gives_back_what_was_written() -> None:
    results = Results(
        facts={"date": "2026-01-02", "command": "`a: b`"}, rows=ROWS + rows(bound=0.0, seed=2)
    )
    assert from_csv(to_csv(results)) == results


def test_a_missing_column_is_named() -> None:
    text = to_csv(Results(facts={}, rows=ROWS)).replace("worst_day_percent", "other")
    with pytest.raises(ValueError, match="worst_day_percent"):
        from_csv(text)


def test_new_rows_replace_those_of_the_same_case_in_the_order_of_the_plan() -> None:
    first, second = Case(trace="mlarge", seed=1), Case(trace="mlarge", seed=2)
    old = rows(ours(1.0), seed=2) + rows(ours(2.0), seed=7)
    new = rows(ours(3.0), seed=2) + rows(ours(4.0), outcome("hpa", 5.0), seed=1)
    together = merged(old, new, [first, second])
    assert [(row.seed, row.cost_dollars) for row in together] == [
        (1, 4.0),
        (1, 5.0),
        (2, 3.0),
        (7, 2.0),  # not in the plan any more: kept, at the end
    ]
