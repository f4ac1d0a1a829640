"""What a Prometheus has of Triton now."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from inference_cost.cli.doctor.facts import Metrics
from inference_cost.cli.failure import CommandError
from inference_cost.cli.listing import Unread
from inference_cost.cli.scan.source import Source
from inference_cost.cli.scan.workloads import PodName
from inference_cost.observe.queries import SUCCESS

FAMILIES: Final = "nv_inference_.+|nv_gpu_utilization"
LOOK_BACK_SECONDS: Final = 600.0


def read_metrics(source: Source | Unread) -> Metrics | Unread:
    if isinstance(source, Unread):
        return source
    try:
        return _read(source)
    except CommandError as error:
        return Unread(what="traffic", why=str(error), fix="see the message")


def _read(source: Source) -> Metrics:
    prometheus, now = source.prometheus, time.time()
    settings = prometheus.settings
    more = settings.matchers.strip(" ,")
    named = ", ".join(filter(None, (f'__name__=~"{FAMILIES}"', more)))
    success = f"{SUCCESS}{{{more}}}"
    pod = f"{settings.namespace_label}, {settings.pod_label}"
    families = prometheus.at(f"count by (__name__) ({{{named}}})", now)
    samples = prometheus.at(f"max(count_over_time({success}[{LOOK_BACK_SECONDS:.0f}s]))", now)
    # A label that comes and goes with the load does not make two series of one.
    series = prometheus.at(
        f"count by ({pod}, model, version) (sum without (gpu_uuid) ({success}))", now
    )
    return Metrics(
        url=settings.url,
        families=frozenset(str(one["metric"].get("__name__", "")) for one in families),
        scrape_seconds=_interval(samples),
        series=_by_pod(series, settings.namespace_label, settings.pod_label),
    )


def _interval(samples: Iterable[Mapping[str, Any]]) -> float | None:
    """From the pod that is longest there."""
    counts = [float(one["value"][1]) for one in samples]
    return LOOK_BACK_SECONDS / counts[0] if counts and counts[0] > 1 else None


def _by_pod(
    series: Iterable[Mapping[str, Any]], namespace_label: str, pod_label: str
) -> dict[PodName, int]:
    found: dict[PodName, int] = {}
    for one in series:
        labels = one["metric"]
        name = (labels.get(namespace_label, ""), labels.get(pod_label, ""))
        found[name] = max(found.get(name, 0), int(float(one["value"][1])))
    return found
