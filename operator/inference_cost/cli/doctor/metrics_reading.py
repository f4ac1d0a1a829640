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
LOOK_STEP_SECONDS: Final = 5.0
ENOUGH: Final = 5  # samples, to tell how far apart they are
RUNS: Final = "inference_cost_build_info"
OF_A_POLICY: Final = "inference_cost_policy_info"
PUSHED_ASIDE: Final = 'exported_namespace!=""'


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
    spacing = prometheus.at(_spacing(success), now)
    # A label that comes and goes with the load does not make two series of one.
    series = prometheus.at(
        f"count by ({pod}, model, version) (sum without (gpu_uuid) ({success}))", now
    )
    scraped = prometheus.at(f"count by ({pod}, job, instance) ({success})", now)
    ages = prometheus.at(f"time() - timestamp({RUNS}{{{more}}})", now)
    renamed = f"{OF_A_POLICY}{{{', '.join(filter(None, (PUSHED_ASIDE, more)))}}}"
    return Metrics(
        url=settings.url,
        families=frozenset(str(one["metric"].get("__name__", "")) for one in families),
        scrape_seconds=min((float(one["value"][1]) for one in spacing), default=None),
        series=_by_pod(series, settings.namespace_label, settings.pod_label),
        scraped_as=_scraped_as(scraped, settings.namespace_label, settings.pod_label),
        operator_ages=tuple(float(one["value"][1]) for one in ages),
        renamed=len(prometheus.at(renamed, now)),
    )


def _spacing(series: str) -> str:
    """Seconds from one sample of a series to the next, on average; of the pod that is scraped most often."""
    times = f"timestamp({series})[{LOOK_BACK_SECONDS:.0f}s:{LOOK_STEP_SECONDS:.0f}s]"
    counted = f"count_over_time({series}[{LOOK_BACK_SECONDS:.0f}s])"
    return f"min((max_over_time({times}) - min_over_time({times})) / (({counted} >= {ENOUGH}) - 1))"


def _by_pod(
    series: Iterable[Mapping[str, Any]], namespace_label: str, pod_label: str
) -> dict[PodName, int]:
    found: dict[PodName, int] = {}
    for one in series:
        labels = one["metric"]
        name = (labels.get(namespace_label, ""), labels.get(pod_label, ""))
        found[name] = max(found.get(name, 0), int(float(one["value"][1])))
    return found


def _scraped_as(
    series: Iterable[Mapping[str, Any]], namespace_label: str, pod_label: str
) -> dict[PodName, tuple[str, ...]]:
    """By pod, the targets that have it, as job and instance."""
    found: dict[PodName, list[str]] = {}
    for one in series:
        labels = one["metric"]
        name = (labels.get(namespace_label, ""), labels.get(pod_label, ""))
        target = f"{labels.get('job', '')} at {labels.get('instance', '')}"
        found.setdefault(name, []).append(target)
    return {name: tuple(sorted(targets)) for name, targets in found.items()}
