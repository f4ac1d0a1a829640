"""The operator's own decisions in the simulated world: `decide` itself, tick by tick, with its memory."""

import time
from dataclasses import dataclass, field

from inference_cost.decide.engine import decide
from inference_cost.model.memory import Memory
from inference_cost.model.plan import Plan
from inference_cost.simulate.observation import Observer
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.world.clock import advance
from inference_cost.simulate.world.replicas import order
from inference_cost.simulate.world.state import World


@dataclass(slots=True)
class Operator:
    """Decides on what the observer shows it, and remembers."""

    scenario: Scenario
    memory: Memory = field(default_factory=Memory)
    seconds: list[float] = field(default_factory=list)  # wall clock of each decide
    _observer: Observer = field(init=False)

    def __post_init__(self) -> None:
        self._observer = Observer(self.scenario)

    def tick(self, world: World) -> Plan:
        """Look, decide, write."""
        snapshot = self._observer.snapshot(world)
        begin = time.perf_counter()
        decisions = decide(snapshot, self.memory)
        self.seconds.append(time.perf_counter() - begin)
        self.memory = decisions.memory
        plan = decisions.plans[self.scenario.policy.key]
        if plan.write:
            order(world, plan.desired)
        return plan


def run_ours(operator: Operator, world: World) -> None:
    """To the end of the run."""
    while advance(world, operator.scenario.tick_seconds):
        operator.tick(world)
