"""All rules tried on one day of one service, as the operator's own record does it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.averages.services import Service
from benchmarks.replay.plan import Case
from benchmarks.replay.scenarios import largest_load_of, scenario_of
from benchmarks.traces.columns import Floats
from inference_cost.decide.headroom.history import relive
from inference_cost.decide.headroom.lateness import most_in_time
from inference_cost.decide.headroom.learned import DEMAND, new_vector, views
from inference_cost.decide.headroom.regression import Look
from inference_cost.decide.headroom.shadow import Serving
from inference_cost.decide.latency.loads import largest_load
from inference_cost.decide.latency.tables import Batching, Replica
from inference_cost.decide.serving import (
    LOADS,
    LONGEST_WAIT_OBJECTIVES,
    LONGEST_WAIT_SECONDS,
    RESIDUAL,
    any_serving,
    late_by_load,
)
from inference_cost.model.policy import LatencyObjective
from inference_cost.simulate.traffic import Traffic

CASE: Final = Case(trace="average", seed=0)
TICK_SECONDS: Final = 15.0
WINDOW_SECONDS: Final = 60.0
START_SECONDS: Final = 180.0
AGE_SECONDS: Final = 17.5  # of the newest sample: 10 s, and half a scrape
MOST_REPLICAS: Final = 100_000  # no rule is held down


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tried:
    """Of each rule: share of requests late, and cost ÷ that of the largest load on every replica."""

    service: str
    day: int
    late: Floats
    cost: Floats


def tried(service: Service) -> list[Tried]:
    replica, objective = _replica(service.traffic)
    return [_on(service, day, counts, replica, objective) for day, counts in service.days()]


def _on(
    service: Service, day: int, counts: Floats, replica: Replica, objective: LatencyObjective
) -> Tried:
    looks = Traffic(width_seconds=service.traffic.width_seconds, counts=counts)
    rates = looks.rebinned(TICK_SECONDS) / TICK_SECONDS
    vector, window = new_vector(), round(WINDOW_SECONDS / TICK_SECONDS)
    sums = np.concatenate((np.zeros(window), np.cumsum(rates)))
    means = (sums[window:] - sums[:-window]) / np.minimum(np.arange(len(rates)) + 1, window)
    times = day * 86_400.0 + TICK_SECONDS * np.arange(1, len(rates) + 1)
    past = np.column_stack((times, np.full(len(rates), TICK_SECONDS), means, rates))
    usual, serving = _look(), _serving(replica, objective, means[0])
    learned = views(vector)
    relive(learned, usual, serving, past)
    demand = learned.numbers[DEMAND]
    return Tried(
        service=service.name,
        day=day,
        late=learned.late / demand,
        cost=learned.cost * serving.load / demand,
    )


def _replica(traffic: Traffic) -> tuple[Replica, LatencyObjective]:
    """As in the replays: stretched until the mean needs the usual number of replicas."""
    scenario = scenario_of(CASE, traffic, largest_load_of(CASE))
    service, objective = scenario.service, scenario.policy.objective
    assert isinstance(objective, LatencyObjective)  # noqa: S101 - see scenario_of
    replica = Replica(
        alpha_seconds=service.fixed_seconds,
        beta_seconds=service.per_item_seconds,
        max_batch_size=service.max_batch,
        batching=Batching.GREEDY,
    )
    return replica, objective


def _look() -> Look:
    """But for time and rates."""
    order = START_SECONDS + AGE_SECONDS - TICK_SECONDS / 2
    lead = START_SECONDS + AGE_SECONDS + TICK_SECONDS + WINDOW_SECONDS / 2
    return Look(0.0, TICK_SECONDS, TICK_SECONDS, 0.0, 0.0, WINDOW_SECONDS, order, lead, 0.0)


def _serving(replica: Replica, objective: LatencyObjective, rate: float) -> Serving:
    """`rate`: requests/s at first, for which there are enough."""
    threshold, load = objective.threshold_seconds, largest_load(replica, objective).per_second
    late = late_by_load(replica, threshold)
    return any_serving()._replace(
        capacity=replica.capacity,
        load=load,
        goodput=most_in_time(LOADS, late) * replica.capacity,
        wait_allowed=max(threshold - RESIDUAL * replica.full_batch_seconds, 0.0),
        longest_wait=max(LONGEST_WAIT_SECONDS, LONGEST_WAIT_OBJECTIVES * threshold),
        threshold=threshold,
        late=late,
        highest=MOST_REPLICAS,
        ready=int(rate / load) + 2,
    )
