"""How sure a saving is, and what is claimed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from inference_cost.account.savings.whole_nodes import Replica
from inference_cost.cli.scan.amounts import Amounts
from inference_cost.cli.scan.learned import Learned
from inference_cost.cli.scan.saving import Replayed, saving_of
from inference_cost.cli.scan.suggestion import Objective
from inference_cost.cli.scan.whole_nodes import NodeCosts, a_node_each
from inference_cost.cli.scan.words import verdict
from inference_cost.simulate.outcome import Course, Outcome, ReplicaHours
from tests.unit.simulate.worlds import SERVICE, rates, scenario

BIN = 600.0
PRICE = Decimal("2.00")


def outcome(replicas: Sequence[float], attained: float = 0.995) -> Outcome:
    """Replicas on each day."""
    bins = np.repeat(np.array(replicas, float), int(86_400 / BIN))
    hours = float(bins.sum() * BIN / 3600)
    zeros = np.zeros_like(bins)
    dollars = bins * BIN / 3600 * float(PRICE)
    course = Course(
        width_seconds=BIN, requests=zeros, late=zeros, ready=bins, billed=bins, dollars=dollars
    )
    return Outcome(
        name="x",
        kind="baseline",
        knob="",
        cost_dollars=float(dollars.sum()),
        replica_hours=ReplicaHours(on_demand=hours),
        requests=1.0,
        late=0.0,
        dropped=0.0,
        attained_fraction=attained,
        worst_day_fraction=attained,
        worst_hour_fraction=attained,
        starts=0,
        scale_events=0,
        course=course,
    )


def replayed(today: Outcome, policy: Outcome, **changes: Any) -> Replayed:
    days = len(today.course.billed) * BIN / 86_400
    given: dict[str, Any] = {
        "scenario": scenario(rates(100.0, seconds=days * 86_400), price_per_hour=PRICE),
        "today": today,
        "policy": policy,
        "learned": Learned(service=SERVICE, error_fraction=0.0),
        "nodes": a_node_each(PRICE),
        "objective": Objective(threshold_milliseconds=1000, target="99.0", source="told"),
        "price_known": True,
        "assumptions": (),
    }
    return Replayed(**(given | changes))


def test_a_month_has_730_hours() -> None:
    saving = saving_of(replayed(outcome([6, 6]), outcome([4, 4])))
    assert saving.per_month == "2920.00"  # 2 replicas × $2 × 730 h
    assert saving.replica_hours_percent == -33.3


def test_days_alike_leave_the_error_of_the_replay() -> None:
    saving = saving_of(replayed(outcome([6] * 4), outcome([4] * 4)))
    assert saving.error == "292.00"  # 5 % of 4 replicas × $2 × 730 h


def test_days_that_differ_widen_it() -> None:
    saving = saving_of(replayed(outcome([6] * 4), outcome([2, 6, 2, 6])))
    # Dollars per hour; 3.182 in place of 2, for four days tell little.
    between = 3.182446 * np.std([8.0, 0.0, 8.0, 0.0], ddof=1) / np.sqrt(4)
    expected = float(np.hypot(between, 0.05 * 8)) * 730
    assert saving.error is not None
    assert float(saving.error) == pytest.approx(expected, abs=0.01)


def test_service_times_that_are_not_sure_widen_it() -> None:
    learned = Learned(service=SERVICE, error_fraction=0.12)
    saving = saving_of(replayed(outcome([6] * 4), outcome([4] * 4), learned=learned))
    assert saving.error == f"{0.13 * 8 * 730:.2f}"


def test_one_day_does_not_tell_how_days_differ_and_nothing_is_claimed() -> None:
    saving = saving_of(replayed(outcome([6]), outcome([4])))
    assert (saving.per_month, saving.error, saving.error_percent) == ("2920.00", None, None)
    assert not saving.worthwhile


def test_two_days_that_differ_tell_nearly_nothing() -> None:
    saving = saving_of(replayed(outcome([6, 6]), outcome([4, 2])))
    assert saving.error is not None
    assert float(saving.error) == pytest.approx(12.706 * 2 * 730, rel=0.01)
    assert not saving.worthwhile


PAIRED = NodeCosts(
    by_replicas=tuple(map(Decimal, (0, 4, 4, 8, 8, 12, 12))),
    more=Replica(node_per_hour=Decimal(4), per_node=2),
    nodes=3,
)


def test_one_of_two_on_a_node_saves_nothing_when_it_goes() -> None:
    same = saving_of(replayed(outcome([6] * 3), outcome([5] * 3), nodes=PAIRED))
    assert (same.per_month, same.node_cost_percent, same.worthwhile) == ("0.00", 0.0, False)
    assert same.replica_hours_percent == -16.7
    both = saving_of(replayed(outcome([6] * 3), outcome([4] * 3), nodes=PAIRED))
    assert (both.per_month, both.today.per_hour, both.policy.per_hour) == (
        "2920.00",
        "12.00",
        "8.00",
    )
    assert both.worthwhile


def test_what_could_be_saved_by_choosing_who_goes_is_told_and_not_claimed() -> None:
    """Six on three nodes of two: one each stays where three are left, or two nodes."""
    spread = replace(
        PAIRED,
        by_replicas=tuple(map(Decimal, (0, 4, 8, 12, 12, 12, 12))),
        packed=PAIRED.by_replicas,
    )
    saving = saving_of(replayed(outcome([6] * 3), outcome([4] * 3), nodes=spread))
    assert (saving.per_month, saving.at_best_per_month) == ("0.00", "2920.00")
    assert not saving.worthwhile
    assert verdict(saving, Amounts("USD")).endswith(
        "until it is empty. At best -$2,920, where those replicas go that leave a node empty (scaleInOrder.enabled)."
    )


def test_replicas_that_come_and_go_are_paid_by_the_nodes_they_need() -> None:
    """Two days of four, two of two."""
    saving = saving_of(replayed(outcome([6] * 4), outcome([4, 2] * 2), nodes=PAIRED))
    assert saving.policy.per_hour == "6.00"


def test_starts_beside_the_course_cost_a_replica_more_on_average() -> None:
    today = outcome([4, 6, 4, 6])
    hours = ReplicaHours(on_demand=today.replica_hours.on_demand + 9.6)
    dearer = saving_of(
        replayed(replace(today, replica_hours=hours), outcome([4] * 4), nodes=PAIRED)
    )
    assert dearer.today.per_hour == "10.20"  # 10, and 9.6 h of 2 per hour in 96 h


MISSED = 0.98
CLAIMS: dict[str, tuple[Callable[[], Replayed], bool, str]] = {
    "a saving": (
        lambda: replayed(outcome([6] * 3), outcome([4] * 3)), True,
        "The same SLO with this policy: -$2,920 ± $292 per month.",
    ),
    "within the error": (
        lambda: replayed(outcome([4.1] * 3), outcome([4] * 3)), False,
        "Nothing that can be told from chance: -$146 ± $292 per month.",
    ),
    "the same": (
        lambda: replayed(outcome([4]), outcome([4])), False,
        "Nothing to save: the replicas that run are those that the objective needs.",
    ),
    "the policy misses the objective": (
        lambda: replayed(outcome([6] * 3), outcome([2] * 3, MISSED)), False,
        "No saving is claimed: the policy would have answered 98.00 % in time, short of 99 %.",
    ),
    "today misses it": (
        lambda: replayed(outcome([4] * 3, MISSED), outcome([6] * 3)), False,
        "Today 98.00 % are in time; to meet the objective costs +$2,920 ± $438 per month.",
    ),
    "the policy is dearer": (
        lambda: replayed(outcome([4] * 3), outcome([6] * 3)), False,
        "The policy would have cost more than what ran: +$2,920 ± $438 per month.",
    ),
    "no price": (
        lambda: replayed(outcome([6] * 3), outcome([4] * 3), price_known=False), True,
        "The same SLO with this policy: -33 % ± 3 % node-hours.",
    ),
    "no node empties": (
        lambda: replayed(outcome([6] * 3), outcome([5] * 3), nodes=PAIRED), False,
        "Nothing to save: -17 % replica-hours would empty no node, and a node is paid for until it is empty.",
    ),
    "less than two days": (
        lambda: replayed(outcome([6]), outcome([4])), False,
        "Too early to claim: -$2,920 per month in 24 hours of traffic; two whole days are needed to tell its error.",
    ),
    "less than two days, without a price": (
        lambda: replayed(outcome([6]), outcome([4]), price_known=False), False,
        "Too early to claim: -33 % node-hours in 24 hours of traffic; two whole days are needed to tell its error.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CLAIMS)
def test_claims(sentence: str) -> None:
    make, worthwhile, words = CLAIMS[sentence]
    saving = saving_of(make())
    assert (saving.worthwhile, verdict(saving, Amounts("USD"))) == (worthwhile, words)


def test_another_currency_is_no_dollar() -> None:
    make, _, _ = CLAIMS["a saving"]
    told = verdict(saving_of(make()), Amounts("EUR"))
    assert told == "The same SLO with this policy: -2,920 EUR ± 292 EUR per month."


def test_a_share_just_below_the_objective_is_not_rounded_up_to_it() -> None:
    saving = saving_of(replayed(outcome([6] * 3), outcome([4] * 3, 0.98999)))
    assert not saving.policy.meets_objective
    assert saving.policy.attained_percent == 98.99


def test_an_hour_says_nothing_of_a_month() -> None:
    short = replayed(outcome([6]), outcome([4]))
    hour = replace(short.scenario, traffic=rates(100.0, seconds=3600))
    assert saving_of(replace(short, scenario=hour)).per_month is None
