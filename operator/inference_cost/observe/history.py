"""What the demand of workloads was in the past, as far as the metrics store remembers it.

One query tells of all workloads, for no tenant's string may enter it; their pods are summed on the server, by the
name that they share, or a day with many short-lived pods would be a long answer. Completions and failures are
demand: what was shed or waited in a queue is not told.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inference_cost.model.observation import DecisionSettings, PolicyObservation
from inference_cost.model.reading import Missing, MissingReason
from inference_cost.model.workload import Workload
from inference_cost.observe.pod_names import NUMBERED, TEMPLATED, Owner, owner_of
from inference_cost.observe.prometheus_client import Answer
from inference_cost.observe.queries import FAILURE, SUCCESS
from inference_cost.observe.settings import PrometheusSettings

Floats = NDArray[np.float64]

_LARGEST = 1e9  # requests/s; beyond is an error
_EDGE_SECONDS = 1.0  # scrapes are not exact
# A pod and model may have several series; those who scraped it may not count twice.
_PARTS = ("model", "version", "gpu_uuid", "reason")
_TEMPLATED_LABEL, _NUMBERED_LABEL = "workload_of_template", "workload_of_number"


class RangeReader(Protocol):
    async def query_range(
        self, promql: str, *, start: float, end: float, step_seconds: float
    ) -> Answer | Missing:
        """A range query. Never raises for the source's faults."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Every `step_seconds` from `start` to `end`, both included; in the source's own time."""

    start: float
    end: float
    step_seconds: float

    @property
    def times(self) -> Floats:
        steps = math.floor((self.end - self.start) / self.step_seconds + 1e-6)
        times: Floats = self.start + self.step_seconds * np.arange(steps + 1.0)
        return times


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraping:
    """How counters are sampled: the scrape interval, and the window that surely holds several samples."""

    interval_seconds: float
    window_seconds: float

    @property
    def lag_seconds(self) -> float:
        """A window longer than usual is there for a store that tells late: what is newer may be told in part."""
        return max(self.window_seconds - DecisionSettings().rate_window_seconds, 0.0)


@dataclass(frozen=True, slots=True)
class Whose:
    """A policy's part of the answers: the workloads that its pods are of, and its models (empty: all)."""

    namespace: str
    owners: frozenset[Owner]
    models: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDemand:
    """Requests per second in the step that ends at each time. Times of which nothing is known are left out."""

    times: Floats
    per_second: Floats


def whose(observation: PolicyObservation) -> Whose | None:
    """None where the pods' names do not tell what they belong to."""
    workloads = [one for one in observation.workloads if isinstance(one, Workload)]
    owners = {owner_of(w.target.kind, pod.name) for w in workloads for pod in w.pods}
    known = frozenset(owner for owner in owners if owner is not None)
    if not workloads or len(known) != len(owners) or len(known) > len(workloads) or not known:
        return None
    policy = observation.policy
    return Whose(policy.key.namespace, known, frozenset(policy.models))


def build_query(
    family: str, prometheus: PrometheusSettings, scraping: Scraping, step_seconds: float
) -> str:
    """Requests/s by namespace, workload and model.

    Over one step and one scrape, so that a step's rate is its own; over the window where a scrape was missed.
    """
    namespace, pod = prometheus.namespace_label, prometheus.pod_label
    matchers = prometheus.matchers.strip(" ,")
    short = step_seconds + scraping.interval_seconds + _EDGE_SECONDS
    rates = [
        f"rate({family}{{{matchers}}}[{round(1000 * seconds)}ms])"
        for seconds in (short, max(scraping.window_seconds, short))
    ]
    parts = ", ".join((namespace, pod, *_PARTS))
    one_each = f"max by ({parts}) ({rates[0]} or {rates[1]})"
    named = f'label_replace({one_each}, "{_TEMPLATED_LABEL}", "$1", "{pod}", "{TEMPLATED}")'
    named = f'label_replace({named}, "{_NUMBERED_LABEL}", "$1", "{pod}", "{NUMBERED}")'
    return f"sum by ({namespace}, {_TEMPLATED_LABEL}, {_NUMBERED_LABEL}, model) ({named})"


async def read_past(
    reader: RangeReader,
    prometheus: PrometheusSettings,
    scraping: Scraping,
    span: Span,
) -> "Past | Missing":
    """All workloads' demand in a span. A partial answer is none: it would pass for less demand."""
    answers = []
    for family in (SUCCESS, FAILURE):
        query = build_query(family, prometheus, scraping, span.step_seconds)
        answer = await reader.query_range(
            query, start=span.start, end=span.end, step_seconds=span.step_seconds
        )
        if isinstance(answer, Missing):
            return answer
        if answer.partial:
            return Missing(reason=MissingReason.PARTIAL, detail="Prometheus: a partial answer")
        answers.append(answer.result)
    return Past(span, answers[0], answers[1], prometheus.namespace_label)


class Past:
    """The answers of one span."""

    def __init__(
        self,
        span: Span,
        successes: Iterable[Mapping[str, Any]],
        failures: Iterable[Mapping[str, Any]],
        namespace_label: str,
    ) -> None:
        self._span = span
        self._namespace_label = namespace_label
        self._successes, self._failures = (
            _by_namespace(e, namespace_label) for e in (successes, failures)
        )

    def of(self, who: Whose) -> PastDemand:
        """Successes are exported from a pod's first scrape on: where there are none nothing is known."""
        asked, failed = (
            self._sum(entries.get(who.namespace, ()), who)
            for entries in (self._successes, self._failures)
        )
        known = ~np.isnan(asked)
        total = asked + np.nan_to_num(failed)
        return PastDemand(times=self._span.times[known], per_second=total[known])

    def _sum(self, entries: Iterable[Mapping[str, Any]], who: Whose) -> Floats:
        """NaN where nothing is known."""
        total = np.full(len(self._span.times), np.nan)
        for entry in entries:
            if _belongs(entry["metric"], who):
                values = self._values(entry.get("values") or ())
                total = np.where(np.isnan(values), total, np.nan_to_num(total) + values)
        return total

    def _values(self, samples: Iterable[Any]) -> Floats:
        span, values = self._span, np.full(len(self._span.times), np.nan)
        for at, text in samples:
            place, value = round((float(at) - span.start) / span.step_seconds), _number(text)
            if 0 <= place < len(values) and 0 <= value <= _LARGEST:
                values[place] = value
        return values


def _by_namespace(
    entries: Iterable[Mapping[str, Any]], label: str
) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["metric"].get(label, ""), []).append(entry)
    return found


def _belongs(labels: Mapping[str, str], who: Whose) -> bool:
    if who.models and labels.get("model", "") not in who.models:
        return False
    return any(
        labels.get(_NUMBERED_LABEL if owner.numbered else _TEMPLATED_LABEL) == owner.name
        for owner in who.owners
    )


def _number(text: Any) -> float:
    """NaN for what is none: it compares as False."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return math.nan
