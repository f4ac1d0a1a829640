"""The demo from start to end."""

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from e2e.demo import proof
from e2e.demo.measure import Measurement, finish, measured_nodes
from e2e.demo.screen import Frame, Screen
from e2e.demo.settings import DemoSettings
from e2e.demo.summary import Summary
from e2e.demo.watch import ReplicasLog, Sight, look, prometheus_scalar
from e2e.rig.binaries import ensure
from e2e.rig.kube import wait_for
from e2e.rig.load import Progress, last_progress, write_arrivals
from e2e.rig.operator_release import operator_values
from e2e.rig.processes import ManagedProcess
from e2e.rig.serving import policy
from e2e.rig.stack import OPERATOR_NAMESPACE, RELEASE, Stack, StackSettings
from e2e.rig.traces import arrival_times, poisson_arrivals
from e2e.rig.triton import ensure_triton

PENDING = "sum(nv_inference_pending_request_count)"
# What the table shows itself, and what `kubectl inference-cost explain` is for.
BESIDES = ("Seen:", "Expected:", "Room:", "Found:", "Starts:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is running once the curtain can rise."""

    stack: Stack
    settings: DemoSettings
    screen: Screen
    url: str
    arrivals_file: Path

    @property
    def requests_file(self) -> Path:
        return self.settings.output / "requests.csv"


def play(settings: DemoSettings, screen: Screen) -> Summary:
    """Run the demo; everything is stopped at the end, or after Ctrl-C with `keep`."""
    # Triton first: what it needs of the machine is then known before ten minutes of building.
    screen.step("fetching Triton (once)")
    ensure_triton()
    screen.step("building Kubernetes, etcd, Prometheus, helm (about ten minutes, once)")
    ensure()
    with ExitStack() as held:
        stage = _set_stage(settings, screen, held)
        _warm_up(stage)
        measurement = _run_load(stage)
        screen.step("checking what was claimed")
        for line in _prove(stage):
            screen.step(f"  proven: {line}")
        summary = finish(settings, measurement)
        screen.summary(summary, settings.output)
        if settings.keep:
            _keep(stage)
        return summary


def _set_stage(settings: DemoSettings, screen: Screen, held: ExitStack) -> Stage:
    screen.step("starting etcd, kube-apiserver, controller-manager, scheduler, Prometheus, nodes")
    stack = held.enter_context(
        Stack.start(
            StackSettings(
                state_folder=settings.output / "cluster",
                name="demo",
                pools=settings.pools(),
                empty_seconds=settings.empty_node_seconds,
                scrape_interval_seconds=settings.scrape_interval_seconds,
            )
        )
    )
    screen.step(f"KUBECONFIG={stack.cluster.kubeconfig}")
    fleet = settings.triton_fleet()
    stack.create_namespace(fleet.namespace)
    screen.step(
        f"deploying Triton: {fleet.replicas} replicas, one GPU node each, {settings.node_boot_seconds:g} s boot"
    )
    stack.kube.apply(*fleet.manifests())
    screen.step("helm install inference-cost-operator (two replicas, enforce.enabled=true)")
    stack.install_operator(
        operator_values(
            stack.cluster,
            tick_seconds=settings.tick_seconds,
            rate_window_seconds=settings.rate_window_seconds,
        )
    )
    url = stack.balance(
        fleet.namespace, fleet.name, bound_milliseconds=settings.objective_milliseconds
    )
    _wait_ready(stack, settings)
    stack.kube.apply(
        policy(fleet, mode="Enforce", maximum=settings.max_replicas, routing="LeastRequest")
    )
    screen.step(
        "applied InferenceCostPolicy: 99 % of requests within 300 ms, 1 to 8 replicas, Enforce"
    )
    trace = settings.trace
    arrivals = arrival_times(trace.day, trace.seconds, trace.factor, trace.seed)
    file = settings.output / "arrivals.txt"
    write_arrivals(file, list(arrivals))
    screen.step(
        f"load: day {trace.day} of a real trace in {trace.seconds:g} s, {len(arrivals)} requests, seed {trace.seed}"
    )
    return Stage(stack=stack, settings=settings, screen=screen, url=url, arrivals_file=file)


def _wait_ready(stack: Stack, settings: DemoSettings) -> None:
    def ready() -> bool:
        sight = look(stack.kube, settings.fleet)
        return sight.ready >= settings.first_replicas

    wait_for(ready, timeout_seconds=90, what="the first Triton replicas to be ready")


def _start_load(stage: Stage, name: str, arrivals: Path, out: Path) -> ManagedProcess:
    settings = stage.settings
    return stage.stack.load(
        *("--url", stage.url, "--model", settings.model.name),
        *("--arrivals", str(arrivals), "--out", str(out)),
        *("--timeout", f"{settings.timeout_seconds:g}"),
        *("--objective-milliseconds", f"{settings.objective_milliseconds:g}"),
        name=name,
    )


def _warm_up(stage: Stage) -> None:
    """Steady traffic before second 0; its rows are kept apart and counted nowhere."""
    settings = stage.settings
    seconds, rate = settings.warm_up_seconds, settings.warm_up_per_second
    stage.screen.step(f"warming up: {rate:g} requests/s for {seconds:g} s, not counted")
    arrivals = settings.output / "warm-up-arrivals.txt"
    draw = poisson_arrivals(np.array([rate]), seconds, settings.trace.seed)
    write_arrivals(arrivals, [float(t) for t in draw])
    load = _start_load(stage, "warm-up", arrivals, settings.output / "warm-up.csv")
    if not load.wait(timeout_seconds=seconds + 30):
        raise TimeoutError("the warm-up does not end")


def _run_load(stage: Stage) -> Measurement:
    settings, stack = stage.settings, stage.stack
    load = _start_load(stage, "load", stage.arrivals_file, stage.requests_file)
    started_at = wait_for(
        lambda: _started_at(load.log), timeout_seconds=20, what="the load generator to start"
    )
    changes: list[tuple[float, Sight]] = []
    log = ReplicasLog(settings.output / "replicas.csv")
    try:
        with stage.screen.table():
            _watch(stage, load, started_at, log, changes)
    finally:
        log.close()
    return Measurement(
        changes=tuple(changes),
        nodes=tuple(measured_nodes(stack.lifetimes_file, started_at)),
    )


def _started_at(log: Path) -> float | None:
    """Epoch seconds of the load's second 0."""
    first = log.read_text().partition("\n")[0] if log.exists() else ""
    return float(json.loads(first)["startedAt"]) if first.endswith("}") else None


def _watch(
    stage: Stage,
    load: ManagedProcess,
    started_at: float,
    log: ReplicasLog,
    changes: list[tuple[float, Sight]],
) -> None:
    """Look once a second until the load has ended."""
    while load.running:
        sight = look(stage.stack.kube, stage.settings.fleet)
        t_s = time.time() - started_at
        log.add(t_s, sight)
        if not changes or changes[-1][1].replicas != sight.replicas:
            changes.append((t_s, sight))
        progress = last_progress(load.log)
        if progress is not None:
            stage.screen.show(_frame(stage, t_s, sight, progress))
        stage.stack.control_plane.fail_if_broken()
        time.sleep(max(0.0, 1.0 - (time.time() - started_at) % 1.0))


def _frame(stage: Stage, t_s: float, sight: Sight, progress: Progress) -> Frame:
    return Frame(
        t_s=t_s,
        requests_per_second=progress.ratePerSecond,
        waiting=prometheus_scalar(stage.stack.prometheus_url, PENDING),
        p50_milliseconds=progress.p50Milliseconds,
        p99_milliseconds=progress.p99Milliseconds,
        attainment_percent=_in_time(progress),
        desired=sight.replicas,
        ready=sight.ready,
        nodes=sight.nodes,
        dollars_per_hour=sight.per_hour,
        reason=_why(sight.message),
    )


def _why(message: str) -> str:
    """The decision and what limited it, without what else a message says."""
    sentences = [line for line in message.splitlines() if not line.startswith(BESIDES)]
    return " ".join(sentences)


def _in_time(progress: Progress) -> float | None:
    if not progress.measured:
        return None
    return 100 * (1 - progress.measuredLate / progress.measured)


def _prove(stage: Stage) -> list[str]:
    stack, fleet = stage.stack, stage.settings.fleet
    writes = proof.scale_writes(stack.cluster.audit_log, fleet)
    return [
        proof.operator_runs_in_pods(stack.kube, OPERATOR_NAMESPACE, RELEASE),
        proof.operator_made_each_write(writes, OPERATOR_NAMESPACE, RELEASE),
        proof.metrics_come_from_triton(stack.kube, stack.prometheus_url, fleet),
    ]


def _keep(stage: Stage) -> None:
    """Wait for Ctrl-C."""
    stage.screen.look_around(stage.stack.cluster, stage.settings.fleet)
    while True:
        time.sleep(1)
