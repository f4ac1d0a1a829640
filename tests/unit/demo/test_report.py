"""The page: self-contained, well-formed, with the run's own numbers in its charts."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from e2e.demo.charts import cost_points, latency_points, rate_points, replicas_chart
from e2e.demo.recording import Recording
from e2e.demo.report import ReportInput, render_report, write_report
from e2e.demo.static_fleet import smallest_static_fleet
from e2e.demo.summary import summarize
from tests.unit.demo.runs import LOAD_SECONDS, SETTINGS, simulated_run

VOID = {"meta", "br"}


def report_input(recording: Recording) -> ReportInput:
    return ReportInput(
        recording=recording,
        settings=SETTINGS,
        summary=summarize(recording, SETTINGS),
        static_fleet=smallest_static_fleet([r.t_s for r in recording.requests]),
        capacity_per_replica=100.0,
        load_description="day 10 of ServeGen m-large <squeezed> into 240 s",
    )


@pytest.fixture(scope="module")
def page() -> str:
    return render_report(report_input(simulated_run()))


class TagBalance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_tag_is_closed_and_every_drawing_is_xml(page: str) -> None:
    balance = TagBalance()
    balance.feed(page)
    assert balance.open == []
    drawings = re.findall(r'(?<=<div class="plot") .*?(<svg .*?</svg>)', page)
    assert len(drawings) == 4
    for drawing in drawings:
        ET.fromstring(drawing)  # noqa: S314 - our own text


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)


def test_text_of_others_is_escaped(page: str) -> None:
    assert "&lt;squeezed&gt;" in page
    assert "<squeezed>" not in page
    assert "rising &lt;fast&gt;" in page
    assert "<fast>" not in page


def test_the_head_says_what_was_achieved(page: str) -> None:
    summary = summarize(simulated_run(), SETTINGS)
    head = re.search(r"<h1>(.*?)</h1>", page)
    assert head
    assert f"{summary['attainmentPercent']:.2f} % of requests within 300 ms" in head[1]
    assert f"{summary['savingPercent']:.0f} % less cost" in head[1]


def test_a_run_that_cost_more_says_so() -> None:
    given = report_input(simulated_run())
    worse = replace(given, summary=given.summary | {"savingPercent": -12.3})
    assert "12 % more cost" in render_report(worse)


def test_both_static_counts_and_the_seed_are_shown(page: str) -> None:
    assert "seed 20" in page
    assert "3 from second 60 on, 4 over the whole load, which is the figure used" in page


def test_each_scale_event_is_marked_and_explained(page: str) -> None:
    events = simulated_run().scale_events
    assert page.count('class="marker"') == page.count("<tr><td>") == len(events) > 5
    assert f"<td>4 s</td><td>2 → 4</td><td>{'demand'}" in page


def test_a_run_without_scale_events_has_no_empty_table() -> None:
    page = render_report(report_input(replace(simulated_run(), scale_events=())))
    assert "<table" not in page
    assert "None." in page


def test_the_load_line_counts_the_requests() -> None:
    run = simulated_run()
    points = rate_points(run.requests, LOAD_SECONDS)
    assert len(points) == 240
    assert sum(value for _, value in points) == len(run.requests)


def test_the_latency_lines_are_percentiles_of_two_seconds() -> None:
    run = simulated_run()
    median, high = latency_points(run.requests, SETTINGS)
    assert len(median) == len(high) == 120
    second = sorted(r.latency_milliseconds for r in run.requests if 100 <= r.t_s < 102)
    assert dict(median)[101.0] == pytest.approx(second[len(second) // 2], rel=0.05)
    assert dict(high)[101.0] >= second[int(len(second) * 0.97)]


def test_the_cost_line_ends_at_the_cost() -> None:
    points = cost_points(simulated_run().nodes, LOAD_SECONDS)
    assert points[0] == (0, 0.0)
    assert points[-1][1] == pytest.approx(
        summarize(simulated_run(), SETTINGS)["costDollars"], abs=1e-6
    )
    assert all(a[1] <= b[1] for a, b in pairwise(points))


def test_every_scale_event_has_its_mark() -> None:
    chart = replicas_chart(simulated_run(), SETTINGS).render()
    assert chart.count('class="marker"') == len(simulated_run().scale_events)


def test_the_page_is_written(tmp_path: Path, page: str) -> None:
    write_report(tmp_path / "report.html", report_input(simulated_run()))
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page
    assert len(page) < 200_000
