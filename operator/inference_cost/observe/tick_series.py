"""All series of one tick, sorted by the pod they speak of: made once, used by every policy."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from inference_cost.model.observation import stale_after_seconds
from inference_cost.model.reading import Missing
from inference_cost.observe import queries as q
from inference_cost.observe.counters import PodSeries
from inference_cost.observe.gpu import gpu_series_by_pod
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.queries import TickAnswers
from inference_cost.observe.series import Series, parse_series, typical_interval_seconds

PodKey = tuple[str, str]  # (namespace, pod)
_SERIES_TO_MEASURE_BY = 200
_NAMES_KEPT = 5


@dataclass(slots=True)
class Seen:
    """What the store has, for messages about what it lacks."""

    triton_series: int = 0
    label_names: set[str] = field(default_factory=set)
    pods: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by namespace

    def note(self, labels: Mapping[str, str], namespace: str, pod: str) -> None:
        self.triton_series += 1
        self.label_names.update(labels)
        names = self.pods[namespace]
        if pod and len(names) < _NAMES_KEPT:
            names.add(pod)


@dataclass(frozen=True, slots=True, kw_only=True)
class TickSeries:
    """Series of the pods we care about. `failure`: why a query that every policy needs has no answer."""

    at: float
    clock_offset_seconds: float
    window_seconds: float
    interval_seconds: float  # between scrapes, as measured; 0 when it cannot be told
    pods: Mapping[PodKey, PodSeries]
    gpus: Mapping[PodKey, list[Series]]
    seen: Seen
    partial: bool
    failure: Missing | None = None
    gpu_failure: Missing | None = None

    @property
    def stale_after_seconds(self) -> float:
        """A pod's newest sample may be no older; the whole window where scrapes cannot be told apart."""
        if not self.interval_seconds:
            return self.window_seconds
        return stale_after_seconds(self.window_seconds, self.interval_seconds)


def sort_series(
    answers: TickAnswers, wanted: Container[PodKey], *, namespace_label: str, pod_label: str
) -> TickSeries:
    """Parse what belongs to `wanted` pods and only look at the labels of the rest."""
    pods: dict[PodKey, PodSeries] = defaultdict(PodSeries)
    seen = Seen()
    for entry in _entries(answers, ("requests", "executions", "durations", "pending")):
        labels = entry.get("metric") or {}
        key = (labels.get(namespace_label, ""), labels.get(pod_label, ""))
        seen.note(labels, *key)
        if key in wanted:
            pods[key].add(parse_series(entry))
    gpus = gpu_series_by_pod(
        map(parse_series, _entries(answers, ("gpu",))),
        namespace_label=namespace_label,
        pod_label=pod_label,
    )
    return TickSeries(
        at=answers.at,
        clock_offset_seconds=answers.clock_offset_seconds,
        window_seconds=answers.window_seconds,
        interval_seconds=_interval(pods.values()),
        pods=dict(pods),
        gpus={k: many for k, many in gpus.items() if k in wanted},
        seen=seen,
        partial=answers.partial,
        failure=_first_failure(answers, q.REQUIRED_QUERIES),
        gpu_failure=_first_failure(answers, ("gpu",)),
    )


def _entries(answers: TickAnswers, names: Iterable[str]) -> Iterable[Mapping[str, Any]]:
    for name in names:
        answer = answers.get(name)
        if isinstance(answer, Answer):
            yield from answer.result


def _first_failure(answers: TickAnswers, names: Iterable[str]) -> Missing | None:
    return next((a for a in map(answers.get, names) if isinstance(a, Missing)), None)


def _interval(pods: Iterable[PodSeries]) -> float:
    successes = (
        series
        for pod in pods
        for families in pod.by_model.values()
        for series in families.get(q.SUCCESS, ())
    )
    return typical_interval_seconds(islice(successes, _SERIES_TO_MEASURE_BY)) or 0.0
