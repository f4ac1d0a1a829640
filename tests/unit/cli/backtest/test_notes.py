"""What stands beside the figures, in each form of output that has room for words."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario
from tests.unit.cli.backtest.runs import (
    ON_DEMAND,
    PROFILE,
    SPOT,
    a_bound,
    arrivals_file,
    fake_compare,
    objects_file,
    policy,
    run,
    unbounded_compare,
    without_simulator,
)

UNDERSTATED = "attainment is understated, and controllers may buy more than they would; certify with --fidelity request"
PASSABLE = "the bound is that of steps of 10 s, in which no request waits for the next: a controller can pass below it"
NO_BOUND = "even maxReplicas 40 leave more than 1 % late: there is no bound"

NOTES: dict[str, tuple[int, tuple[str, ...], Any, tuple[str, ...]]] = {
    "a short objective": (5_000, ("--bound",), fake_compare, ()),
    "a long one, in steps": (5_001, ("--bound",), fake_compare, (UNDERSTATED,)),
    "longer than a step": (10_001, ("--bound",), fake_compare, (UNDERSTATED, PASSABLE)),
    "longer than a step, without a bound": (10_001, (), fake_compare, (UNDERSTATED,)),
    "request by request": (6_000, ("--bound", "--fidelity", "request"), fake_compare, (PASSABLE,)),
    "request by request, without a bound": (6_000, ("--fidelity", "request"), fake_compare, ()),
    "a bound that does not exist": (100, ("--bound",), unbounded_compare, (NO_BOUND,)),
    "a bound that nobody asked for": (100, (), unbounded_compare, ()),
}  # fmt: skip


@pytest.mark.parametrize("form", ["table", "json", "html"])
@pytest.mark.parametrize("sentence", NOTES)
def test_notes(
    sentence: str,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    milliseconds, more, compare, expected = NOTES[sentence]
    slow = policy().replace("thresholdMilliseconds: 100", f"thresholdMilliseconds: {milliseconds}")
    found = noted(monkeypatch, capsys, tmp_path, form, (slow, ON_DEMAND), *more, compare=compare)
    assert len(found) == len(expected)
    for note, words in zip(found, expected, strict=True):
        assert note.endswith(words)


def noted(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    form: str,
    objects: tuple[str, ...],
    *more: str,
    compare: Any = fake_compare,
) -> list[str]:
    """Notes of a run."""
    without_simulator(monkeypatch, compare)
    arguments = ("-f", objects_file(folder, *objects), "--arrivals", arrivals_file(folder))
    assert run(monkeypatch, *arguments, "--profile", PROFILE, "-o", form, *more) == 0
    text = capsys.readouterr().out
    if form == "json":
        return list(json.loads(text)["notes"])
    if form == "html":
        return [
            html.unescape(one) for one in re.findall(r"<p class='note'>Note: (.*?)\.</p>", text)
        ]
    return [line.removeprefix("Note: ") for line in text.splitlines() if line.startswith("Note: ")]


def test_stretched_is_what_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """100 requests/s per replica, 8 replicas, 12.45 requests/s: all is 64 times as slow."""
    without_simulator(monkeypatch)
    arguments = ("-f", objects_file(tmp_path, policy()), "--arrivals", arrivals_file(tmp_path))
    assert run(monkeypatch, *arguments, "--profile", PROFILE, "--mean-replicas", "8") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        "Objective: 99 % within 6.426 s (100 ms and service times stretched by 64.26). A replica costs $1.0000 "
        "per hour (assumed). Arrivals: counts per 10 s."
    )
    assert lines[-2].startswith("Note: the objective is long against the simulator's steps of 10 s")


FLEET = "policy,t_s,count\n" + "".join(
    f"{name},{10 * i},50\n" for name in ("a", "b", "c", "d", "e") for i in range(200)
)


def test_a_note_of_many_policies_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    without_simulator(monkeypatch, unbounded_compare)
    (tmp_path / "fleet.csv").write_text(FLEET)
    objects = objects_file(tmp_path, *map(policy, "abcd"), policy("e").replace(" 100", " 200"))
    arguments = ("-f", objects, "--arrivals", str(tmp_path / "fleet.csv"), "--profile", PROFILE)
    assert run(monkeypatch, *arguments, "--jobs", "1", "--bound", "-o", "table") == 0
    text = capsys.readouterr().out
    assert f"Note: team-a/a, team-a/b, team-a/c and 2 more: {NO_BOUND}\n" in text
    assert text.splitlines()[1].startswith("Objectives: 99 % within 100 ms to 200 ms. ")


NO_EFFECT: dict[str, tuple[tuple[str, ...], str, dict[str, float | None]]] = {
    "a price where a pool has one": (
        ("--price-per-replica-hour", "2"),
        "--price-per-replica-hour has no effect: the price is that of CapacityPool/t4",
        {"startSeconds": 180, "noticeSeconds": None},
    ),
    "a warning without spot": (
        ("--notice-seconds", "30", "--start-seconds", "60"),
        "--notice-seconds has no effect without --spot-availability",
        {"startSeconds": 60, "noticeSeconds": None},
    ),
}


@pytest.mark.parametrize("sentence", NO_EFFECT)
def test_options_without_effect(
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    more, note, recorded = NO_EFFECT[sentence]
    given = (monkeypatch, capsys, tmp_path)
    assert noted(*given, "table", (policy(), ON_DEMAND), *more) == [note]
    without_simulator(monkeypatch)
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path))
    assert run(monkeypatch, *arguments, "--profile", PROFILE, "-o", "json", *more) == 0
    parameters = json.loads(capsys.readouterr().out)["inputs"]["parameters"]
    assert recorded.items() <= parameters.items()


ZONES = "t_s,z-a,z-b\n0,1,1\n600,0,1\n"


@pytest.mark.parametrize("form", ["table", "json", "html"])
def test_with_spot_both_bounds_are_told(
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    without_simulator(monkeypatch)
    (tmp_path / "zones.csv").write_text(ZONES)
    arguments = (
        "-f", objects_file(tmp_path, policy(), ON_DEMAND, SPOT), "--arrivals", arrivals_file(tmp_path),
        "--spot-availability", str(tmp_path / "zones.csv"), "--against", "hpa,spothedge", "--bound",
    )  # fmt: skip
    assert run(monkeypatch, *arguments, "--profile", PROFILE, "-o", form) == 0
    text = capsys.readouterr().out
    assert (
        "the cheapest possible with spot, knowing the future, is $0.56, 75 % less"
        in text.replace("The", "the")
    )
    told = "÷ bound: of SpotHedge by the bound with spot, of all others by the one on demand"
    if form == "json":
        ratios = {one["name"]: one["ratioBound"] for one in json.loads(text)["policies"]}
        assert ratios == {"resnet": "bound", "hpa": "bound", "spothedge": "spotBound"}
        return
    assert told in text
    if form == "html":
        drawn = text.split("<figure>")
        for chart in (drawn[1], drawn[4]):
            assert chart.count('<line class="line c-bound"') == 2
            assert "cheapest possible with spot $0.56" in chart
        assert (
            "cheapest possible: $1.12, 99.00 % in time; cheapest possible with spot: $0.56"
            in drawn[1]
        )


def test_a_bound_above_all_costs_is_inside_the_charts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Who misses the objective may cost less than the cheapest that meets it."""

    def compare(scenario: Scenario, **options: Any) -> Comparison:
        return replace(fake_compare(scenario, **options), bound=a_bound(9.0))

    without_simulator(monkeypatch, compare)
    arguments = ("-f", objects_file(tmp_path), "--arrivals", arrivals_file(tmp_path), "--bound")
    assert (
        run(monkeypatch, *arguments, "--profile", PROFILE, "--against", "none", "-o", "html") == 0
    )
    drawn = capsys.readouterr().out.split("<figure>")
    for chart in (drawn[1], drawn[4]):
        heights = map(float, re.findall(r'c-bound" x1="[0-9.]+" y1="([0-9.]+)"', chart))
        tops = map(float, re.findall(r'grid" x1="64" y1="([0-9.]+)"', chart))
        assert 25 < next(heights) < min(tops)  # clipped it would be at the edge, 24 or 20
