"""The operator's own decisions in the simulated world: `decide` itself, tick by tick, with its memory."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory
from inference_cost.model.plan import LimitedBy, Plan
from inference_cost.model.reading import Missing
from inference_cost.simulate.observation import Observer
from inference_cost.simulate.outcome import ReplicaSchedule
from inference_cost.simulate.phases import phases
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.state import LIVE, NOW, World

PROGRESS_STEP = 0.01


@dataclass(slots=True)
class Operator:
    """Decides on what the observer shows it, and remembers."""

    scenario: Scenario
    memory: Memory = field(default_factory=Memory)
    seconds: list[float] = field(default_factory=list)  # wall clock of each decide
    orders: list[tuple[float, int]] = field(default_factory=list)  # when, replicas from then on
    # When, and what a late request counts like from then on, in costs of serving one.
    late_prices: list[tuple[float, float]] = field(default_factory=list)
    _observer: Observer = field(init=False)

    def __post_init__(self) -> None:
        self._observer = Observer(self.scenario)

    def tick(self, world: World) -> Plan:
        """Look, decide, write.

        Raises:
            RuntimeError: the decision failed.
        """
        snapshot = self._observer.snapshot(world)
        begin = time.perf_counter()
        decisions = decide(snapshot, self.memory)
        self.seconds.append(time.perf_counter() - begin)
        self.memory = decisions.memory
        plan = decisions.plans[self.scenario.policy.key]
        if (
            plan.limited_by is LimitedBy.INTERNAL_ERROR
        ):  # in a cluster replicas stay; here it would pass for a result
            raise RuntimeError(f"the decision failed: {dict(plan.reasons[0].values)}")
        if plan.write:
            order(world, plan.desired)
            self.orders.append((float(world.numbers[NOW]), int(world.counts[LIVE])))
        price = late_price(plan)
        if price is not None and (not self.late_prices or price != self.late_prices[-1][1]):
            self.late_prices.append((float(world.numbers[NOW]), price))
        return plan


def late_price(plan: Plan) -> float | None:
    """Of a late request in costs of serving one; None where no rule was chosen."""
    if isinstance(plan.headroom, Missing) or isinstance(plan.profile, Missing):
        return None
    return plan.headroom.late_price_replica_seconds * plan.profile.load_per_replica


@contextmanager
def _nothing_old_to_collect() -> Iterator[None]:
    """Else each full collection walks through all loaded modules: more than half of a run."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def run_ours(
    operator: Operator, world: World, progress: Callable[[float], None] | None = None
) -> ReplicaSchedule:
    """To the end of the run; returns how many replicas there were to be.

    `progress` is called with the share done, every hundredth of the simulated time.
    """
    told = 0.0
    operator.orders.append((float(world.numbers[NOW]), int(world.counts[LIVE])))
    with _nothing_old_to_collect():
        for phase in phases(world, operator.scenario):
            while advance(phase, operator.scenario.tick_seconds):
                operator.tick(phase)
                share = float(world.numbers[NOW]) / world.conditions.seconds
                if progress is not None and share >= told + PROGRESS_STEP:
                    told = share
                    progress(share)
    times, replicas = zip(*operator.orders, strict=True)
    priced_at, prices = (
        zip(*operator.late_prices, strict=True) if operator.late_prices else ((), ())
    )
    return ReplicaSchedule(
        times_seconds=np.array(times),
        replicas=np.array(replicas, np.int64),
        late_price_times=np.array(priced_at, np.float64),
        late_prices=np.array(prices, np.float64),
    )
