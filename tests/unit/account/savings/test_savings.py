"""Savings over hours, keyed by a sentence: amounts that can be reckoned in the head."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from inference_cost.account import checkpoint
from inference_cost.account.calendar import month_start
from inference_cost.account.costs import Costs
from inference_cost.account.savings.savings import Savings
from inference_cost.control.metrics import Metrics
from inference_cost.model.plan import LimitedBy
from inference_cost.model.policy import Baseline, DrainObjective, Mode
from inference_cost.model.reading import Missing
from tests.unit.account.savings.worlds import Stretch, amount, ended, run
from tests.unit.account.worlds import key

OBSERVED, HPA, PEAK = Baseline.OBSERVED, Baseline.HPA, Baseline.STATIC_PEAK
RECOMMEND = Mode.RECOMMEND
TICK = 1 / 12  # of an hour: the last look's time is not over yet


def watched(hours: float = 10, demand: float = 200, replicas: int = 4, **more: Any) -> Stretch:
    """In Recommend: four replicas for what two could carry."""
    return Stretch(hours=hours, demand=demand, replicas=replicas, mode=RECOMMEND, **more)


def enforced(
    hours: float = 10 + TICK, demand: float = 200, replicas: int = 2, **more: Any
) -> Stretch:
    return Stretch(hours=hours, demand=demand, replicas=replicas, **more)


SAVED: dict[str, tuple[list[Stretch], Baseline, str]] = {
    "Observed: half of what ran before, at the same demand": (
        [watched(), enforced()], OBSERVED, "80",
    ),
    "Observed grows with the demand: four replicas for 400 requests/s are half of eight": (
        [watched(), enforced(demand=400, replicas=4)], OBSERVED, "160",
    ),
    "Observed falls with the demand: two replicas for half of it save nothing": (
        [watched(), enforced(demand=100)], OBSERVED, "0",
    ),
    "Observed at no demand runs what may not go: nothing is lost": (
        [watched(), enforced(demand=0, replicas=1)], OBSERVED, "0",
    ),
    "more than before is a loss, and shown as one": (
        [watched(replicas=2), enforced(replicas=3)], OBSERVED, "-40",
    ),
    "two of four replicas that leave their nodes there have saved nothing": (
        [watched(), enforced(empty_nodes=2)], OBSERVED, "0",
    ),
    "one of two on each node went: no node is empty, nothing is saved": (
        [watched(replicas=4, per_node=2), enforced(replicas=3, per_node=2)], OBSERVED, "0",
    ),
    "at a price that doubled the baseline costs twice as much, too": (
        [watched(), enforced(price="8")], OBSERVED, "160",
    ),
    "in Recommend what the decision would save is potential": (
        [watched(hours=10 + TICK, desired=2)], OBSERVED, "80",
    ),
    "potential of a decision for more is negative": (
        [watched(hours=10 + TICK, replicas=2, desired=3)], OBSERVED, "-40",
    ),
    "potential is none where no node empties": (
        [watched(hours=10 + TICK, replicas=4, per_node=2, desired=3)], OBSERVED, "0",
    ),
    "in a conflict replicas are not ours: potential": (
        [Stretch(hours=10 + TICK, demand=200, replicas=4, desired=2, limited_by=LimitedBy.CONFLICT)],
        OBSERVED, "80",
    ),
    "an HPA at 70 % runs three where two do": ([enforced()], HPA, "40"),
    "to zero, where a static peak of two would run on": (
        [enforced(hours=1), enforced(demand=0, replicas=0)], PEAK, "80",
    ),
    "to zero on nodes that nobody removes: nothing is saved": (
        [enforced(hours=1), enforced(demand=0, replicas=0, staying=2)], PEAK, "0",
    ),
    "nodes that go after five hours were saved from then on": (
        [enforced(hours=1), enforced(hours=5, demand=0, replicas=0, staying=2),
         enforced(hours=5 + TICK, demand=0, replicas=0)], PEAK, "40",
    ),
    "the peak of the morning for the whole afternoon": (
        [enforced(hours=1, demand=800, replicas=8), enforced(demand=200)], PEAK, "240",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", SAVED)
def test_saved(sentence: str) -> None:
    stretches, baseline, expected = SAVED[sentence]
    # An HPA takes over what it finds; the first syncs are its way to three.
    tolerance = Decimal("0.50") if baseline is HPA else Decimal("0.01")
    assert amount(run(*stretches, baseline=baseline)) == pytest.approx(
        Decimal(expected), abs=tolerance
    )


NO_NUMBER: dict[str, tuple[list[Stretch], Baseline, str]] = {
    "we missed the objective": (
        [watched(), enforced(attained=0.95)], OBSERVED, "the policy has 5.00 % of the requests late",
    ),
    "what ran before missed it: cheaper is easy then": (
        [watched(attained=0.97), enforced()], OBSERVED, "the baseline has 3.00 %",
    ),
    "it never ran in Recommend": ([enforced()], OBSERVED, "less than 1 h with traffic was seen"),
    "a price is not known": ([watched(), enforced(price=None)], OBSERVED, "no price"),
    "no metrics at all": ([enforced(demand=None)], HPA, ""),
    "a demand that is no number": ([enforced(demand=float("nan"))], HPA, "the demand is no number"),
    "one without an end": ([enforced(demand=float("inf"))], PEAK, "the demand is no number"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", NO_NUMBER)
def test_no_number(sentence: str) -> None:
    stretches, baseline, why = NO_NUMBER[sentence]
    found = ended(run(*stretches, baseline=baseline)).amount
    assert isinstance(found, Missing)
    assert why in found.detail


def test_requests_that_may_wait_for_a_deadline_have_no_baseline() -> None:
    drain = DrainObjective(within_seconds=600)
    found = ended(run(enforced(), baseline=PEAK, objective=drain)).amount
    assert isinstance(found, Missing)
    assert "deadline" in found.detail


def test_an_hpa_that_is_late_gets_no_number() -> None:
    """Demand that doubles in a tick, again and again: its replicas take three minutes to start."""
    bursts = [enforced(hours=0.25, demand=100 if i % 2 else 900, replicas=9) for i in range(24)]
    found = ended(run(*bursts, baseline=HPA, tick=15.0))
    assert found.theirs_late > 0.01
    assert isinstance(found.amount, Missing)
    assert found.amount.detail.startswith("the baseline has")


def test_without_a_measurement_what_is_late_is_predicted_and_said_to_be() -> None:
    found = ended(run(enforced(attained=None), baseline=HPA))
    assert (found.ours_measured, found.theirs_measured) == (False, False)
    assert (found.ours_late, found.theirs_late) == (0.0, 0.0)
    assert isinstance(found.amount, Decimal)


def test_time_in_which_one_side_is_not_known_counts_on_neither() -> None:
    found = ended(
        run(watched(), enforced(hours=2), enforced(hours=8, price=None), enforced(hours=2))
    )
    assert found.unknown_seconds == 8 * 3600
    assert found.seconds == 4 * 3600 - 300
    assert found.theirs - found.ours == found.amount


def test_each_month_each_mode_and_each_baseline_begins_anew() -> None:
    december = month_start("2025-12")
    late = run(watched(), enforced(hours=5 + TICK), start=december - 13 * 3600)
    assert amount(late) == 16  # two hours of the new month
    again = run(watched(), enforced(), watched(hours=1 + TICK, replicas=2))
    assert ended(again).potential
    assert ended(run(watched(), enforced(), watched(hours=1 + TICK, replicas=2))).seconds == 3600


def test_a_restart_goes_on_where_the_checkpoint_was() -> None:
    """Through the checkpoint's own form at every look."""
    found = list(run(watched(), enforced()))
    memory = found[-1].memory[key()]
    restored = checkpoint.from_dict(checkpoint.to_dict(memory))
    assert restored is not None
    assert restored.savings is not None
    assert memory.savings is not None
    assert replace(restored.savings, look=memory.savings.look) == memory.savings


@pytest.mark.parametrize(
    "damage",
    [
        {"since": "NaN"},
        {"requests": -1},
        {"ours": {"amount": "-5", "late": 0, "measured": True}},
        {"baseline": "Hope"},
        {"shadows": {"hpa": {"replicas": "many", "synced_at": 0}}},
    ],
)
def test_damaged_savings_are_counted_anew_and_the_month_goes_on(damage: dict[str, Any]) -> None:
    memory = list(run(watched(hours=1)))[-1].memory[key()]
    stored = checkpoint.to_dict(memory)
    stored["savings"] |= damage
    restored = checkpoint.from_dict(stored)
    assert restored is not None
    assert restored.savings is None
    assert restored.amount == memory.amount


GAUGES = ("inference_cost_policy_baseline_replicas", "inference_cost_policy_compared_hourly_cost")


def _exported(costs: Iterator[Costs]) -> Iterator[tuple[dict[str, float], Savings]]:
    metrics = Metrics(version="1.0")
    for one in costs:
        metrics.show_costs(one)
        samples = {
            f"{s.name}/{s.labels.get('side') or s.labels.get('baseline')}": s.value
            for family in metrics.registry.collect()
            for s in family.samples
            if s.name.startswith(GAUGES)
        }
        savings = one.policies[key()].savings
        assert isinstance(savings, Savings)
        yield samples, savings


def test_the_exported_series_give_the_same_saving() -> None:
    """Replicas of the baseline × the price of a node, less what is paid, tick by tick."""
    stretches = [enforced(hours=3, demand=d, replicas=-(-d // 100)) for d in (700, 400, 100)]
    seen = list(_exported(run(*stretches, baseline=HPA)))
    hours = TICK
    replicas = "inference_cost_policy_baseline_replicas/HPA"
    compared = "inference_cost_policy_compared_hourly_cost"
    saved = sum(
        (samples[replicas] * 4 - samples[f"{compared}/policy"]) * hours
        for samples, _ in islice(seen, len(seen) - 1)
    )
    found = seen[-1][1].amount
    assert isinstance(found, Decimal)
    assert float(found) == pytest.approx(saved, abs=0.01)
    assert seen[-1][0][f"{compared}/baseline"] == seen[-1][0][replicas] * 4


def test_what_is_not_known_has_no_series() -> None:
    known = list(_exported(run(watched(), enforced(hours=1), enforced(hours=1, price=None))))
    assert len(known[-13][0]) == 3
    assert known[-1][0] == {}
