"""The demo from start to end."""

import time
from contextlib import ExitStack

from e2e.demo import proof
from e2e.demo.measure import finish
from e2e.demo.own_report import write_own_report
from e2e.demo.screen import Frame, Screen
from e2e.demo.settings import DemoSettings
from e2e.demo.stage import (
    Moment,
    Stage,
    balanced,
    deploy_fleet,
    install_operator,
    operator_policy,
    run_load,
    start_stack,
    warm_up,
)
from e2e.demo.summary import Summary
from e2e.demo.watch import prometheus_scalar
from e2e.rig.binaries import ensure
from e2e.rig.load import Progress
from e2e.rig.stack import OPERATOR_NAMESPACE, RELEASE
from e2e.rig.traces import arrival_times
from e2e.rig.triton import ensure_triton

PENDING = "sum(nv_inference_pending_request_count)"
# What the table shows itself, and what `kubectl inference-cost explain` is for.
BESIDES = ("Seen:", "Expected:", "Room:", "Found:", "Starts:")


def play(settings: DemoSettings, screen: Screen) -> Summary:
    """Run the demo; everything is stopped at the end, or after Ctrl-C with `keep`."""
    # Triton first: what it needs of the machine is then known before ten minutes of building.
    screen.step("fetching Triton (once)")
    ensure_triton()
    screen.step("building Kubernetes, etcd, Prometheus, helm (about ten minutes, once)")
    ensure()
    with ExitStack() as held:
        stage = _set_stage(settings, screen, held)
        trace = settings.trace
        arrivals = arrival_times(trace.day, trace.seconds, trace.factor, trace.seed)
        screen.step(
            f"load: day {trace.day} of a real trace in {trace.seconds:g} s, {len(arrivals)} requests, seed {trace.seed}"
        )
        screen.step(
            f"warming up: {settings.warm_up_per_second:g} requests/s for {settings.warm_up_seconds:g} s, not counted"
        )
        warm_up(stage)
        began = time.time()
        with screen.table():
            measurement = run_load(
                stage, arrivals.tolist(), lambda moment: _show(stage, screen, moment)
            )
        screen.step("checking what was claimed")
        for line in _prove(stage):
            screen.step(f"  proven: {line}")
        summary = finish(settings, measurement)
        screen.step("kubectl inference-cost report: the operator's own account of the load")
        write_own_report(stage, began=began)
        screen.summary(summary, settings.output)
        if settings.keep:
            _keep(stage, screen)
        return summary


def _set_stage(settings: DemoSettings, screen: Screen, held: ExitStack) -> Stage:
    screen.step("starting etcd, kube-apiserver, controller-manager, scheduler, Prometheus, nodes")
    stack = start_stack(settings, held)
    screen.step(f"KUBECONFIG={stack.cluster.kubeconfig}")
    screen.step(
        f"deploying Triton: {settings.first_replicas} replicas, one GPU node each, "
        f"{settings.node_boot_seconds:g} s boot"
    )
    deploy_fleet(stack, settings)
    screen.step("helm install inference-cost-operator (two replicas, enforce.enabled=true)")
    install_operator(stack, settings)
    stage = balanced(stack, settings)
    stack.kube.apply(operator_policy(settings))
    screen.step(
        "applied InferenceCostPolicy: 99 % of requests within 300 ms, 1 to 8 replicas, Enforce"
    )
    return stage


def _show(stage: Stage, screen: Screen, moment: Moment) -> None:
    if moment.progress is not None:
        screen.show(_frame(stage, moment, moment.progress))


def _frame(stage: Stage, moment: Moment, progress: Progress) -> Frame:
    sight = moment.sight
    return Frame(
        t_s=moment.t_s,
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


def _keep(stage: Stage, screen: Screen) -> None:
    """Wait for Ctrl-C."""
    screen.look_around(stage.stack.cluster, stage.settings.fleet)
    while True:
        time.sleep(1)
