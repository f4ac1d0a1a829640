"""What the operator would be told of the simulated fleet: pods, counter windows, the server's configuration.

The rules of `observe/triton_signals.py` are applied to simulated scrapes: a pod counts when it has two samples in
the window, and is expected to once it has been ready for a window. A test compares the two.
"""

from dataclasses import dataclass, field
from math import ceil, inf
from types import MappingProxyType

import numpy as np

from inference_cost.decide.schedule import widest
from inference_cost.model.money import HourlyPrice, PriceSource
from inference_cost.model.observation import (
    DecisionSettings,
    PolicyObservation,
    Snapshot,
    stale_after_seconds,
)
from inference_cost.model.policy import Policy
from inference_cost.model.reading import Missing, MissingReason, Sample
from inference_cost.model.signals import (
    BatchStatistic,
    LatestGap,
    ModelConfiguration,
    ModelWindow,
    PodSignals,
    Signals,
)
from inference_cost.model.workload import CapacityType, Node, Pod, Workload
from inference_cost.simulate.scenario import Scenario
from inference_cost.simulate.service import Service
from inference_cost.simulate.world.scrapes import (
    FIRST_AT,
    LAST_AT,
    LATEST_PENDING_CHANGE,
    LATEST_REQUESTS,
    LATEST_SECONDS,
    PENDING_CHANGE,
    SAMPLES,
    WINDOW_COLUMNS,
    counter_windows,
)
from inference_cost.simulate.world.state import (
    COMPUTE_SECONDS,
    EXECUTIONS,
    LIVE,
    NOW,
    PENDING,
    QUEUE_SECONDS,
    REQUEST_SECONDS,
    REQUESTS,
    World,
)

EPOCH = 1_704_067_200.0  # second 0 of a run: Monday, 2024-01-01 00:00 UTC
MODEL = "model"
TEMPLATE = "template"
NODE = "node"
SCRAPES_IN_WINDOW = 3  # spans between samples that a window should hold
LEAST_REPORTING = 0.5  # of the pods that should
TIMED_EXECUTIONS = 100  # per batch size: the servers are not new
NOT_EXPORTED = Missing(reason=MissingReason.NOT_EXPORTED, detail="not simulated")
NO_GATEWAY = Missing(reason=MissingReason.NOT_CONFIGURED)


def rate_window_seconds(scenario: Scenario) -> float:
    """The operator's `decision.rate_window_seconds` for this monitoring: 60, or longer where the lag asks for it."""
    return max(
        DecisionSettings().rate_window_seconds,
        ceil(scenario.metric_lag_seconds + SCRAPES_IN_WINDOW * scenario.scrape_seconds) + 1.0,
    )


@dataclass(slots=True)
class Observer:
    """Shows one scenario's world to the operator. Objects of pods that did not change are used again."""

    scenario: Scenario
    settings: DecisionSettings = field(init=False)
    _policy: Policy = field(init=False)
    _configurations: tuple[ModelConfiguration, ...] = field(init=False)
    _nodes: MappingProxyType[str, Node] = field(init=False)
    _windows: np.ndarray[tuple[int, int], np.dtype[np.float64]] = field(init=False)
    _pods: dict[int, Pod] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        scenario = self.scenario
        self.settings = DecisionSettings(
            tick_seconds=scenario.tick_seconds,
            rate_window_seconds=rate_window_seconds(scenario),
            start_up_seconds_prior=scenario.start_seconds * (1.0 + scenario.faults.prior_error),
        )
        self._policy = scenario.policy
        self._configurations = (
            configuration(
                scenario.service,
                told=1.0 + scenario.faults.prior_error,
                rejects=scenario.faults.queue_limit_seconds < inf,
            ),
        )
        self._nodes = MappingProxyType({NODE: _node(scenario)})
        most = widest(scenario.policy)[1] + 2
        self._windows = np.zeros((most, WINDOW_COLUMNS))

    def snapshot(self, world: World) -> Snapshot:
        now = float(world.numbers[NOW])
        workload = self._workload(world)
        return Snapshot(
            at=EPOCH + now,
            observations=(
                PolicyObservation(
                    policy=self._policy,
                    workloads=(workload,),
                    signals=self._signals(world, workload.pods, now),
                    configurations=self._configurations,
                ),
            ),
            nodes=self._nodes,
            settings=self.settings,
        )

    def _workload(self, world: World) -> Workload:
        replicas, live = world.replicas, int(world.counts[LIVE])
        slots = replicas.listed[:live]
        numbers = replicas.number[slots].tolist()
        serving = replicas.serves[slots].tolist()
        pods = tuple(
            self._pod(world, number, int(slots[i]), ready=bool(serving[i]))
            for i, number in enumerate(numbers)
        )
        if len(self._pods) > 2 * live:
            self._pods = {number: self._pods[number] for number in numbers}
        return Workload(
            target=self._policy.variants[0].target,
            uid="workload",
            desired_replicas=live,
            template_hash=TEMPLATE,
            rolling_out=False,
            pods=pods,
        )

    def _pod(self, world: World, number: int, slot: int, *, ready: bool) -> Pod:
        known = self._pods.get(number)
        if known is not None and known.ready == ready:
            return known
        pod = Pod(
            name=f"pod-{number}",
            uid=f"pod-{number}",
            node=NODE,
            template_hash=TEMPLATE,
            gpus=1,
            created_at=EPOCH + float(world.replicas.ordered_at[slot]),
            ready_at=EPOCH + float(world.replicas.ready_at[slot]) if ready else None,
        )
        self._pods[number] = pod
        return pod

    def _signals(self, world: World, pods: tuple[Pod, ...], now: float) -> Signals | Missing:
        window = self.settings.rate_window_seconds
        counter_windows(world, window, self._windows)
        rows = self._windows[: len(pods)].tolist()
        fresh = now - stale_after_seconds(window, self.scenario.scrape_seconds)
        reports = _reports(pods, rows, fresh)
        due = [
            pod for pod in pods if pod.ready_at is not None and EPOCH + now - pod.ready_at >= window
        ]
        if not reports and any(pod.ready for pod in pods):
            return _why_nothing(rows, fresh, due)
        newest = EPOCH + max((row[LAST_AT] for row in rows), default=0.0)
        return signals_of(pods, reports, due, newest, self.scenario.scrape_seconds)


def signals_of(
    pods: tuple[Pod, ...],
    reports: dict[str, PodSignals],
    due: list[Pod],
    newest: float,
    scrape_seconds: float,
) -> Signals | Missing:
    """`due`: pods that had time to report. Half of them must, or nothing is known."""
    if not any(pod.ready for pod in pods):
        return Missing(reason=MissingReason.NO_READY_PODS, detail="no pod of the target is ready")
    silent = tuple(sorted(pod.name for pod in due if pod.name not in reports))
    if len(due) - len(silent) < LEAST_REPORTING * len(due):
        return Missing(
            reason=MissingReason.PARTIAL,
            detail=f"{len(due) - len(silent)} of {len(due)} ready pods report",
        )
    return Signals(
        sampled_at=newest,
        scrape_interval_seconds=scrape_seconds,
        pods=tuple(reports.values()),
        gateway=NO_GATEWAY,
        partial=bool(silent),
        silent_pods=silent,
    )


def _why_nothing(rows: list[list[float]], fresh: float, due: list[Pod]) -> Missing:
    """The reason of the first pod with a sample tells most."""
    known = [row[LAST_AT] for row in rows if row[SAMPLES]]
    if known:
        reason = MissingReason.STALE if known[0] < fresh else MissingReason.WARMING_UP
    else:
        reason = MissingReason.EMPTY_RESULT if due else MissingReason.WARMING_UP
    return Missing(reason=reason)


def _reports(pods: tuple[Pod, ...], rows: list[list[float]], fresh: float) -> dict[str, PodSignals]:
    """Pods with the same counters share one window object; one whose newest sample is too old has none."""
    known: dict[tuple[float, ...], tuple[ModelWindow, ...]] = {}
    reports = {}
    for pod, row in zip(pods, rows, strict=True):
        if row[SAMPLES] < 2 or row[LAST_AT] < fresh:  # noqa: PLR2004 - an increase needs two samples
            continue
        key = tuple(row)
        windows = known.get(key)
        if windows is None:
            windows = known[key] = (_window(row),)
        reports[pod.name] = PodSignals(pod=pod.name, models=windows, gpu_utilization=NOT_EXPORTED)
    return reports


def _window(row: list[float]) -> ModelWindow:
    at = EPOCH + row[LAST_AT]
    return ModelWindow(
        model=MODEL,
        seconds=row[LAST_AT] - row[FIRST_AT],
        requests=row[REQUESTS],
        failures=0.0,
        inferences=row[REQUESTS],
        executions=row[EXECUTIONS],
        request_seconds=row[REQUEST_SECONDS],
        queue_seconds=row[QUEUE_SECONDS],
        compute_seconds=row[COMPUTE_SECONDS],
        pending=Sample(value=row[PENDING], at=at),
        pending_change=Sample(value=row[PENDING_CHANGE], at=at),
        latest=LatestGap(
            at=at,
            seconds=row[LATEST_SECONDS],
            requests=row[LATEST_REQUESTS],
            pending_change=row[LATEST_PENDING_CHANGE],
        ),
    )


def configuration(
    service: Service, *, told: float = 1.0, rejects: bool = False
) -> ModelConfiguration:
    """As Triton tells it: settings, and timings by batch size, `told` times the true ones."""
    return ModelConfiguration(
        model=MODEL,
        max_batch_size=service.max_batch,
        instances=service.instances,
        decoupled=False,
        dynamic_batching=True,
        queue_delay_seconds=service.queue_delay_seconds,
        queue_policy=service.queue_policy or rejects,
        batch_statistics=tuple(
            BatchStatistic(
                batch_size=size,
                executions=TIMED_EXECUTIONS,
                mean_seconds=service.seconds(size) * told,
            )
            for size in range(1, service.max_batch + 1)
        ),
    )


def _node(scenario: Scenario) -> Node:
    return Node(
        name=NODE,
        pool="simulated",
        capacity_type=CapacityType.ON_DEMAND,
        instance_type="",
        zone="",
        gpu_product="",
        allocatable_gpus=1,
        created_at=EPOCH,
        ready=True,
        price=HourlyPrice(
            per_hour=scenario.price_per_hour,
            currency="USD",
            source=PriceSource.CAPACITY_POOL,
            as_of=EPOCH,
        ),
    )
