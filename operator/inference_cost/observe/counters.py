"""Triton's counters of one window, per pod and model, from raw series.

Judged here: restarts, the `gpu_uuid` label that comes and goes with the way a model was loaded, pods scraped
twice, two clusters in one store, values that are no numbers. What is extrapolated: nothing; an increase goes from
the first to the last sample, and its duration is the distance of the two.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, isnan

from inference_cost.model.profile_key import SEVERAL, UNKNOWN
from inference_cost.model.reading import Missing, MissingReason, Reading, Sample
from inference_cost.model.signals import LatencyHistogram, LatestGap, ModelWindow
from inference_cost.observe import queries as q
from inference_cost.observe.series import Samples, Series, increase

# Labels of which one pod and model may rightly have several values.
_PARTS = frozenset({"version", "gpu_uuid", "reason", "exported_namespace", "le", "quantile"})
# Labels that tell who scraped, not what was scraped.
_SCRAPE_LABELS = frozenset(
    {
        *("job", "endpoint", "container", "service", "metrics_path", "monitor"),
        *("prometheus", "prometheus_replica", "__replica__", "replica", "receive_replica"),
    }
)
_MICROSECONDS = 1e-6
_MILLISECONDS = 1e-3
_ENOUGH_SAMPLES = 2
_ONE_SAMPLE = (
    "one sample in the window, which should hold four scrapes (decision.rate_window_seconds)"
)


class AmbiguousSeriesError(Exception):
    """Several series where one is expected; the message names the labels in which they differ."""


@dataclass(slots=True)
class PodSeries:
    """All series of one pod, by model and family."""

    by_model: dict[str, dict[str, list[Series]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(self, series: Series) -> None:
        self.by_model[series.labels.get("model", "")][series.name].append(series)

    @property
    def last_at(self) -> float:
        """Time of the newest sample of any counter; 0 when there is none."""
        return max((s.last_at for s in self._all() if s.samples), default=0.0)

    @property
    def dropped(self) -> int:
        return sum(s.dropped for s in self._all())

    def _all(self) -> Iterable[Series]:
        return (
            s for families in self.by_model.values() for many in families.values() for s in many
        )


def model_window(
    model: str, families: Mapping[str, list[Series]], *, clock_offset_seconds: float = 0.0
) -> ModelWindow | Missing:
    """The window of one model on one pod.

    Raises:
        AmbiguousSeriesError: the series cannot all belong to this pod.
    """
    clean = {name: without_duplicates(many) for name, many in families.items()}
    absent = missing_family(clean)
    if absent is not None:
        return absent
    counted = [s for s in clean[q.SUCCESS] if len(s.samples) >= _ENOUGH_SAMPLES]
    if not counted:
        return Missing(reason=MissingReason.WARMING_UP, detail=_ONE_SAMPLE)
    seconds = max(s.last_at for s in counted) - min(s.first_at for s in counted)
    pending = clean.get(q.PENDING, [])
    return ModelWindow(
        model=model,
        seconds=seconds,
        requests=_total(clean, q.SUCCESS),
        failures=_total(clean, q.FAILURE),
        inferences=_total(clean, q.INFERENCES),
        executions=_total(clean, q.EXECUTIONS),
        request_seconds=_total(clean, q.REQUEST_MICROSECONDS) * _MICROSECONDS,
        queue_seconds=_total(clean, q.QUEUE_MICROSECONDS) * _MICROSECONDS,
        compute_seconds=_total(clean, *q.COMPUTE_MICROSECONDS) * _MICROSECONDS,
        pending=_gauge(pending, clock_offset_seconds),
        pending_change=_gauge_change(pending, clock_offset_seconds),
        latest=_latest(
            counted, [*counted, *clean.get(q.FAILURE, [])], pending, clock_offset_seconds
        ),
        version=_version(counted),
        latency=_histogram(clean.get(q.RESPONSE_BUCKET, [])),
        quantiles=_quantiles(
            clean.get(q.REQUEST_SUMMARY, []), max(series.last_at for series in counted)
        ),
        tokens=_tokens(clean),
    )


def _version(successes: list[Series]) -> str | Missing:
    """Of those that answered, or of all that are loaded where none did."""
    answered = [s for s in successes if increase(s.samples) > 0] or successes
    found = {version for s in answered if (version := s.labels.get("version"))}
    if len(found) > 1:
        return SEVERAL
    return found.pop() if found else UNKNOWN


def _tokens(families: Mapping[str, list[Series]]) -> float | Missing:
    if not any(families.get(name) for name in q.TOKENS):
        return Missing(reason=MissingReason.NOT_EXPORTED, detail=", ".join(q.TOKENS))
    return _total(families, *q.TOKENS)


def _histogram(buckets: list[Series]) -> LatencyHistogram | Missing:
    """Of all versions together."""
    counts: defaultdict[float, float] = defaultdict(float)
    for series in buckets:
        bound = _number(series.labels.get("le", ""))
        if bound is not None:
            counts[bound * _MILLISECONDS] += increase(series.samples)
    if inf not in counts:
        return Missing(reason=MissingReason.NOT_EXPORTED, detail=q.RESPONSE_BUCKET)
    bounds = tuple(sorted(counts))
    return LatencyHistogram(bounds_seconds=bounds, cumulative=tuple(counts[b] for b in bounds))


def _quantiles(summaries: list[Series], newest: float) -> tuple[tuple[float, float], ...]:
    """(quantile, seconds) as of the newest scrape; of several versions the slowest. Idle ones are not numbers."""
    found: dict[float, float] = {}
    for series in summaries:
        quantile = _number(series.labels.get("quantile", ""))
        if quantile is not None and series.last_at >= newest:
            seconds = series.last_value * _MICROSECONDS
            found[quantile] = max(seconds, found.get(quantile, 0.0))
    return tuple(sorted(found.items()))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if isnan(value) else value


def _latest(
    successes: list[Series],
    counters: list[Series],
    pending: list[Series],
    clock_offset_seconds: float,
) -> LatestGap | Missing:
    """All counters of a pod come with the same scrapes."""
    newest = max(s.last_at for s in successes)
    before = max(s.samples[-2][0] for s in successes if s.last_at == newest)
    return LatestGap(
        at=newest - clock_offset_seconds,
        seconds=newest - before,
        requests=sum(increase(_between(s, before, newest)) for s in counters),
        pending_change=sum(_growth(_between(s, before, newest)) for s in pending),
    )


def _between(series: Series, start: float, end: float) -> Samples:
    return tuple(sample for sample in series.samples[-2:] if start <= sample[0] <= end)


def _growth(samples: Samples) -> float:
    return samples[-1][1] - samples[0][1] if samples else 0.0


def missing_family(families: Mapping[str, list[Series]]) -> Missing | None:
    """A counter that this Triton does not have, though it has others; failures may be absent when old."""
    needed = (
        *(q.SUCCESS, q.INFERENCES, q.EXECUTIONS, q.REQUEST_MICROSECONDS, q.QUEUE_MICROSECONDS),
        *q.COMPUTE_MICROSECONDS,
    )
    absent = [name for name in needed if not families.get(name)]
    if not absent:
        return None
    there = ", ".join(sorted(name for name, many in families.items() if many))
    return Missing(
        reason=MissingReason.NOT_EXPORTED,
        detail=f"{', '.join(absent)} absent, {there or 'nothing else'} present",
    )


def without_duplicates(many: list[Series]) -> list[Series]:
    """One series per part (version, GPU, reason) and stretch of time.

    A pod scraped by two jobs gives two equal series: the one with more samples stays. A pod that came back under
    its old name gives one after the other: both stay. Two at once that differ in more than the scraper are two pods.
    """
    kept: list[Series] = []
    for series in sorted(many, key=lambda s: (-len(s.samples), sorted(s.labels.items()))):
        if not series.samples:
            continue
        twin = next((k for k in kept if _same_part(k, series) and _overlap(k, series)), None)
        if twin is None:
            kept.append(series)
            continue
        differing = sorted(_differing(twin, series) - _SCRAPE_LABELS)
        if differing:
            raise AmbiguousSeriesError(", ".join(differing))
    return kept


def _same_part(one: Series, other: Series) -> bool:
    return all(one.labels.get(k) == other.labels.get(k) for k in _PARTS)


def _overlap(one: Series, other: Series) -> bool:
    return max(one.first_at, other.first_at) <= min(one.last_at, other.last_at)


def _differing(one: Series, other: Series) -> set[str]:
    keys = one.labels.keys() | other.labels.keys()
    return {k for k in keys if one.labels.get(k) != other.labels.get(k)}


def _total(families: Mapping[str, list[Series]], *names: str) -> float:
    return sum(increase(s.samples) for name in names for s in families.get(name, ()))


def _gauge(many: list[Series], clock_offset_seconds: float) -> Reading[float]:
    if not many:
        return Missing(reason=MissingReason.NOT_EXPORTED, detail=q.PENDING)
    newest = max(s.last_at for s in many)
    value = sum(s.last_value for s in many if s.last_at == newest)
    return Sample(value=value, at=newest - clock_offset_seconds)


def _gauge_change(many: list[Series], clock_offset_seconds: float) -> Reading[float]:
    """End minus start of the window; a model whose series began later started from nothing pending."""
    end = _gauge(many, clock_offset_seconds)
    if isinstance(end, Missing):
        return end
    oldest = min(s.first_at for s in many)
    start = sum(s.samples[0][1] for s in many if s.first_at == oldest)
    return Sample(value=end.value - start, at=end.at)
