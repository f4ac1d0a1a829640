"""Policies of one file that start at different times, and some without a request: one clock, none stops others."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference_cost.cli.backtest import page
from inference_cost.cli.backtest.courses import Drawn, drawn
from inference_cost.simulate.outcome import Comparison
from inference_cost.simulate.scenario import Scenario
from tests.unit.cli.backtest.runs import (
    ON_DEMAND,
    PROFILE,
    SPOT,
    fake_compare,
    objects_file,
    policy,
    run,
    without_simulator,
)

HOUR_LATER = "policy,t_s,count\n" + "".join(
    f"{name},{start + 10 * i},50\n" for name, start in (("a", 0), ("b", 3600)) for i in range(200)
)
ZONES = "t_s,z-a,z-b\n0,1,1\n3600,0,1\n4000,1,1\n"


def arguments(folder: Path, arrivals: str, *more: str) -> tuple[str, ...]:
    (folder / "fleet.csv").write_text(arrivals)
    objects = objects_file(folder, policy("a"), policy("b"), ON_DEMAND, SPOT)
    given = ("-f", objects, "--arrivals", str(folder / "fleet.csv"), "--profile", PROFILE)
    return (*given, "--jobs", "1", *more)


def test_spot_is_that_of_each_policys_own_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen: dict[str, Scenario] = {}

    def compare(scenario: Scenario, **options: Any) -> Comparison:
        seen[scenario.policy.key.name] = scenario
        return fake_compare(scenario, **options)

    without_simulator(monkeypatch, compare)
    (tmp_path / "zones.csv").write_text(ZONES)
    more = ("--spot-availability", str(tmp_path / "zones.csv"), "-o", "json")
    assert run(monkeypatch, *arguments(tmp_path, HOUR_LATER, *more)) == 0
    markets = [one.spot for one in seen.values()]
    assert [m.times_seconds.tolist() for m in markets if m] == [[0, 3600, 4000], [0, 400]]
    assert [m.available[0].tolist() for m in markets if m] == [[True, True], [False, True]]
    found = json.loads(capsys.readouterr().out)
    origins = [result["inputs"]["arrivals"]["originSeconds"] for result in found["results"]]
    assert origins == [0, 3600]
    assert found["summary"].startswith("Over 83.3 minutes this fleet of 2")  # 93.3 less 10


def test_courses_are_added_where_they_belong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept: list[tuple[Drawn, ...]] = []
    monkeypatch.setattr(page, "drawn", lambda *given: kept.append(drawn(*given)) or kept[-1])
    without_simulator(monkeypatch)
    assert run(monkeypatch, *arguments(tmp_path, HOUR_LATER, "-o", "html")) == 0
    text = capsys.readouterr().out
    course = kept[0][0].course
    assert len(course.requests) == 360 + 200
    assert course.requests[[0, 199, 200, 359, 360, 559]].tolist() == [50, 50, 0, 0, 50, 50]
    paid = np.flatnonzero(course.dollars)
    assert (paid.min(), paid[paid >= 200].min()) == (60, 420)  # the first ten minutes do not count
    assert "the start that does not count" in text


def test_the_line_of_costs_ends_at_the_cost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def compare(scenario: Scenario, **options: Any) -> Comparison:
        """As the simulator: what is excluded is in the course alone."""
        found = fake_compare(scenario, **options)
        outcomes = [
            replace(one, cost_dollars=float(one.course.dollars[60:].sum()))
            for one in found.outcomes
        ]
        return replace(found, outcomes=tuple(outcomes))

    without_simulator(monkeypatch, compare)
    assert (
        run(monkeypatch, *arguments(tmp_path, HOUR_LATER, "--against", "none", "-o", "html")) == 0
    )
    text = capsys.readouterr().out
    cost = float(text.partition("would have cost $")[2].partition(" ")[0])
    assert f"ours ${cost:.2f}" in text.split("<figure>")[4]


IDLE = HOUR_LATER + "".join(f"c,{10 * i},0\n" for i in range(200))


@pytest.mark.parametrize("form", ["json", "table"])
def test_an_idle_policy_is_left_out_and_told(
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    without_simulator(monkeypatch)
    given = arguments(tmp_path, IDLE, "-o", form)
    objects_file(tmp_path, policy("a"), policy("b"), policy("c"))
    assert run(monkeypatch, *given) == 0
    text = capsys.readouterr().out
    assert "team-a/c: it had no request and is left out" in text
    assert "this fleet of 2" in text
