"""A workload's own traffic replayed: what ran, and what the policy would have run, at the same objective."""

from dataclasses import replace
from decimal import Decimal
from math import ceil
from typing import Any

import numpy as np
import pytest

from inference_cost.account.savings.whole_nodes import Replica
from inference_cost.cli.scan.autoscalers import Autoscaler
from inference_cost.cli.scan.inspection import Wanted, inspect
from inference_cost.cli.scan.replay import start_seconds
from inference_cost.cli.scan.whole_nodes import NodeCosts
from inference_cost.observe.pods import pod_record
from inference_cost.simulate.observed import run_observed
from tests.unit.cli.scan.clusters import pod
from tests.unit.cli.scan.test_inspection import cost, found, seen, silent
from tests.unit.cli.scan.traffic import signals
from tests.unit.simulate.worlds import rates, scenario

WANTED = Wanted(threshold_milliseconds=150, target="99.0")


def fleet(replicas: int, **changes: Any) -> Any:
    """Six requests/s for each of two replicas, on as many as are asked for."""
    given = {
        "found": found(replicas),
        "cost": cost(str(Decimal("0.80") * replicas)),
        "signals": signals(lambda _: 12.0, lambda _: replicas, hours=3),
    }
    return seen(**(given | changes))


def test_a_fleet_that_idles_is_worth_less_and_both_sides_meet_the_objective() -> None:
    part = inspect(fleet(8), WANTED, silent)
    saving = part.saving
    assert saving is not None
    assert saving.per_month is not None
    assert saving.today.per_hour is not None
    assert saving.policy.per_hour is not None
    difference = Decimal(saving.today.per_hour) - Decimal(saving.policy.per_hour)
    assert Decimal(saving.per_month) == pytest.approx(difference * 730, rel=Decimal("0.01"))
    assert saving.today.per_hour == "6.40"
    assert saving.today.mean_replicas == 8
    assert saving.policy.mean_replicas < 6
    assert saving.today.meets_objective
    assert saving.policy.meets_objective
    assert saving.error is None, "three hours do not tell how days differ"
    assert not saving.worthwhile
    assert part.verdict.startswith("Too early to claim: -$")
    assert (
        "each replica is taken to have a node of its own, which goes with it" in saving.assumptions
    )


def test_two_on_each_node_are_paid_for_in_whole_nodes() -> None:
    """Eight on four nodes of 1.60."""
    steps = tuple(Decimal("1.60") * ceil(n / 2) for n in range(9))
    more = Replica(node_per_hour=Decimal("1.60"), per_node=2)
    paired = replace(cost("6.40"), nodes=NodeCosts(by_replicas=steps, more=more, nodes=4))
    three = Autoscaler(kind="HorizontalPodAutoscaler", name="h", min_replicas=3, max_replicas=8)
    saving = inspect(fleet(8, cost=paired, autoscaler=three), WANTED, silent).saving
    assert saving is not None
    assert saving.policy.mean_replicas == pytest.approx(3, abs=0.05)
    assert (saving.today.per_hour, saving.policy.per_hour) == ("6.40", "3.20"), "not 2.40"
    told = "8 replicas are on 4 nodes, and new nodes take 2 each"
    assert any(told in one for one in saving.assumptions)


def test_without_a_price_the_saving_is_told_in_replica_hours() -> None:
    saving = inspect(fleet(8, cost=cost("0")), WANTED, silent).saving
    assert saving is not None
    assert (saving.per_month, saving.today.per_hour) == (None, None)
    assert saving.replica_hours_percent < -20
    assert saving.node_cost_percent < -20


def test_a_fleet_that_is_too_small_is_said_to_miss_and_costs_more_to_mend() -> None:
    small = fleet(3, signals=signals(lambda _: 80.0, lambda _: 3, hours=3))
    part = inspect(small, WANTED, silent)
    saving = part.saving
    assert saving is not None
    assert not saving.today.meets_objective
    assert not saving.worthwhile
    assert saving.per_month is None or Decimal(saving.per_month) < 0
    assert part.verdict.startswith(("Today ", "No saving is claimed"))


def test_an_objective_that_no_replica_can_meet_is_said() -> None:
    part = inspect(fleet(8), Wanted(threshold_milliseconds=5, target="99.0"), silent)
    assert part.saving is None
    assert part.verdict.startswith("Cannot be said: spec.slo.latency: even an idle replica")


def test_minutes_of_history_are_not_replayed() -> None:
    short = fleet(8, signals=signals(lambda _: 12.0, lambda _: 8, hours=0.3))
    part = inspect(short, WANTED, silent)
    assert part.saving is None
    assert part.verdict == "Cannot be said: there are 18 minutes of history, and 20 are the least."


def test_a_restarted_pod_does_not_tell_how_long_a_start_takes() -> None:
    slow = pod("vision", "resnet", 0, "n")
    slow["status"]["conditions"][0]["lastTransitionTime"] = "2026-01-30T08:10:00Z"
    one = found(1)
    record = pod_record(slow)
    assert start_seconds(replace(one, pods=(record,))) == 600
    assert start_seconds(replace(one, pods=(replace(record, restarts=1),))) == 180
    assert start_seconds(one) == 180


def test_replicas_that_ran_are_paid_for_as_they_ran() -> None:
    """Two for half of the time, five for the other: their starts are paid for, too."""
    given = scenario(rates(150.0, 150.0, seconds=3600), exclude_first_seconds=600.0)
    steps = int(given.traffic.seconds / 30)
    replicas = np.where(np.arange(steps) < steps // 2, 2, 5)
    outcome = run_observed(given, replicas, 30.0)
    counted = given.traffic.seconds - given.exclude_first_seconds
    second = given.traffic.seconds / 2
    expected = 2 * (counted - second) + 5 * second + 3 * given.start_seconds
    assert outcome.starts == 3
    assert outcome.replica_hours.on_demand * 3600 == pytest.approx(expected, rel=0.01)
    assert outcome.cost_dollars == pytest.approx(
        outcome.replica_hours.on_demand * float(given.price_per_hour)
    )
