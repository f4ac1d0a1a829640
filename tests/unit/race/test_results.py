"""Figures, tables, page and what is published, from plays whose result is plain."""

import json
from pathlib import Path

import pytest

from e2e.demo.recording import write_nodes
from e2e.race.figures import published, read_race
from e2e.race.fleet_metrics import exposition
from e2e.race.publish import BEGIN, END, with_tables
from e2e.race.report import Page, render
from e2e.race.tables import HEADS, markdown, percent, rows_of
from e2e.race.traces import trace_named, traces
from tests.unit.race.worlds import DEMO, TRACE, played, race

EXPECTED = {"knob": [60.0, 17], "cost_dollars": 1.5, "attainment_percent": 99.5}


def test_figures_of_a_play() -> None:
    figures = played("x", late=2, replicas=3).figures
    assert figures == {
        "costDollars": 3.0,  # three nodes at 36 dollars per hour for 100 s
        "requests": 100,
        "late": 2,
        "attainmentPercent": 98.0,
        "p50Milliseconds": 100.0,
        "p95Milliseconds": 100.0,
        "p99Milliseconds": 301.0,
        "replicaSeconds": 300.0,
        "mostReplicas": 3,
        "scaleEvents": 0,
    }


def test_rows_are_relative_to_the_operator_and_show_losses() -> None:
    ours, theirs = played("operator", replicas=4), played("theirs", late=5, expected=EXPECTED)
    rows = [dict(zip(HEADS, row, strict=True)) for row in rows_of(race(ours, theirs))]
    assert [row["cost ÷ operator’s"] for row in rows] == ["1.00", "0.50"]
    assert [row["late"] for row in rows] == ["0 of 100", "5 of 100"]
    assert [row["the simulator expected"] for row in rows] == ["–", "$1.5000, 99.50 %"]


def test_without_the_operator_there_is_no_ratio() -> None:
    (row,) = rows_of(race(played("theirs")))
    assert dict(zip(HEADS, row, strict=True))["cost ÷ operator’s"] == "–"


def test_a_share_below_the_objective_is_in_italics() -> None:
    table = markdown(race(played("ours", late=1), played("theirs", late=2)))
    assert "| 99.00 % |" in table
    assert "| *98.00 %* |" in table


PERCENTS = {98.999: "98.99 %", 99.0: "99.00 %", 100.0: "100.00 %", 87.694: "87.69 %"}


@pytest.mark.parametrize(("value", "text"), PERCENTS.items())
def test_percent_is_rounded_down(value: float, text: str) -> None:
    assert percent(value) == text


def test_the_page_stands_alone_and_marks_what_was_missed() -> None:
    page = Page(races=(race(played("ours"), played("theirs", late=9)),), settings=DEMO, origin="x")
    text = render(page)
    assert "src=" not in text
    assert "href=" not in text
    assert text.count('<div class="plot"') == 4
    assert ".plot {" in text, "their style"
    assert '<td class="missed">91.00 %</td>' in text
    assert "The &lt;theirs&gt;" in text


def test_tables_replace_what_stands_between_the_markers() -> None:
    document = f"before\n{BEGIN}\nof last year\n{END}\nafter\n"
    written = with_tables(document, [race(played("ours"))])
    assert written.startswith(f"before\n{BEGIN}\n**flat**: an even load; 800 requests.")
    assert written.endswith(f"{END}\nafter\n")
    assert "last year" not in written
    assert with_tables(written, [race(played("ours"))]) == written


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="race:begin"):
        with_tables("nothing", [])


def test_a_race_is_read_from_the_folders_of_its_plays(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "requests.csv").write_text("t_s,latencyMilliseconds,ok\n70.0,120.0,1\n")
    (folder / "replicas.csv").write_text("t_s,replicas,ready,nodes\n0.0,2,2,2\n")
    write_nodes(folder / "nodes.csv", played("b").recording.nodes)
    about = {
        "name": "b",
        "title": "B",
        "told": "t",
        "forecast": EXPECTED,
        "load_average": 1.5,
    }
    (folder / "contestant.json").write_text(json.dumps(about))
    found = read_race(tmp_path, TRACE, ("a", "b"), DEMO)
    assert [one.name for one in found.played] == ["b"]
    (trace,) = published([found], {"date": "today"})["traces"]
    assert trace["contestants"][0]["forecast"] == EXPECTED
    assert trace["contestants"][0]["costDollars"] == 2.0


def test_both_traces_have_the_same_peak_and_one_has_a_burst() -> None:
    peaks = {trace.name: max(trace.rates_per_second) for trace in traces()}
    assert peaks == pytest.approx({"demo": 451, "burst": 411}, abs=1)
    burst = trace_named("burst")
    bins_of_ten_seconds = round(10 / (burst.seconds / len(burst.rates_per_second)))
    rises = [
        later / earlier
        for earlier, later in zip(
            burst.rates_per_second, burst.rates_per_second[bins_of_ten_seconds:], strict=False
        )
    ]
    assert max(rises) > 2.5


def test_gauges_are_those_of_kube_state_metrics() -> None:
    deployment = {
        "metadata": {"namespace": "serving", "name": "sleepy"},
        "spec": {"replicas": 3},
        "status": {},
    }
    labels = '{namespace="serving",deployment="sleepy"}'
    assert exposition(deployment) == (
        f"kube_deployment_spec_replicas{labels} 3\nkube_deployment_status_replicas_ready{labels} 0\n"
    )
