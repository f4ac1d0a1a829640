"""The flow of a replay: what is skipped, what is compared, what is written."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.replay import __main__ as command
from benchmarks.replay import run as running
from benchmarks.replay.plan import Case, Run, full
from benchmarks.replay.progress import Progress
from benchmarks.replay.rows import from_csv
from benchmarks.replay.run import Replays, possible
from benchmarks.traces.catalog import TRACES
from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario
from tests.unit.benchmarks.runs import LARGEST_LOAD, comparison, ours, outcome


class Compared:
    """Stands in for the simulator, whose figures do not matter here, and notes what it was asked."""

    def __init__(self, cost: float = 114.0) -> None:
        self.cost = cost
        self.asked: list[tuple[Scenario, dict[str, Any]]] = []

    def __call__(self, scenario: Scenario, **options: Any) -> Comparison:
        self.asked.append((scenario, options))
        if options["progress"] is not None:
            options["progress"](0.5, "half")
        return comparison(ours(self.cost), outcome("hpa"))


@pytest.fixture(autouse=True)
def known_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring the largest load takes seconds and has its own tests."""
    monkeypatch.setattr(running, "largest_load_of", lambda _: LARGEST_LOAD)


def test_what_may_not_be_passed_on_is_skipped_and_named() -> None:
    kept, skipped = possible(full(), TRACES, None)
    assert {run.case.trace for run in kept} == {"mlarge", "deepseek-r1", "azure-code", "nab-amzn"}
    assert "nasa (nasa_http_1995_07_10s.csv.gz)" in skipped
    assert any("load_ms" in text and text.startswith("mlarge") for text in skipped)
    assert len(skipped) == len(set(skipped))


def test_nothing_is_skipped_where_the_folder_has_the_files(tmp_path: Path) -> None:
    lacking = [name for trace in TRACES for name in trace.missing(None)]
    for name in lacking:
        (tmp_path / name).write_bytes(b"")
    whole = tuple(run for run in full() if run.case.start != "load times")
    kept, skipped = possible(whole, TRACES, tmp_path)
    assert (kept, skipped) == (whole, ())


def test_a_run_is_compared_under_its_conditions(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = Compared()
    monkeypatch.setattr(running, "compare", compared)
    replays = Replays(TRACES, extra=None, jobs=2, code="c0de")
    run = Run(case=Case(trace="azure-code", seed=0, start="360"), against=("hpa",), tuned=True)
    [rows] = replays.each([run], Progress([run]))
    scenario, options = compared.asked[0]
    assert scenario.start_seconds == 360.0
    assert scenario.traffic.requests == 8819
    assert (options["against"], options["tuned"], options["bound"]) == (("hpa",), True, True)
    assert [row.policy for row in rows] == ["ours", "hpa"]
    assert {row.code for row in rows} == {"c0de"}


def test_runs_beside_each_other_give_the_rows_of_runs_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "compare", Compared())
    case = Case(trace="azure-code", seed=0)
    runs = [Run(case=replace(case, start=start), tuned=start == "3") for start in "123"]
    found = [
        sorted(
            Replays(TRACES, extra=None, jobs=jobs, code="c0de").each(runs, Progress(runs)),
            key=lambda rows: rows[0].start,
        )
        for jobs in (1, 2)
    ]
    assert [len(rows) for rows in found[0]] == [2, 2, 2]
    assert found[0] == found[1]


def invoke(monkeypatch: pytest.MonkeyPatch, compared: Compared, arguments: Sequence[str]) -> int:
    monkeypatch.setattr(running, "compare", compared)
    return command.main(arguments)


def test_rows_and_page_are_written_and_other_rows_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, target = tmp_path / "out" / "rows.csv", tmp_path / "page.md"
    paths = ["--output", str(output), "--page", str(target)]
    assert invoke(monkeypatch, Compared(), ["--only", "azure-code", *paths]) == 0
    first = from_csv(output.read_text())
    assert {row.trace for row in first.rows} == {"azure-code"}
    assert "azure-code" in target.read_text()
    assert str(tmp_path) not in output.read_text()
    assert invoke(monkeypatch, Compared(120.0), ["--only", "azure-code", *paths]) == 0
    again = from_csv(output.read_text()).rows
    assert len(again) == len(first.rows)
    assert again[0].cost_dollars == 120.0
    assert sorted(path.name for path in tmp_path.rglob("*.part")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--check"], "need --quick"),
        (["--only", "nowhere"], "the traces are"),
        (["--data", "/no/such/folder"], "is not a folder"),
        (["--quick", "--record", "--only", "deepseek-r1"], "leave out --only"),
    ],
    ids=["check of the long run", "unknown trace", "no folder", "record of a part"],
)
def test_impossible_options_are_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert said in capsys.readouterr().err


def test_the_short_version_fails_when_ours_got_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded = ["--recorded", str(tmp_path / "recorded.json")]
    one = ["--quick", "--check", "--only", "deepseek-r1", *recorded]
    assert invoke(monkeypatch, Compared(100.0), ["--quick", "--record", *recorded]) == 0
    assert invoke(monkeypatch, Compared(101.9), one) == 0
    assert invoke(monkeypatch, Compared(102.1), one) == 1
    assert "WORSE deepseek-r1" in capsys.readouterr().out
