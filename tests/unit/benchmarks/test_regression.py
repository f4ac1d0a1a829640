"""The short run fails when ours got worse, and only then."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.replay.regression import Figures, figures, read, regressions, write
from tests.unit.benchmarks.runs import ours, outcome, rows

BEFORE = Figures(
    ratio_to_bound=1.2, attainment_percent=99.3, bound_dollars=100.0, hpa_dollars=145.0
)


def found(**now: float) -> list[str]:
    return regressions({"a day": BEFORE}, {"a day": replace(BEFORE, **now)})


@pytest.mark.parametrize(
    "now",
    [
        {},
        {"ratio_to_bound": 1.2 * 1.019},
        {"ratio_to_bound": 0.9},
        {"attainment_percent": 99.11},
        {"attainment_percent": 100.0},
        {"bound_dollars": 101.0, "hpa_dollars": 144.0},
    ],
    ids=["same", "dearer by 1.9 %", "cheaper", "0.19 points lost", "more in time", "noise"],
)
def test_passes(now: dict[str, float]) -> None:
    assert found(**now) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"ratio_to_bound": 1.2 * 1.021}, "cost ÷ bound rose from 1.2"),
        ({"attainment_percent": 99.09}, "attainment fell from 99.3 to 99.09"),
        ({"bound_dollars": 103.0}, "bound_dollars moved"),
        ({"bound_dollars": 97.0}, "bound_dollars moved"),
        ({"hpa_dollars": 150.0}, "hpa_dollars moved"),
    ],
    ids=["dearer by 2.1 %", "0.21 points lost", "higher bound", "lower bound", "other rule"],
)
def test_fails(now: dict[str, float], said: str) -> None:
    assert len(found(**now)) == 1
    assert said in found(**now)[0]


def test_a_case_that_is_not_run_any_more_fails() -> None:
    assert "not run" in regressions({"a day": BEFORE}, {})[0]


def test_a_case_that_was_never_recorded_fails() -> None:
    assert "--record" in regressions({}, {"a day": BEFORE})[0]


def test_figures_are_those_of_ours_and_of_the_default_hpa() -> None:
    assert figures(rows(ours(120.0), outcome("hpa", 145.0))) == {
        "mlarge start 180 s seed 101": BEFORE
    }


def test_a_run_without_its_yardsticks_is_refused() -> None:
    with pytest.raises(ValueError, match="hpa"):
        figures(rows(ours()))
    with pytest.raises(ValueError, match="bound"):
        figures(rows(ours(), outcome("hpa"), bound=0.0))


def test_what_is_recorded_is_read_back(tmp_path: Path) -> None:
    write({"a day": BEFORE}, tmp_path / "recorded.json")
    assert read(tmp_path / "recorded.json") == {"a day": BEFORE}
