"""What is published agrees with the code that makes it."""

from pathlib import Path

from benchmarks.replay import frontier
from benchmarks.replay.__main__ import FAULTS, FRONTIERS, PAGE, RESULTS
from benchmarks.replay.page import page
from benchmarks.replay.plan import faulty, full, quick
from benchmarks.replay.regression import RECORDED, read
from benchmarks.replay.rows import from_csv


def test_the_page_is_that_of_the_results() -> None:
    replayed, faults = from_csv(RESULTS.read_text()), from_csv(FAULTS.read_text())
    points = frontier.from_csv(FRONTIERS.read_text())
    assert PAGE.read_text() == page(replayed, faults, points)


def test_the_results_hold_cases_of_the_plan_only() -> None:
    for file, runs in ((RESULTS, full()), (FAULTS, faulty())):
        planned = {run.case for run in runs}
        assert {row.case for row in from_csv(file.read_text()).rows} <= planned


def test_recorded_are_the_cases_of_the_short_version() -> None:
    assert set(read(RECORDED)) == {str(run.case) for run in quick()}


def test_nothing_of_a_machine_is_published() -> None:
    for file in (PAGE, RESULTS, FAULTS, RECORDED):
        assert str(Path.home()) not in file.read_text()
