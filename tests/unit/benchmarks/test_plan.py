"""Every run that the page needs is planned once, and the headline figures come first."""

import pytest

from benchmarks.replay.plan import (
    BASELINES,
    CERTIFIED_BASELINES,
    LOAD_TIMES,
    Case,
    full,
    quick,
    usual_fidelity,
)
from benchmarks.traces.catalog import TRACES
from benchmarks.traces.variants import Variant
from inference_cost.simulate.scenario import Fidelity

NAMES = [trace.name for trace in TRACES]
CASES = [run.case for run in full()]


def test_no_case_runs_twice() -> None:
    assert len(set(CASES)) == len(CASES)
    assert len({str(case) for case in CASES}) == len(CASES)  # and its words tell it from the others


def test_headline_figures_are_tuned_and_come_first() -> None:
    tuned = [run for run in full() if run.tuned]
    assert tuned == list(full()[: len(tuned)])
    assert {(run.case.trace, run.case.start) for run in tuned} == {
        (name, start) for name in NAMES for start in ("180", "360")
    }
    assert all(run.case.variant is Variant.RECORDED for run in tuned)


def test_every_run_has_every_baseline() -> None:
    others = [run for run in full() if run.case.fidelity is usual_fidelity(run.case.trace)]
    assert all(run.against == BASELINES for run in others)
    assert {"hpa", "keda", "kpa", "kpa-rps", "wva", "wva-chart", "llmd-slo"} < set(BASELINES)


@pytest.mark.parametrize("start", ["180", "360"])
@pytest.mark.parametrize("name", NAMES)
def test_every_trace_is_varied_at_both_starts(name: str, start: str) -> None:
    seen = {case.variant for case in CASES if case.trace == name and case.start == start}
    assert seen == set(Variant)


@pytest.mark.parametrize(
    ("words", "count"),
    [("lag 30 s", 2), ("lag 60 s", 2), ("5 % missing", 2), ("queue delay 2 ms", len(NAMES))],
)
def test_conditions_are_swept(words: str, count: int) -> None:
    assert sum(words in str(case) for case in CASES) == count


def test_drawn_traces_run_at_three_seeds() -> None:
    for trace in TRACES:
        seeds = {case.seed for case in CASES if case.trace == trace.name}
        assert len(seeds) == (3 if trace.drawn else 1)


def test_some_traces_start_in_real_load_times() -> None:
    assert sum(case.start == LOAD_TIMES for case in CASES) == 2


def test_traces_with_a_long_objective_are_certified_request_by_request() -> None:
    unusual = [run for run in full() if run.case.fidelity is not usual_fidelity(run.case.trace)]
    certified = [run for run in unusual if run.case.fidelity is Fidelity.REQUEST]
    assert {run.case.trace for run in certified} == {"deepseek-r1", "gentd26", "nab-amzn"}
    assert len(certified) == len(unusual) == 3
    assert all(run.against == CERTIFIED_BASELINES for run in certified)
    assert "every request" in str(certified[0].case)


def test_the_short_version_is_short() -> None:
    assert [run.case.trace for run in quick()] == ["mlarge-day", "deepseek-r1", "nab-amzn-week"]
    assert all(run.against == ("hpa",) and not run.tuned for run in quick())


def test_a_case_tells_what_is_unusual_about_it() -> None:
    case = Case(trace="nasa", seed=7, variant=Variant.REVERSED, metric_lag_seconds=60.0)
    assert str(case) == "nasa start 180 s seed 7, reversed, lag 60 s"
