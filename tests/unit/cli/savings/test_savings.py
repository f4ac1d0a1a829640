"""`savings`: this month from the statuses, any time from the counters of a run."""

from dataclasses import replace
from typing import Any

import pytest

from inference_cost.cli.ago import Times
from inference_cost.cli.failure import CommandError
from inference_cost.cli.savings import counted
from inference_cost.cli.savings.command import savings
from inference_cost.cli.savings.listing import to_cells, to_json
from inference_cost.control.metrics import Metrics
from inference_cost.model.policy import Baseline, Mode
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.observe.grown import CounterStore
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.recorded_savings import ComparedTotals, read_compared
from inference_cost.observe.settings import PrometheusSettings
from tests.unit.account.savings.worlds import Stretch, run
from tests.unit.account.worlds import NOON
from tests.unit.observe.world import Object, policy

SETTINGS = PrometheusSettings(url="http://prometheus")
TEAM_A = policy(namespace="team-a")
TICK = 300.0


SAVED: Object = {
    "baseline": "HPA",
    "state": "Measured",
    "amount": "-3.00",
    "percent": "-12.5",
    "since": "2026-11-01T00:00:00Z",
    "cost": "27.00",
    "baselineCost": "24.00",
    "inTimePercent": "99.5",
    "baselineInTimePercent": "99.1",
    "message": "10 h counted.",
}


def test_savings_of_a_policy() -> None:
    told = policy()
    told["status"] = {"savings": SAVED, "cost": {"currency": "USD"}}
    assert to_cells(told) == {
        "policy": "vision/resnet",
        "baseline": "HPA",
        "state": "Measured",
        "saved": "-3.00",
        "percent": "-12.5%",
        "cost": "27.00",
        "baseline-cost": "24.00",
        "in-time": "99.5%",
        "baseline-in-time": "99.1%",
        "since": "2026-11-01T00:00:00Z",
        "currency": "USD",
    }
    assert to_json(told)["savings"] == SAVED


def test_a_policy_that_was_not_looked_at_yet_saves_nothing_that_is_known() -> None:
    assert set(to_cells(policy()).values()) == {"vision/resnet", ""}
    assert to_json(policy())["savings"] is None


class Recorded:
    """Every scrape of a run, and the functions that are asked of it."""

    def __init__(self, *stretches: Stretch, **world: Any) -> None:
        self.scrapes: list[tuple[float, dict[str, list[tuple[dict[str, str], float]]]]] = []
        metrics = Metrics(version="1.0")
        for i, costs in enumerate(run(*stretches, tick=TICK, **world)):
            metrics.show_costs(costs)
            found: dict[str, list[tuple[dict[str, str], float]]] = {}
            for family in metrics.registry.collect():
                for sample in family.samples:
                    found.setdefault(sample.name, []).append((sample.labels, sample.value))
            self.scrapes.append((NOON + i * TICK, found))

    async def query(self, promql: str, *, at: float | None) -> Answer | Missing:
        assert at is not None
        how, _, rest = promql.partition("_over_time(")
        name, _, width = rest.partition("{}[")
        begin = at - float(width.removesuffix("s])"))
        values: dict[tuple[tuple[str, str], ...], list[float]] = {}
        for time, families in self.scrapes:
            for labels, value in families.get(name, ()) if begin < time <= at else ():
                values.setdefault(tuple(labels.items()), []).append(value)
        choose = {"last": lambda v: v[-1], "min": min, "max": max}[how]
        result = [
            {"metric": dict(labels), "value": [at, str(choose(found))]}
            for labels, found in values.items()
        ]
        return Answer(result=result)

    async def grown(self, begin_hours: float, end_hours: float) -> ComparedTotals:
        times = hours(begin_hours, end_hours)
        store = CounterStore(self, SETTINGS)
        found = await read_compared(store, begin=times.begin, end=times.end)
        assert not isinstance(found, Missing)
        return found


def hours(begin: float, end: float) -> Times:
    return Times(begin=NOON + begin * 3600, end=NOON + end * 3600)


def watched(hours: float, **more: Any) -> Stretch:
    return Stretch(hours=hours, demand=200, replicas=4, desired=2, mode=Mode.RECOMMEND, **more)


def enforced(hours: float, **more: Any) -> Stretch:
    return Stretch(hours=hours, demand=200, replicas=2, **more)


async def test_a_time_in_both_modes_has_a_row_for_each() -> None:
    recorded = Recorded(watched(10), enforced(10))
    rows = list(counted.saved_in([TEAM_A], await recorded.grown(5, 18), "USD"))
    cells = [counted.to_cells(row) for row in rows]
    assert [(c["state"], c["saved"], c["percent"]) for c in cells] == [
        ("Measured", "64.00", "50.0%"),  # eight hours at 8
        ("Potential", "40.00", "50.0%"),  # five
    ]
    assert cells[0] == {
        "policy": "team-a/resnet",
        "baseline": "Observed",
        "state": "Measured",
        "saved": "64.00",
        "percent": "50.0%",
        "cost": "64.00",
        "baseline-cost": "128.00",
        "in-time": "99.50%",
        "baseline-in-time": "99.50%",
        "hours": "8.00",
    }


async def test_time_that_counts_on_neither_side_is_named() -> None:
    recorded = Recorded(watched(2), enforced(3), enforced(4, price=None), enforced(1))
    totals = await recorded.grown(0, 10)
    rows = list(counted.saved_in([TEAM_A], totals, "USD"))
    notes = counted.notes_of([TEAM_A], rows, totals, hours(0, 10))
    # A look holds until the next one; the last one counts for nothing yet.
    assert notes["team-a/resnet"] == [
        "both sides were known for 5.92 of 10.00 h; the rest counts on neither"
    ]
    told = counted.to_json(rows[0], notes)
    assert told["notes"] == notes["team-a/resnet"]
    assert counted.to_csv(rows[0], notes, "USD")["incomplete"] == notes["team-a/resnet"][0]


async def test_a_time_before_anything_was_recorded_is_named() -> None:
    totals = await Recorded(watched(2)).grown(-3, 2)
    assert [one.what for one in totals.missed if one.policy] == [
        (
            "nothing is recorded from 2025-11-22T09:00:00Z to 2025-11-22T12:00:00Z: it was made then, or the store does"
            " not reach back"
        )
    ]


async def test_who_missed_the_objective_has_no_amount_and_a_reason() -> None:
    recorded = Recorded(enforced(10, attained=0.9), baseline=Baseline.HPA)
    (row,) = counted.saved_in([TEAM_A], await recorded.grown(0, 10), "USD")
    told = counted.to_json(row, {})
    assert (told["saved"], told["percent"]) == ("", "")
    assert told["whyNot"] == "the policy missed the objective"


async def test_other_namespaces_and_currencies_are_left_out() -> None:
    recorded = Recorded(watched(2))
    grown = await recorded.grown(-2, 2)
    assert grown.missed
    other = counted.within(grown, "team-b")
    assert (other.cost, other.missed) == ({}, ())
    assert list(counted.saved_in([TEAM_A], other, "USD")) == []
    assert list(counted.saved_in([TEAM_A], grown, "EUR")) == []
    assert counted.within(grown, "team-a") == replace(
        grown, missed=tuple(one for one in grown.missed if one.policy)
    )


async def test_a_policy_that_is_gone_is_listed_and_said_to_be() -> None:
    """With what may be late where no share is known."""
    grown = await Recorded(watched(2)).grown(0, 2)
    (row,) = counted.saved_in([], grown, "USD")
    assert (row.policy, row.allowed) == ("team-a/resnet", 0.01)
    assert (row.amount, row.why_not) == (pytest.approx(8 * 23 / 12), "")
    notes = counted.notes_of([], [row], grown, hours(0, 2))
    assert notes["team-a/resnet"][0].startswith("it is not in the cluster now")
    (same,) = counted.saved_in([TEAM_A], grown, "USD")
    there = counted.notes_of([TEAM_A], [same], grown, hours(0, 2))
    assert not any("not in the cluster" in one for one in there.get("team-a/resnet", ()))


async def test_a_store_that_does_not_answer_in_full_says_so() -> None:
    class Partial:
        async def query(self, _promql: str, *, at: float | None) -> Answer | Missing:
            return Answer(result=[], partial=at is not None)

    found = await read_compared(CounterStore(Partial(), SETTINGS), begin=NOON, end=NOON + 60)
    assert isinstance(found, Missing)
    assert found.reason is MissingReason.PARTIAL


ALLOWED: dict[str, tuple[Object, float]] = {
    "as the objective says": ({"latency": {"thresholdMilliseconds": 9, "target": "95.0"}}, 0.05),
    "its default": ({"latency": {"thresholdMilliseconds": 9}}, 0.01),
    "where it names no share": ({"queueTime": {"meanMilliseconds": 9}}, 0.01),
}


@pytest.mark.parametrize("sentence", ALLOWED)
def test_what_may_be_late(sentence: str) -> None:
    slo, allowed = ALLOWED[sentence]
    assert counted.allowed_of(policy(spec={"slo": slo})) == pytest.approx(allowed)


@pytest.mark.parametrize("options", [{"since": "-1d"}, {"prometheus_url": "http://p"}])
def test_the_past_needs_a_time_and_a_store(options: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="go together"):
        savings(**options)  # type: ignore[arg-type]
