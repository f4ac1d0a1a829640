"""One policy at one tick, with all that the stages need, derived once."""

from dataclasses import dataclass, replace
from typing import Final

from inference_cost.decide import lead_time, leaving
from inference_cost.decide.limits.stabilize import CHANGES_KEPT, LONGEST_PERIOD_SECONDS, Bounds
from inference_cost.decide.mix.pods import together
from inference_cost.decide.place import bounds
from inference_cost.decide.plans import workloads_of
from inference_cost.decide.pods import Fleet, fleet, learn_start_ups
from inference_cost.decide.replica import slow_pods
from inference_cost.decide.replica.domain import configuration_of
from inference_cost.decide.traffic import Traffic, traffic
from inference_cost.decide.warm.cover import hot_start_seconds
from inference_cost.model.memory import PolicyMemory, SlowPod
from inference_cost.model.observation import DecisionSettings, PolicyObservation, Snapshot
from inference_cost.model.reading import Missing
from inference_cost.model.signals import ModelConfiguration
from inference_cost.model.workload import Workload

LONGEST_GAP: Final = (
    4.0  # ticks without metrics, before what was seen no longer counts as seen without a break
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    observation: PolicyObservation
    snapshot: Snapshot
    at: float  # of the snapshot
    memory: PolicyMemory
    workloads: tuple[Workload, ...]
    fleet: Fleet
    bounds: Bounds
    start_up_seconds: float
    hot_start_seconds: float  # the same, or on a warm node where these can be relied on
    tick_seconds: float  # between looks that can show something new
    traffic: Traffic | Missing
    configuration: ModelConfiguration | Missing
    scrape_seconds: float
    age_seconds: float  # of the newest sample
    slow: tuple[SlowPod, ...]  # those that have been for long enough to count with

    @property
    def settings(self) -> DecisionSettings:
        return self.snapshot.settings

    @property
    def has_variants(self) -> bool:
        """Several, over which replicas are placed."""
        return len(self.workloads) > 1

    @property
    def order_seconds(self) -> float:
        """From a change of the load until an order for it serves, with half a tick less.

        That much is added where looks are counted: an order serves from the first look on at which it is old enough.
        """
        seconds = self.hot_start_seconds + self.age_seconds - self.tick_seconds / 2
        return max(seconds, self.hot_start_seconds / 2)

    @property
    def lead_seconds(self) -> float:
        """From the middle of the window until an order of the next tick serves."""
        half = self.settings.rate_window_seconds / 2
        return half + self.age_seconds + self.settings.tick_seconds + self.hot_start_seconds


def case_of(observation: PolicyObservation, memory: PolicyMemory, snapshot: Snapshot) -> Case:
    settings, at = snapshot.settings, snapshot.at
    workloads = tuple(workloads_of(observation))
    memory = learn_start_ups(
        memory, workloads, snapshot.nodes, at, settings.tick_seconds, warm=snapshot.warm
    )
    start_up = lead_time.start_up_seconds(memory, settings.start_up_seconds_prior)
    signals = observation.signals
    scrape, age = 0.0, 0.0
    if not isinstance(signals, Missing):
        scrape, age = signals.scrape_interval_seconds, max(at - signals.sampled_at, 0.0)
    ready = [pod for workload in workloads for pod in workload.pods]
    seen = traffic(signals, ready, at, settings.rate_window_seconds, memory.gaps)
    if not isinstance(seen, Missing):
        memory = _remember_slow_pods(memory, seen, snapshot)
        seen = slow_pods.marked(seen, memory.slow_pods)
    memory = _remember_leaving(memory, workloads, snapshot)
    pods = fleet(workloads, at, start_up, memory.leaving_nodes)
    if len(workloads) > 1:
        pods = together(pods, workloads, memory.placing)
    lowest, highest = bounds(observation.policy)
    return Case(
        observation=observation,
        snapshot=snapshot,
        at=at,
        memory=_remember_changes(memory, pods, at),
        workloads=workloads,
        fleet=pods,
        bounds=Bounds(lowest=lowest, highest=highest),
        start_up_seconds=start_up,
        hot_start_seconds=hot_start_seconds(observation, memory, snapshot, start_up),
        tick_seconds=lead_time.tick_seconds(settings, scrape),
        traffic=seen,
        configuration=configuration_of(observation.configurations, seen),
        scrape_seconds=scrape,
        age_seconds=age,
        slow=slow_pods.lasting(memory.slow_pods, at, settings.rate_window_seconds),
    )


def _remember_slow_pods(memory: PolicyMemory, seen: Traffic, snapshot: Snapshot) -> PolicyMemory:
    slow = slow_pods.look(memory.slow_pods, seen, memory.estimates, snapshot.nodes, snapshot.at)
    return memory if slow == memory.slow_pods else replace(memory, slow_pods=slow)


def _remember_leaving(
    memory: PolicyMemory, workloads: tuple[Workload, ...], snapshot: Snapshot
) -> PolicyMemory:
    going = leaving.marked(memory.leaving_nodes, workloads, snapshot.nodes, snapshot.at)
    return memory if going == memory.leaving_nodes else replace(memory, leaving_nodes=going)


def _remember_changes(memory: PolicyMemory, pods: Fleet, at: float) -> PolicyMemory:
    """Changes are seen rather than assumed, so that a failed write counts for nothing."""
    changes = tuple(c for c in memory.changes if at - LONGEST_PERIOD_SECONDS < c[0] <= at)
    if memory.last_current is not None and pods.current != memory.last_current:
        changes = (*changes, (at, pods.current - memory.last_current))[-CHANGES_KEPT:]
    ended = at if pods.rolling_out else memory.rollout_ended_at
    if (changes, pods.current, ended) == (
        memory.changes,
        memory.last_current,
        memory.rollout_ended_at,
    ):
        return memory
    return replace(memory, changes=changes, last_current=pods.current, rollout_ended_at=ended)


def observed_since(case: Case) -> float:
    """Time without metrics proves nothing: after a gap holding times and trends start over."""
    memory, at = case.memory, case.at
    gap = not 0 <= at - memory.observed_at <= LONGEST_GAP * case.tick_seconds
    return at if gap else memory.observed_since
