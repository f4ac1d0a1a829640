"""Checks of Prometheus: reachable, Triton's families, how often it scrapes, one series per ready pod, the operator."""

from collections.abc import Iterator
from typing import Final

from inference_cost.cli.doctor import scraped
from inference_cost.cli.doctor.facts import Facts, Metrics, Target
from inference_cost.cli.doctor.findings import Area, Finding, Level
from inference_cost.cli.listing import Unread
from inference_cost.observe.queries import (
    COMPUTE_MICROSECONDS,
    EXECUTIONS,
    FAILURE,
    INFERENCES,
    PENDING,
    QUEUE_MICROSECONDS,
    REQUEST_MICROSECONDS,
    REQUEST_SUMMARY,
    RESPONSE_BUCKET,
    SUCCESS,
    TRITON_GPU,
)

REQUIRED: Final = (
    SUCCESS,
    FAILURE,
    INFERENCES,
    EXECUTIONS,
    REQUEST_MICROSECONDS,
    QUEUE_MICROSECONDS,
    *COMPUTE_MICROSECONDS,
)
PENDING_FIX: Final = "use Triton 23.09 or later; until then the queue is told by its times alone"
SLOW_SCRAPE_SECONDS: Final = 30.0
PODS_NAMED: Final = 3


def check(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.metrics, Unread):
        yield _finding(Level.UNKNOWN, "Prometheus", facts.metrics.why, facts.metrics.fix)
        return
    metrics = facts.metrics
    yield from _families(metrics)
    yield from _latency(metrics)
    yield from _scrapes(metrics)
    yield from scraped.check(metrics, facts.operators)
    for target in facts.targets:
        yield from _pods(metrics, target)


def _finding(level: Level, subject: str, message: str, fix: str = "") -> Finding:
    return Finding(level=level, area=Area.METRICS, subject=subject, message=message, fix=fix)


def _families(metrics: Metrics) -> Iterator[Finding]:
    absent = [name for name in REQUIRED if name not in metrics.families]
    if len(absent) == len(REQUIRED):
        yield _finding(
            Level.PROBLEM,
            metrics.url,
            "it has no metric of Triton",
            "scrape port 8002 of the pods (PodMonitor, path /metrics); check prometheus.matchers",
        )
        return
    if absent:
        yield _finding(
            Level.PROBLEM,
            metrics.url,
            f"it lacks {', '.join(absent)}",
            "do not drop them in metricRelabelings; start tritonserver without counter_latencies=false",
        )
    else:
        yield _finding(Level.OK, metrics.url, "it has all counters of Triton that are needed")
    if PENDING not in metrics.families:
        yield _finding(Level.WARNING, metrics.url, f"it lacks {PENDING}", PENDING_FIX)
    if TRITON_GPU not in metrics.families:
        yield _finding(
            Level.OK, metrics.url, "it lacks Triton's GPU metrics, which nothing but reports need"
        )


def _latency(metrics: Metrics) -> Iterator[Finding]:
    """Not of an empty Prometheus: that is told already."""
    if SUCCESS not in metrics.families or {RESPONSE_BUCKET, REQUEST_SUMMARY} & metrics.families:
        return
    yield _finding(
        Level.WARNING,
        metrics.url,
        "nothing measures a latency percentile in Triton: SLOMet is Unknown, unless a gateway tells",
        "set gateway.preset, or start tritonserver with --metrics-config histogram_latencies=true",
    )


def _scrapes(metrics: Metrics) -> Iterator[Finding]:
    if metrics.scrape_seconds is None or metrics.scrape_seconds <= SLOW_SCRAPE_SECONDS:
        return
    yield _finding(
        Level.WARNING,
        metrics.url,
        f"Triton is scraped every {metrics.scrape_seconds:.0f} s: load is seen that late, and more replicas are kept",
        "set the interval of its PodMonitor to 15s",
    )


def _pods(metrics: Metrics, target: Target) -> Iterator[Finding]:
    """Missing pods keep replicas from being removed; doubled ones double the load."""
    if SUCCESS not in metrics.families or not target.ready_pods:
        return
    counts = {pod: metrics.series.get((target.key.namespace, pod), 0) for pod in target.ready_pods}
    absent = [pod for pod, count in counts.items() if count == 0]
    doubled = [pod for pod, count in counts.items() if count > 1]
    if absent:
        yield _finding(
            Level.PROBLEM,
            str(target),
            f"{len(absent)} of {len(counts)} ready pods have no series: {_named(absent)}",
            "let the PodMonitor select them; check namespace_label and pod_label (exported_pod?)",
        )
    if doubled:
        yield _doubled(metrics, target, doubled, len(counts))
    if not absent and not doubled:
        yield _finding(Level.OK, str(target), f"one series for each of {len(counts)} ready pods")


def _doubled(metrics: Metrics, target: Target, pods: list[str], ready: int) -> Finding:
    """By two targets, or by one that two replicas of Prometheus keep."""
    told = f"{len(pods)} of {ready} ready pods have each series several times: {_named(pods)}"
    targets = metrics.scraped_as.get((target.key.namespace, pods[0]), ())
    if len(targets) > 1:
        return _finding(
            Level.PROBLEM,
            str(target),
            f"{told}. The targets {', '.join(targets[:PODS_NAMED])} give {pods[0]}, which counts its load "
            f"{len(targets)} times",
            "scrape each pod once: drop one of ServiceMonitor and PodMonitor",
        )
    return _finding(
        Level.PROBLEM,
        str(target),
        f"{told}, of one target: a label tells them apart, as that of two replicas of Prometheus does",
        "deduplicate in the store, or name one replica in prometheus.matchers",
    )


def _named(pods: list[str]) -> str:
    more = f" and {len(pods) - PODS_NAMED} more" if len(pods) > PODS_NAMED else ""
    return f"{', '.join(pods[:PODS_NAMED])}{more}"
