"""Exported totals over a change of leaders, read as Prometheus reads them: `increase()` neither misses nor doubles.

Two processes count one fleet and are scraped every 15 s. The first one dies, the second one takes over 20 s later with
a checkpoint that is older than that, and with or without what was scraped. What it should come to is told by the
ledger, from the nodes' and pods' lifetimes.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from inference_cost.account.costs import account
from inference_cost.account.hand_over import (
    NOTHING_RECORDED,
    RecordedCosts,
    handed_over,
    pools_handed_over,
)
from inference_cost.account.ledger.build import ledger
from inference_cost.account.ledger.history import (
    History,
    NodeLife,
    Owner,
    PriceChange,
    Span,
    Stay,
    Use,
)
from inference_cost.account.month import AccountMemory
from inference_cost.control.metrics import Metrics
from inference_cost.model.policy import PolicyKey
from inference_cost.model.workload import Node, Pod
from inference_cost.observe.recorded_costs import build_query, sort_recorded
from tests.unit.account.worlds import NOON, key, node, observation, pod, price, snapshot

TICK = 15.0
DIES = NOON + 1800.0
TAKES_OVER = DIES + 20.0
ENDS = NOON + 3600.0
CHECKPOINT = NOON + 600.0
# One more replica at minute 20, one fewer at minute 45; each alone on its node, which has an idle GPU.
LIVES = ((0.0, 3600.0), (1200.0, 3600.0), (0.0, 2700.0))
Policies = Mapping[PolicyKey, AccountMemory]
Pools = Mapping[str, AccountMemory]


def nodes(at: float) -> Iterator[Node]:
    for i, (begin, end) in enumerate(LIVES):
        if NOON + begin <= at < NOON + end:
            yield node(f"n{i}", "3.60", created_at=NOON + begin, allocatable_gpus=2)


def pods(at: float) -> Iterator[Pod]:
    for i, (begin, end) in enumerate(LIVES):
        if NOON + begin <= at < NOON + end:
            since = NOON + begin
            yield pod(f"p{i}", f"n{i}", created_at=since, ready_at=since)


def by_the_ledger() -> tuple[Decimal, Decimal]:
    """The policy's, and the pool's idle rest."""
    lives, stays = [], []
    for i, (begin, end) in enumerate(LIVES):
        since, until = NOON + begin, NOON + end
        on = node(f"n{i}", created_at=since, allocatable_gpus=2)
        change = PriceChange(since=since, price=price("3.60"))
        lives.append(NodeLife(node=on, ready_at=since, gone_at=until, prices=(change,)))
        owner = Owner(use=Use.REPLICA, policy=key(), variant="default")
        there = pod(f"p{i}", f"n{i}")
        stays.append(Stay(pod=there, owner=owner, bound_at=since, ready_at=since, ended_at=until))
    window = Span(begin=NOON, end=ENDS)
    made = ledger(History(nodes=tuple(lives), stays=tuple(stays)), window)
    ours = sum((x.total.amount for x in made.lines if x.key.policy), Decimal(0))
    return ours, made.total.amount - ours


class Process:
    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.metrics = Metrics(version="1.0")
        self.policies: Policies = {}
        self.pools: Pools = {}

    def tick(self, at: float) -> None:
        world = snapshot(observation(*pods(at)), nodes=tuple(nodes(at)), at=at)
        costs = account(world, {}, self.policies, pool_memory=self.pools)
        self.policies, self.pools = costs.memory, costs.pool_memory
        self.metrics.show_costs(costs)

    def scraped(self, at: float) -> list[dict[str, Any]]:
        """As the query API tells it; the target has a label `namespace` of its own."""
        return [
            {
                "metric": {
                    "__name__": sample.name,
                    "namespace": "inference-cost",
                    "instance": self.instance,
                    **{
                        f"exported_{k}" if k == "namespace" else k: v
                        for k, v in sample.labels.items()
                    },
                },
                "value": [at, str(sample.value)],
            }
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if "cost" in sample.name
        ]


Series = dict[tuple[str, str], list[tuple[float, float]]]  # (instance, name) → samples


def run(*, scrapes_are_read: bool) -> tuple[Series, Process]:
    """All scrapes, and the process that ended up leading."""
    first, second = Process("a"), Process("b")
    series: Series = defaultdict(list)
    last: list[dict[str, Any]] = []
    kept: Policies = {}
    for at in _times(NOON, DIES):
        first.tick(at)
        last = _scrape(first, at + 5, series)
        if at <= CHECKPOINT:
            kept = first.policies
    recorded: RecordedCosts = sort_recorded(last, "USD") if scrapes_are_read else NOTHING_RECORDED
    second.policies = handed_over(kept, recorded)
    second.pools = pools_handed_over(kept.keys(), recorded)
    for at in _times(TAKES_OVER, ENDS):
        second.tick(at)
        _scrape(second, at + 5, series)
    second.tick(ENDS - 0.001)
    _scrape(second, ENDS, series)
    return series, second


def _times(begin: float, end: float) -> list[float]:
    return [
        begin + i * TICK for i in range(int((end - begin) / TICK) + 1) if begin + i * TICK < end
    ]


def _scrape(process: Process, at: float, series: Series) -> list[dict[str, Any]]:
    entries = process.scraped(at)
    sums: dict[str, float] = defaultdict(float)
    for entry in entries:
        if entry["metric"]["__name__"].endswith("_total"):
            sums[entry["metric"]["__name__"]] += float(entry["value"][1])
    for name, value in sums.items():
        series[process.instance, name].append((at, value))
    return entries


def increase(samples: list[tuple[float, float]]) -> float:
    """Prometheus's, without the extrapolation to the window's ends: after a fall it counts from zero."""
    return sum(
        after - before if after >= before else after
        for (_, before), (_, after) in pairwise(samples)
    )


def by_instance(series: Series, name: str) -> float:
    """`sum(increase(x[1h]))`."""
    return sum(increase(samples) for (_, one), samples in series.items() if one == name)


def merged(series: Series, name: str) -> list[tuple[float, float]]:
    """Of a rule that keeps no label of the process: `max without (instance) (x)`."""
    return sorted(s for (_, one), samples in series.items() if one == name for s in samples)


POLICY, POOL = "inference_cost_policy_cost_total", "inference_cost_pool_cost_total"
RATE = 3 * 1.80 / 3600  # the most that is charged per second
SCRAPE = 15.0
EARLY = (
    1.80 * TICK / 3600
)  # of a replica that goes between two looks: it counts until the second one


@pytest.mark.parametrize("name", [POLICY, POOL])
def test_with_what_was_scraped_the_total_goes_on(name: str) -> None:
    series, second = run(scrapes_are_read=True)
    expected = float(by_the_ledger()[0 if name == POLICY else 1])
    one = merged(series, name)
    assert all(after >= before for (_, before), (_, after) in pairwise(one)), "it was reset"
    # The policy misses nothing; the pool the 20 s and a tick in which nobody looked at its idle rests.
    missed = 0.0 if name == POLICY else RATE * (TAKES_OVER - DIES + TICK)
    assert expected - missed - EARLY <= one[-1][1] <= expected + EARLY
    assert expected - missed - EARLY <= increase(one) <= expected + EARLY, "it was counted twice"
    between = RATE * (TAKES_OVER - DIES + TICK + SCRAPE)
    assert expected - between <= by_instance(series, name) <= expected + EARLY
    assert second.policies[key()].gap_seconds == 0


def test_the_time_that_a_pools_lines_lack_is_told_and_goes_on() -> None:
    """Three leaders: what each told is where the next one begins."""
    scraped: list[dict[str, Any]] = []
    lacked = 0.0
    for instance, begin, end in (("a", 0, 60), ("b", 100, 160), ("c", 180, 240)):
        process = Process(instance)
        process.pools = pools_handed_over([key()], sort_recorded(scraped, "USD"))
        for at in range(begin, end, 15):
            process.tick(NOON + at)
        scraped = process.scraped(NOON + end)
        found = process.metrics.registry.get_sample_value(
            "inference_cost_pool_cost_gap_seconds", {"pool": "l4"}
        )
        lacked += {0: 0, 100: 55, 180: 35}[begin]  # since the last tick of the one before
        assert found == lacked


def test_without_it_the_total_goes_on_from_the_checkpoint_and_lifetimes() -> None:
    """The replica that came after the checkpoint is still there: nothing is missed."""
    series, second = run(scrapes_are_read=False)
    expected = float(by_the_ledger()[0])
    one = merged(series, POLICY)
    assert all(after >= before for (_, before), (_, after) in pairwise(one))
    assert one[-1][1] == pytest.approx(expected, abs=EARLY)
    assert second.policies[key()].gap_seconds == TAKES_OVER - CHECKPOINT  # longer than is believed


def test_the_month_is_what_the_ledger_says() -> None:
    _, second = run(scrapes_are_read=True)
    assert float(second.policies[key()].amount) == pytest.approx(
        float(by_the_ledger()[0]), abs=EARLY
    )


def test_nothing_is_inherited_by_a_policy_made_anew() -> None:
    process = Process("a")
    for at in (NOON, NOON + 15):
        process.tick(at)
    recorded = sort_recorded(process.scraped(NOON + 15), "USD")
    assert pools_handed_over([key()], recorded).keys() == {"l4"}
    anew = PolicyKey(namespace="team-a", name="resnet", uid="another")
    made = {anew: AccountMemory(month="2025-11", amount=Decimal(0), since=NOON, last_at=NOON)}
    assert handed_over(made, recorded)[anew].totals == ()
    assert pools_handed_over([anew], recorded) == {}, "of another cluster, for all that is known"


ENTRIES: dict[str, dict[str, Any]] = {
    "another currency": {"currency": "EUR"},
    "a line of a newer version": {"line": "quantum"},
    "a capacity type of a newer version": {"capacity_type": "orbital"},
}


@pytest.mark.parametrize("sentence", ENTRIES)
def test_of_what_was_scraped_is_left_out(sentence: str) -> None:
    process = Process("a")
    for at in (NOON, NOON + 15):
        process.tick(at)
    entries = process.scraped(NOON + 15)
    for entry in entries:
        if entry["metric"]["__name__"] == POLICY:
            entry["metric"] |= ENTRIES[sentence]
    (teller,) = sort_recorded(entries, "USD").tellers
    assert teller.policies[key()].totals == ()


def test_values_that_are_no_amounts_and_totals_without_a_time_are_left_out() -> None:
    labels = {"namespace": "a", "policy": "b", "line": "idle", "pool": "l4", "currency": "USD"}
    total = {"metric": {"__name__": POLICY, **labels}, "value": [0, "5"]}
    broken = {"metric": {"__name__": POLICY, **labels}, "value": [0, "NaN"]}
    (teller,) = sort_recorded([total, broken], "USD").tellers
    assert (teller.policies, teller.pools) == ({}, {})


def test_the_query_has_the_installations_matchers() -> None:
    assert build_query('cluster="a", ').endswith('cluster="a"}[7200s])')
