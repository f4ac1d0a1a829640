"""From the series of a tick to the `Signals` of one policy, or to the reason why there are none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from inference_cost.model.reading import Missing, MissingReason, Reading
from inference_cost.model.signals import GatewaySignals, ModelWindow, PodSignals, Signals
from inference_cost.observe import queries as q
from inference_cost.observe.counters import AmbiguousSeriesError, PodSeries, model_window
from inference_cost.observe.gpu import gpu_utilization
from inference_cost.observe.records import PodRecord
from inference_cost.observe.tick_series import TickSeries

LEAST_REPORTING_FRACTION = 0.5
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose signals are wanted: the pods of all of a policy's targets, and its models (empty: all seen)."""

    namespace: str
    pods: Sequence[PodRecord]
    models: tuple[str, ...]
    now: float


def build_signals(
    tick: TickSeries, subject: Subject, gateway: GatewaySignals | Missing
) -> Signals | Missing:
    """A pod counts when it has two fresh samples; of the ready pods that had time to, half must count."""
    ready = [p for p in subject.pods if p.ready_at is not None and not p.terminating]
    if tick.failure is not None:
        return tick.failure
    if not ready:
        return _gateway_alone(tick, gateway)
    readings = {p.name: _pod_signals(tick, subject, p) for p in subject.pods}
    found = {name: r for name, r in readings.items() if isinstance(r, PodSignals)}
    due = [p for p in ready if _had_time(tick, p, subject.now)]
    reporting = [p for p in due if p.name in found]
    ambiguous = _first(readings.values(), MissingReason.AMBIGUOUS)
    if ambiguous is not None:
        return ambiguous
    if not any(p.name in found for p in ready):
        return _why_nothing(tick, subject, [readings[p.name] for p in ready], due)
    if len(reporting) < LEAST_REPORTING_FRACTION * len(due):
        return _too_few(reporting, due)
    return Signals(
        sampled_at=_newest(tick, subject, found),
        scrape_interval_seconds=tick.interval_seconds,
        pods=tuple(found.values()),
        gateway=gateway,
        partial=tick.partial or len(reporting) < len(due),
        silent_pods=_silent(reporting, due),
        source_partial=tick.partial,
    )


def _gateway_alone(tick: TickSeries, gateway: GatewaySignals | Missing) -> Signals | Missing:
    """Without a ready pod a gateway still counts who asks, up to the time of its answer."""
    if isinstance(gateway, Missing):
        return Missing(reason=MissingReason.NO_READY_PODS, detail="no pod of the target is ready")
    return Signals(
        sampled_at=tick.at - tick.clock_offset_seconds,
        scrape_interval_seconds=tick.interval_seconds,
        pods=(),
        gateway=gateway,
        partial=tick.partial,
        source_partial=tick.partial,
    )


def _had_time(tick: TickSeries, pod: PodRecord, now: float) -> bool:
    """Ready for a full window: its absence then means something. A new pod is not expected to report."""
    return pod.ready_at is not None and now - pod.ready_at >= tick.window_seconds


def _pod_signals(tick: TickSeries, subject: Subject, pod: PodRecord) -> PodSignals | Missing:
    series = tick.pods.get((subject.namespace, pod.name))
    if series is None:
        return Missing(reason=MissingReason.EMPTY_RESULT, detail=f"no series for pod {pod.name}")
    if not series.last_at:
        return Missing(reason=MissingReason.NOT_FINITE, detail=f"no finite value from {pod.name}")
    age = tick.at - series.last_at
    if age > tick.stale_after_seconds:
        return Missing(
            reason=MissingReason.STALE, detail=f"newest sample of {pod.name} is {age:.0f} s old"
        )
    windows = _windows(tick, subject, series)
    if isinstance(windows, Missing):
        return windows
    others = _others(tick, subject, series)
    busy = any(w.compute_seconds > 0 for w in (*windows, *others))
    return PodSignals(
        pod=pod.name,
        models=windows,
        gpu_utilization=_gpu(tick, subject, pod, busy=busy),
        others=others,
    )


def _windows(
    tick: TickSeries, subject: Subject, series: PodSeries
) -> tuple[ModelWindow, ...] | Missing:
    wanted = {m: f for m, f in series.by_model.items() if not subject.models or m in subject.models}
    if not wanted:
        return _not_loaded(subject.models, series.by_model)
    try:
        results = [
            model_window(m, f, clock_offset_seconds=tick.clock_offset_seconds)
            for m, f in sorted(wanted.items())
        ]
    except AmbiguousSeriesError as error:
        return Missing(
            reason=MissingReason.AMBIGUOUS,
            detail=f"several series per pod and model, which differ in the label {error}; "
            "set prometheus.matchers to this cluster's",
        )
    windows = tuple(r for r in results if isinstance(r, ModelWindow))
    return windows or next(r for r in results if isinstance(r, Missing))


def _others(tick: TickSeries, subject: Subject, series: PodSeries) -> tuple[ModelWindow, ...]:
    """Models that the policy does not name take their time on the same GPU."""
    if not subject.models:
        return ()
    results = [
        model_window(m, f, clock_offset_seconds=tick.clock_offset_seconds)
        for m, f in sorted(series.by_model.items())
        if m not in subject.models
    ]
    return tuple(r for r in results if isinstance(r, ModelWindow) and r.requests > 0)


def _gpu(tick: TickSeries, subject: Subject, pod: PodRecord, *, busy: bool) -> Reading[float]:
    if tick.gpu_failure is not None:
        return tick.gpu_failure
    many = tick.gpus.get((subject.namespace, pod.name), [])
    return gpu_utilization(many, clock_offset_seconds=tick.clock_offset_seconds, busy=busy)


def _not_loaded(wanted: tuple[str, ...], there: Mapping[str, object]) -> Missing:
    return Missing(
        reason=MissingReason.MODEL_NOT_LOADED,
        detail=f"spec.serving.models: {', '.join(wanted)} not loaded; loaded: "
        f"{_some(there) or 'none'}",
    )


def _newest(tick: TickSeries, subject: Subject, found: Mapping[str, PodSignals]) -> float:
    newest = max(tick.pods[subject.namespace, name].last_at for name in found)
    return newest - tick.clock_offset_seconds


def _first(readings: Iterable[PodSignals | Missing], reason: MissingReason) -> Missing | None:
    return next((r for r in readings if isinstance(r, Missing) and r.reason is reason), None)


def _silent(reporting: Sequence[PodRecord], due: Sequence[PodRecord]) -> tuple[str, ...]:
    return tuple(sorted({p.name for p in due} - {p.name for p in reporting}))


def _too_few(reporting: Sequence[PodRecord], due: Sequence[PodRecord]) -> Missing:
    silent = _silent(reporting, due)
    return Missing(
        reason=MissingReason.PARTIAL,
        detail=f"{len(reporting)} of {len(due)} ready pods report; silent: {_some(silent)}",
    )


def _why_nothing(
    tick: TickSeries,
    subject: Subject,
    readings: Sequence[PodSignals | Missing],
    due: Sequence[PodRecord],
) -> Missing:
    """The most telling reason among those of the ready pods."""
    reasons = [r for r in readings if isinstance(r, Missing)]
    telling = [r for r in reasons if r.reason is not MissingReason.EMPTY_RESULT]
    if telling:
        return telling[0]
    if not due:
        return Missing(
            reason=MissingReason.WARMING_UP,
            detail=f"ready for less than the window of {tick.window_seconds:g} s, no sample yet",
        )
    return Missing(reason=MissingReason.EMPTY_RESULT, detail=_empty_detail(tick, subject, due))


def _empty_detail(tick: TickSeries, subject: Subject, due: Sequence[PodRecord]) -> str:
    """What was looked for, what is there instead, and what to do."""
    tried = f'{q.SUCCESS}{{namespace="{subject.namespace}", pod="{due[0].name}"}}'
    tried += f" and {len(due) - 1} more pods" if len(due) > 1 else ""
    seen = tick.seen
    if not seen.triton_series:
        there = "the store has no Triton series at all: is port 8002 of the pods scraped?"
    elif seen.pods.get(subject.namespace):
        pods = _some(seen.pods[subject.namespace])
        there = f"in this namespace there are series for {pods}: are these pods scraped?"
    else:
        labels = ", ".join(sorted(seen.label_names - {"__name__"}))
        there = (
            f"Triton series have the labels {labels}: check prometheus.namespace_label, pod_label "
            "and matchers"
        )
    return f"no series for {tried}; {there}"


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMES_SHOWN} more" if len(ordered) > _NAMES_SHOWN else ""
    return ", ".join(ordered[:_NAMES_SHOWN]) + more
