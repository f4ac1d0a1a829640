"""The page is a pure function of the results, and says what may be compared."""

import re
from dataclasses import replace

import pytest

from benchmarks.replay import tables
from benchmarks.replay.frontier import Point
from benchmarks.replay.frontier_table import mean_quotient
from benchmarks.replay.page import page
from benchmarks.replay.plan import LOAD_TIMES
from benchmarks.replay.rows import NO_RESULTS, Results, Row, from_csv, to_csv
from benchmarks.traces.variants import Variant
from inference_cost.simulate.outcome import Outcome
from inference_cost.simulate.scenario import Fidelity
from tests.unit.benchmarks.runs import ours, outcome, rows, tuned

USUAL = (
    ours(114.0),
    outcome("hpa", 145.0, 1.0),
    outcome("wva", 104.0, 0.961),
    tuned("hpa", 119.0),
    tuned("wva", 123.0),
    tuned("llmd-slo", 190.0),
    outcome("static99", 203.0, 0.9905, knob=""),
)
FACTS = {"date": "2026-01-02", "machine": "2 cores"}


def lines(text: str) -> list[list[str]]:
    """Cells by line, without the headings."""
    body = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body]


def case(*outcomes: Outcome, **of_case: object) -> tuple[Row, ...]:
    return rows(*(outcomes or USUAL), **of_case)


def test_policies_at_their_defaults() -> None:
    [found] = lines(tables.default_table(case(), "180"))
    assert found[:3] == ["`mlarge`", "1.14 (99.3)", "1.45 (100.0)"]
    assert found[6] == "*1.04 (96.1)*"
    assert set(found[3:6] + found[7:]) == {"–"}  # not run


def test_policies_at_their_best_knob() -> None:
    found = lines(tables.tuned_table(case(), "180"))[0]
    assert found[:3] == ["`mlarge`", "1.14 (99.3)", "1.19 (99.1)"]
    assert found[6] == "1.23 (99.1)"
    assert found[-1] == "2.03 (99.0)"


def test_a_knob_that_never_meets_the_objective() -> None:
    missing = case(ours(), tuned("hpa", 50.0, 0.97))
    assert lines(tables.tuned_table(missing, "180"))[0][2] == "never"
    assert tables.best_tuned(missing) is None


def test_attainment_just_below_the_objective_does_not_look_met() -> None:
    assert lines(tables.default_table(case(ours(114.0, 0.9899)), "180"))[0][1] == "*1.14 (98.9)*"


def test_the_best_tuned_is_the_cheapest_rival_that_meets_the_objective() -> None:
    found = lines(tables.beside_table(case()))
    assert found == [
        [
            "`mlarge`",
            "180 s",
            "1.14 (99.3)",
            "0.79",
            "hpa 1.19 (99.1)",
            "tuned: target 0.85",
            "0.96",
        ]
    ]


def test_costs_are_not_compared_where_one_misses_the_objective() -> None:
    cheap = case(ours(90.0, 0.97), outcome("hpa", 145.0, 0.98), tuned("wva", 123.0))
    found = lines(tables.beside_table(cheap))[0]
    assert found[3] == "ours and hpa misses"
    assert found[-1] == "ours misses"
    assert mean_quotient(cheap, (), "180") == "–"


def test_the_mean_is_geometric_and_over_traces_of_a_day_or_more() -> None:
    short = [replace(row, days=0.9) for row in case(ours(999.0), tuned("hpa", 1.0), trace="x")]
    both = [
        *case(ours(90.0), tuned("hpa", 100.0)),
        *case(ours(160.0), tuned("wva", 100.0), trace="y"),
    ]
    assert mean_quotient([*both, *short], (), "180") == "1.200 over 2 of 2 traces"


def test_where_ours_misses_the_mean_compares_at_its_own_attainment() -> None:
    missing = case(ours(90.0, 0.97), tuned("wva", 123.0))
    as_late, later = (
        Point(
            trace="mlarge",
            start="180",
            queue_delay_milliseconds=0.0,
            policy="wva",
            knob="x",
            cost_dollars=cost,
            attainment_percent=attainment,
        )
        for cost, attainment in ((100.0, 97.5), (50.0, 96.0))
    )
    assert mean_quotient(missing, (as_late, later), "180") == "0.900 over 1 of 1 traces"


def test_starts_are_kept_apart() -> None:
    both = case(ours(114.0)) + case(ours(125.0), start="360")
    assert lines(tables.default_table(both, "360"))[0][1] == "1.25 (99.3)"
    assert [line[1] for line in lines(tables.beside_table(both))] == ["180 s", "360 s"]


@pytest.mark.parametrize(
    "unusual",
    [
        {"seed": 1001},
        {"variant": Variant.REVERSED},
        {"metric_lag_seconds": 60.0},
        {"missing_percent": 5.0},
        {"queue_delay_milliseconds": 2.0},
        {"start": LOAD_TIMES},
        {"fidelity": Fidelity.REQUEST},
    ],
    ids=str,
)
def test_headline_tables_hold_the_usual_case_only(unusual: dict[str, object]) -> None:
    odd = case(ours(500.0), tuned("hpa", 1.0), **unusual)
    for order in (case() + odd, odd + case()):
        assert tables.default_table(order, "180") == tables.default_table(case(), "180")
        assert tables.tuned_table(order, "180") == tables.tuned_table(case(), "180")
        assert tables.traces_table(order) == tables.traces_table(case())


def test_variants_stand_beside_the_trace_as_recorded() -> None:
    mixed = case() + case(ours(130.0), variant=Variant.TRIPLED) + case(trace="nasa", seed=103)
    found = lines(tables.variants_table(mixed))
    assert [line[:4] for line in found] == [
        ["`mlarge`", "as recorded", "180 s", "1.14 (99.3)"],
        ["`mlarge`", "× 3", "180 s", "1.30 (99.3)"],
    ]


def test_seeds_give_a_span() -> None:
    found = lines(tables.seeds_table(case() + case(ours(120.0, 0.9951), seed=1001)))
    assert found[0][:3] == ["`mlarge`", "101, 1001", "1.14–1.20 (99.3–99.5)"]
    missed = lines(tables.seeds_table(case() + case(ours(120.0, 0.98), seed=1001)))
    assert missed[0][2] == "*1.14–1.20 (98.0–99.3)*"


def test_conditions_stand_beside_the_usual_ones() -> None:
    swept = (
        case()
        + case(ours(130.0), metric_lag_seconds=60.0)
        + case(ours(125.0), missing_percent=5.0)
        + case(ours(500.0), queue_delay_milliseconds=2.0)
        + case(ours(500.0), fidelity=Fidelity.REQUEST)
        + case(trace="nasa", seed=103)
    )
    assert [line[:4] for line in lines(tables.conditions_table(swept))] == [
        ["`mlarge`", "10 s", "0 %", "1.14 (99.3)"],
        ["`mlarge`", "60 s", "0 %", "1.30 (99.3)"],
        ["`mlarge`", "10 s", "5 %", "1.25 (99.3)"],
    ]


def test_a_queue_delay_stands_beside_none() -> None:
    both = case() + case(ours(130.0), queue_delay_milliseconds=2.0) + case(trace="nasa", seed=103)
    assert [line[:3] for line in lines(tables.queue_delay_table(both))] == [
        ["`mlarge`", "0 ms", "1.14 (99.3)"],
        ["`mlarge`", "2 ms", "1.30 (99.3)"],
    ]


def test_certified_figures_stand_beside_the_steps() -> None:
    both = case() + case(ours(130.0), fidelity=Fidelity.REQUEST) + case(trace="nasa", seed=103)
    assert [line[:4] for line in lines(tables.certified_table(both))] == [
        ["`mlarge`", "1.92 s", "step", "1.14 (99.3)"],
        ["`mlarge`", "1.92 s", "request", "1.30 (99.3)"],
    ]


def test_starts_drawn_from_load_times_have_their_own_table() -> None:
    both = case() + case(ours(105.0), start=LOAD_TIMES)
    assert [line[:3] for line in lines(tables.load_times_table(both))] == [
        ["`mlarge`", "load times", "1.05 (99.3)"]
    ]


def test_worst_times_and_dropped_requests_are_told() -> None:
    found = lines(tables.worst_table(case()))
    assert found[0] == [
        "`mlarge`", "180 s", "ours", "99.3", "98.3", "89.3", "0.100", "12", "20", "114"
    ]  # fmt: skip
    assert [line[2] for line in found] == ["ours", "hpa", "hpa tuned"]


def test_rows_of_two_states_of_the_code_are_said() -> None:
    old = tuple(replace(row, code="0ld") for row in case(start="360"))
    assert lines(tables.facts_table(FACTS.items(), case() + old))[-1][1] == "0ld, c0de"


def test_what_was_planned_and_not_run_is_said() -> None:
    told = dict(lines(tables.facts_table(FACTS.items(), case())))
    missing = told["planned, but not in these results"]
    assert re.search(r"\bmlarge \((\d+) of (\d+) cases\)", missing)
    left, planned = map(int, re.findall(r"mlarge \((\d+) of (\d+)", missing)[0])
    assert left == planned - 1


def test_the_page_is_a_function_of_the_file() -> None:
    results = Results(facts=FACTS, rows=case() + case(start="360"))
    once = page(results)
    assert once == page(from_csv(to_csv(results)))
    assert "{" not in once
    assert "| 2 cores |" in once
    assert "Not run." in once  # what has no rows says so


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        page(NO_RESULTS, template="{no such table}")
