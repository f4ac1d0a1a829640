"""What goes wrong in which case, and the table of it."""

import numpy as np
import pytest

from benchmarks.replay import faults
from benchmarks.replay.faults import Fault, times, with_fault
from benchmarks.replay.faults_table import faults_table
from benchmarks.replay.plan import FAULT_BASELINES, LOAD_TIMES, faulty
from benchmarks.replay.rows import NO_RESULTS, Results
from inference_cost.simulate.scenario import Faults, Scenario
from inference_cost.simulate.traffic import Traffic
from tests.unit.benchmarks.runs import ours, outcome, rows, scenario

CASES = [run.case for run in faulty()]


def rate(case: Scenario, at: float) -> float:
    return float(case.traffic.counts[int(at // 10)])


def test_one_thing_is_wrong_at_a_time_and_the_usual_case_stands_first() -> None:
    usual = CASES[0]
    for case in CASES[1:]:
        wrong = (
            case.fault is not Fault.NONE,
            case.metric_lag_seconds != usual.metric_lag_seconds,
            case.missing_percent != usual.missing_percent,
            case.start != usual.start,
        )
        assert sum(wrong) == 1
    assert len({str(case) for case in CASES}) == len(CASES)
    assert {case.fault for case in CASES} == set(Fault)


def test_the_autoscalers_that_most_people_run_stand_beside() -> None:
    assert {run.against for run in faulty()} == {FAULT_BASELINES} == {("hpa", "keda")}


def test_in_an_outage_nothing_arrives_and_then_all_does() -> None:
    plain = scenario()
    case = with_fault(plain, Fault.OUTAGE)
    begin, end = faults.OUTAGE_FROM, faults.OUTAGE_FROM + faults.OUTAGE_SECONDS
    assert [rate(case, at) for at in (begin, end - 10)] == [0.0, 0.0]
    assert [rate(case, at) for at in (begin - 10, end)] == [
        rate(plain, begin - 10),
        rate(plain, end),
    ]
    assert case.stretch == plain.stretch


def test_more_load_meets_a_queue_that_rejects() -> None:
    plain = scenario()
    case = with_fault(plain, Fault.REJECTING)
    assert rate(case, faults.MORE_FROM) == 2.5 * rate(plain, faults.MORE_FROM)
    assert case.faults.queue_limit_seconds == pytest.approx(2 * plain.service.seconds(16))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.NONE, Faults()),
        (Fault.SLOWER, Faults(slower_from=43_200.0, slower_factor=1.4)),
        (Fault.LONG_PRIOR, Faults(prior_error=0.3)),
        (Fault.SHORT_PRIOR, Faults(prior_error=-0.3)),
        (Fault.FAILING, Faults(failing_starts=0.1)),
    ],
    ids=str,
)
def test_other_faults_leave_the_traffic_alone(fault: Fault, expected: Faults) -> None:
    plain = scenario()
    case = with_fault(plain, fault)
    assert case.faults == expected
    assert case.traffic is plain.traffic


def test_the_spell_without_starts_is_half_an_hour() -> None:
    case = with_fault(scenario(), Fault.UNREADY)
    assert case.faults.unready_until - case.faults.unready_from == 1800.0


def test_arrivals_are_multiplied_between_two_times() -> None:
    even = Traffic(width_seconds=10.0, counts=np.full(4, 2.0))
    assert times(even, 3.0, 10.0, 20.0).counts.tolist() == [2.0, 6.0, 6.0, 2.0]


def test_the_table_says_what_is_wrong_and_the_worst_hour() -> None:
    made = rows(ours(), outcome("hpa", 145.0, 0.98)) + rows(fault=Fault.OUTAGE)
    made += rows(metric_lag_seconds=60.0) + rows(missing_percent=20.0) + rows(start=LOAD_TIMES)
    facts = {"command": "`make it`", "date": "2026-01-02"}
    text = faults_table(Results(facts=facts, rows=made))
    assert "| nothing | 1.14 (99.3), 89.3 | *1.45 (98.0)*, 88.0 | – |" in text
    for what in (
        str(Fault.OUTAGE),
        "metrics 60 s late",
        "20 % of the scrapes missing",
        "start-up drawn",
    ):
        assert f"| {what}" in text
    assert text.endswith("Made by `make it` on 2026-01-02, state of the code c0de.")


def test_without_rows_the_table_says_so() -> None:
    assert faults_table(NO_RESULTS) == "Not run."
