"""A Triton fleet on the rig, traffic to it, and eyes on both: for the demo and whoever plays on the same stage."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from e2e.demo.measure import Measurement, measured_nodes
from e2e.demo.settings import DemoSettings
from e2e.demo.watch import ReplicasLog, Sight, look
from e2e.rig.kube import Manifest, wait_for
from e2e.rig.load import Progress, last_progress, write_arrivals
from e2e.rig.operator_release import operator_values
from e2e.rig.processes import ManagedProcess
from e2e.rig.programs import SHORT_TIMINGS, Timings
from e2e.rig.serving import policy
from e2e.rig.stack import Stack, StackSettings
from e2e.rig.traces import poisson_arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is running once the curtain can rise."""

    stack: Stack
    settings: DemoSettings
    url: str  # of the load balancer


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One look, a second after the one before. `progress` is None before the client's first second."""

    t_s: float
    sight: Sight
    progress: Progress | None


def start_stack(
    settings: DemoSettings, held: ExitStack, *, name: str = "demo", timings: Timings = SHORT_TIMINGS
) -> Stack:
    return held.enter_context(
        Stack.start(
            StackSettings(
                state_folder=settings.output / "cluster",
                name=name,
                pools=settings.pools(),
                empty_seconds=settings.empty_node_seconds,
                scrape_interval_seconds=settings.scrape_interval_seconds,
                timings=timings,
            )
        )
    )


def deploy_fleet(stack: Stack, settings: DemoSettings) -> None:
    fleet = settings.triton_fleet()
    stack.create_namespace(fleet.namespace)
    stack.kube.apply(*fleet.manifests())


def install_operator(stack: Stack, settings: DemoSettings) -> None:
    stack.install_operator(
        operator_values(
            stack.cluster,
            tick_seconds=settings.tick_seconds,
            rate_window_seconds=settings.rate_window_seconds,
        )
    )


def operator_policy(settings: DemoSettings) -> Manifest:
    return policy(
        settings.triton_fleet(),
        mode="Enforce",
        maximum=settings.max_replicas,
        routing="LeastRequest",
    )


def balanced(
    stack: Stack, settings: DemoSettings, *, bounds_milliseconds: Sequence[float] = ()
) -> Stage:
    """Put the load balancer in front of the fleet and wait for the first replicas."""
    url = stack.balance(
        settings.fleet.namespace,
        settings.fleet.name,
        bounds_milliseconds=(settings.objective_milliseconds, *bounds_milliseconds),
    )

    def ready() -> bool:
        return look(stack.kube, settings.fleet).ready >= settings.first_replicas

    wait_for(ready, timeout_seconds=90, what="the first Triton replicas to be ready")
    return Stage(stack=stack, settings=settings, url=url)


def warm_up(stage: Stage) -> None:
    """Steady traffic before second 0; its rows are kept apart and counted nowhere."""
    settings = stage.settings
    seconds, rate = settings.warm_up_seconds, settings.warm_up_per_second
    arrivals = settings.output / "warm-up-arrivals.txt"
    draw = poisson_arrivals(np.array([rate]), seconds, settings.trace.seed)
    write_arrivals(arrivals, [float(t) for t in draw])
    load = _start_load(stage, "warm-up", arrivals, settings.output / "warm-up.csv")
    if not load.wait(timeout_seconds=seconds + 30):
        raise TimeoutError("the warm-up does not end")


def run_load(
    stage: Stage, arrivals_seconds: Sequence[float], show: Callable[[Moment], None]
) -> Measurement:
    """Send the arrivals and look on until the last is answered; writes requests.csv and replicas.csv."""
    output = stage.settings.output
    arrivals = output / "arrivals.txt"
    write_arrivals(arrivals, arrivals_seconds)
    load = _start_load(stage, "load", arrivals, output / "requests.csv")
    started_at = wait_for(
        lambda: _started_at(load.log), timeout_seconds=20, what="the load generator to start"
    )
    changes: list[tuple[float, Sight]] = []
    log = ReplicasLog(output / "replicas.csv")
    try:
        while load.running:
            moment = _look(stage, load, started_at)
            log.add(moment.t_s, moment.sight)
            if not changes or changes[-1][1].replicas != moment.sight.replicas:
                changes.append((moment.t_s, moment.sight))
            show(moment)
            stage.stack.control_plane.fail_if_broken()
            time.sleep(max(0.0, 1.0 - (time.time() - started_at) % 1.0))
    finally:
        log.close()
    nodes = measured_nodes(stage.stack.lifetimes_file, started_at)
    return Measurement(changes=tuple(changes), nodes=tuple(nodes))


def _start_load(stage: Stage, name: str, arrivals: Path, out: Path) -> ManagedProcess:
    settings = stage.settings
    return stage.stack.load(
        *("--url", stage.url, "--model", settings.model.name),
        *("--arrivals", str(arrivals), "--out", str(out)),
        *("--timeout", f"{settings.timeout_seconds:g}"),
        *("--objective-milliseconds", f"{settings.objective_milliseconds:g}"),
        name=name,
    )


def _started_at(log: Path) -> float | None:
    """Epoch seconds of the load's second 0."""
    first = log.read_text().partition("\n")[0] if log.exists() else ""
    return float(json.loads(first)["startedAt"]) if first.endswith("}") else None


def _look(stage: Stage, load: ManagedProcess, started_at: float) -> Moment:
    sight = look(stage.stack.kube, stage.settings.fleet)
    return Moment(t_s=time.time() - started_at, sight=sight, progress=last_progress(load.log))
