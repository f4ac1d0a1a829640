"""Processes that count one fleet in turn, each scraped every 15 s while it leads, and what a Prometheus makes of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from inference_cost.account.costs import account
from inference_cost.account.hand_over import (
    NOTHING_RECORDED,
    RecordedCosts,
    handed_over,
    pools_handed_over,
)
from inference_cost.account.month import AccountMemory
from inference_cost.control.metrics import Metrics
from inference_cost.model.policy import PolicyKey
from inference_cost.model.workload import Node, Pod
from inference_cost.observe.recorded_costs import sort_recorded
from tests.unit.account.worlds import NOON, node, observation, pod, snapshot

TICK = 15.0
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


class Process:
    def __init__(self, instance: str) -> None:
        self.instance = instance
        self.metrics = Metrics(version="1.0")
        self.policies: Policies = {}
        self.pools: Pools = {}

    def take_over(self, kept: Policies, recorded: RecordedCosts) -> None:
        """With the checkpoints, and what was scraped of the one before."""
        self.policies = handed_over(kept, recorded)
        self.pools = pools_handed_over(kept.keys(), recorded)

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
            if sample.name.startswith("inference_cost_")
        ]


Labels = tuple[tuple[str, str], ...]
Series = dict[
    tuple[str, Labels], list[tuple[float, float]]
]  # (instance, name and labels) → samples
Turn = tuple[str, float, float]  # who leads, from when, until when


def run(
    *turns: Turn, scrapes_are_read: bool = True, checkpoint_seconds: float = 600.0
) -> tuple[Series, Process]:
    """All scrapes, and the process that leads last. The last checkpoint of a turn is of its first seconds."""
    series: Series = defaultdict(list)
    kept: Policies = {}
    last: list[dict[str, Any]] = []
    process = Process("")
    for number, (instance, begin, end) in enumerate(turns):
        process = Process(instance)
        if number:
            recorded = sort_recorded(last, "USD") if scrapes_are_read else NOTHING_RECORDED
            process.take_over(kept, recorded)
        for at in times(begin, end):
            process.tick(at)
            last = scrape(process, at + 5, series)
            if at <= begin + checkpoint_seconds:
                kept = process.policies
    ends = turns[-1][2]
    process.tick(ends - 0.001)
    scrape(process, ends, series)
    return series, process


def times(begin: float, end: float) -> list[float]:
    return [
        begin + i * TICK for i in range(int((end - begin) / TICK) + 1) if begin + i * TICK < end
    ]


def scrape(process: Process, at: float, series: Series) -> list[dict[str, Any]]:
    entries = process.scraped(at)
    for entry in entries:
        labels = {
            k.removeprefix("exported_"): v for k, v in entry["metric"].items() if k != "instance"
        }
        labels["namespace"] = entry["metric"].get("exported_namespace", "")
        key = process.instance, tuple(sorted(labels.items()))
        series[key].append((at, float(entry["value"][1])))
    return entries


def merged(series: Series, name: str) -> list[tuple[float, float]]:
    """Of a rule that keeps no label of the process, summed over lines."""
    sums: dict[float, float] = defaultdict(float)
    for (_, labels), samples in series.items():
        if dict(labels)["__name__"] == name:
            for at, value in samples:
                sums[at] += value
    return sorted(sums.items())


def by_instance(series: Series, name: str) -> float:
    """`sum(increase(x[1h]))`: each replica is a target of its own."""
    return sum(
        increase(samples)
        for (_, labels), samples in series.items()
        if dict(labels)["__name__"] == name
    )


def increase(samples: Sequence[tuple[float, float]]) -> float:
    """Prometheus's, without the extrapolation to the window's ends: after a fall it counts from zero."""
    return sum(
        after - before if after >= before else after
        for (_, before), (_, after) in pairwise(samples)
    )
