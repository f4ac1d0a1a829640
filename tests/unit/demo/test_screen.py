"""What a user of the demo sees, with and without a terminal."""

import io
from dataclasses import replace

from rich.console import Console

from e2e.demo.screen import COLUMNS, Frame, Screen, cells

FRAME = Frame(
    t_s=0.0,
    requests_per_second=120.4,
    waiting=3.0,
    p50_milliseconds=80.2,
    p99_milliseconds=250.0,
    attainment_percent=99.5,
    desired=3,
    ready=3,
    nodes=3,
    dollars_per_hour=2.4144,
    reason="Keep 3 replicas.",
)


def shown(seconds: range, *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=160, highlight=False)
    screen = Screen(objective_milliseconds=300, console=console)
    with screen.table():
        for second in seconds:
            screen.show(replace(FRAME, t_s=float(second)))
    return out.getvalue()


def test_without_a_terminal_there_is_a_heading_and_one_line_per_ten_seconds() -> None:
    lines = shown(range(31), terminal=False).splitlines()
    assert [line.split()[0] for line in lines] == ["second", "0", "10", "20", "30"]
    assert lines[1].endswith("Keep 3 replicas.")


def test_a_terminal_shows_the_table_with_its_objective() -> None:
    text = shown(range(2), terminal=True)
    assert "99 % of requests within 300 ms" in text
    assert all(name in text for name in COLUMNS)


def test_what_is_on_its_way_and_what_is_late_is_marked() -> None:
    row = dict(
        zip(COLUMNS, cells(replace(FRAME, desired=5, p99_milliseconds=301.0), 300), strict=True)
    )
    assert row["replicas"] == "3→5"
    assert row["p99 ms"] == "301!"


def test_what_is_not_measured_yet_is_a_dash_and_no_zero() -> None:
    row = dict(
        zip(COLUMNS, cells(replace(FRAME, waiting=None, attainment_percent=None), 300), strict=True)
    )
    assert (row["waiting"], row["in time"]) == ("-", "-")
