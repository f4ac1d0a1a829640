"""The average of services, and the formulas that it is smoothed by."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from benchmarks.averages.__main__ import above_best
from benchmarks.averages.services import NAB_FILE, Service, services
from benchmarks.averages.smoothed import COST, LATE, LATE_OF_LOADS, mean_late, smoothed
from benchmarks.averages.tried import Tried, tried
from inference_cost.decide.headroom.rules import (
    BASE_OF,
    HOLD_OF,
    LOAD_OF,
    PRIOR_COST,
    PRIOR_LATE,
    RULES,
)
from inference_cost.simulate.traffic import Traffic

EVEN = np.random.default_rng(3).poisson(2000.0, 8640) * 1.0


def day(service: str, late: float, cost: float = 1.5) -> Tried:
    rules = np.ones(len(RULES))
    return Tried(service=service, day=0, late=late * rules, cost=cost * rules)


def test_the_formulas_find_what_was_made_by_them() -> None:
    assert smoothed(LATE, PRIOR_LATE) == pytest.approx(PRIOR_LATE, rel=1e-6)
    assert smoothed(COST, PRIOR_COST) == pytest.approx(PRIOR_COST, rel=1e-6)
    weights = LATE_OF_LOADS.fitted(0.03 * (LOAD_OF / 0.85) ** 4 * (HOLD_OF / 5) ** -0.5)
    assert weights == pytest.approx([np.log(0.03), 4.0, -0.5])


def test_the_mean_over_the_rules_is_kept() -> None:
    rough = PRIOR_LATE * np.random.default_rng(1).uniform(0.5, 1.5, len(RULES))
    for rules in (BASE_OF == 0, BASE_OF > 0):
        assert smoothed(LATE, rough)[rules].mean() == pytest.approx(rough[rules].mean())


def test_services_weigh_the_same_however_many_days_they_have() -> None:
    days = [day("one", 0.01), *(day("other", 0.03) for _ in range(4))]
    assert mean_late(days) == pytest.approx(np.full(len(RULES), 0.02))


def test_an_even_load_is_carried_by_rules_with_little_room() -> None:
    traffic = Traffic(width_seconds=10.0, counts=EVEN)
    [found] = tried(Service(name="even", traffic=traffic))
    nearly_full = RULES.index(next(rule for rule in RULES if rule.load == 0.9))
    assert found.late[nearly_full] < 0.001
    assert found.cost[nearly_full] == pytest.approx(1 / 0.9, rel=0.06)
    assert found.late.min() >= 0


def test_what_a_first_opinion_costs_is_told_against_the_best_of_the_day() -> None:
    cost = np.ones(len(RULES))
    cost[5] = 0.8
    one = Tried(service="x", day=0, late=np.full(len(RULES), 0.001), cost=cost)
    rule, late, above = above_best([one], PRIOR_LATE, PRIOR_COST)
    assert RULES.index(rule) != 5
    assert late == pytest.approx(0.001)
    assert above == pytest.approx(np.log(1 / 0.8))


def test_days_of_a_long_trace_are_taken_apart_and_quiet_ones_left_out() -> None:
    counts = np.concatenate([np.full(8640, 100.0 if number != 4 else 1.0) for number in range(12)])
    service = Service(name="x", traffic=Traffic(width_seconds=10.0, counts=counts))
    assert [number for number, _ in service.days()] == [1, 8, 11]


def test_a_file_that_is_missing_is_named_and_too_few_counts_say_nothing(tmp_path: Path) -> None:
    assert NAB_FILE in [one for one in services(None) if isinstance(one, str)]
    windows = 14 * 288
    with gzip.open(tmp_path / NAB_FILE, "wt") as file:
        file.write("t_s,AAPL,AMZN,CRM,CVS,FB\n")
        file.writelines(f"{300 * i},{60 + i % 7},0,3,0,40\n" for i in range(windows))
    found = [one.name for one in services(tmp_path) if isinstance(one, Service)]
    assert [name for name in found if name.startswith("NAB")] == ["NAB AAPL", "NAB FB"]
