"""What the signals of one policy amount to: cleaned, summed over pods, with what is missing named.

A value that is not finite or is negative makes that pod's window missing, never zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from inference_cost.decide.gaps import Gaps, extended, mean
from inference_cost.model.reading import Missing, MissingReason, Reading, Sample
from inference_cost.model.signals import GatewaySignals, LatestGap, ModelWindow, Signals
from inference_cost.model.workload import Pod

LARGEST_VALUE = 1e15  # above it an input is an error, and sums could overflow
SHORT_WINDOW = 0.7  # a shorter window is a pod that just started: its rate says little about before
NEGLIGIBLE = 0.01  # of the execution time: another model that is as good as not there
FEW_REQUESTS = 20.0  # in a window
ENOUGH_PODS = 0.5  # fewer reporting than this share of the ready pods: the sum is not usable


@dataclass(frozen=True, slots=True, kw_only=True)
class PodTraffic:
    """One ready pod with a usable window. `settled`: ready for longer than the window looks back.

    `slow`: it takes clearly longer per batch than its siblings (decide/replica/slow_pods.py).
    """

    pod: Pod
    windows: tuple[ModelWindow, ...]
    settled: bool
    gpu_utilization: float | None
    slow: bool = False
    others: tuple[ModelWindow, ...] = ()  # of models that the policy does not name

    @property
    def all_windows(self) -> tuple[ModelWindow, ...]:
        return (*self.windows, *self.others)


class Totals(NamedTuple):
    """Of some windows."""

    requests: float
    inferences: float
    executions: float
    compute_seconds: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests per second over all pods. `waiting`: requests in Triton's queues now."""

    pods: tuple[PodTraffic, ...]
    seconds: float  # width of the widest window
    completed: float
    failed: float
    growing: float  # pending requests per second, signed
    latest: float  # arrivals between the newest two scrapes, pods that do not report yet taken as the others
    waiting: float
    mean_seconds: float  # per request, in the server; of the slowest of several models
    mean_queue_seconds: float
    coverage: float  # reporting ready pods ÷ ready pods
    partial: bool
    served: frozenset[str]  # models that are asked, but for those that take next to no time
    pending_known: bool
    gateway_rate: float | None
    gateway_errors: float | None
    gateway_answered: float | None  # not with 5xx
    gateway_seconds: float
    settled: bool  # all pods are
    offered: float  # arrivals over the window, as the servers count them that are there now
    gaps: Gaps = ()
    evened: float | None = (
        None  # arrivals over the window, of all pods that were there (decide/gaps.py)
    )


def usable(value: float) -> bool:
    """Comparisons with NaN are False."""
    return 0 <= value <= LARGEST_VALUE


def totals(windows: Iterable[ModelWindow]) -> Totals:
    requests = inferences = executions = compute = seconds = 0.0
    for window in windows:
        requests += window.requests
        inferences += window.inferences
        executions += window.executions
        compute += window.compute_seconds
        seconds += window.seconds
    return Totals(requests, inferences, executions, compute, seconds)


def traffic(
    signals: Signals | Missing,
    pods: Iterable[Pod],
    at: float,
    window_seconds: float,
    gaps: Gaps = (),
) -> Traffic | Missing:
    """Sum the pods that serve now; Missing when too little is known to act on."""
    if isinstance(signals, Missing):
        return signals
    problem = _stale(signals, at, window_seconds)
    if problem is not None:
        return problem
    ready = {pod.name: pod for pod in pods if pod.ready}
    if not ready:
        return Missing(reason=MissingReason.NO_READY_PODS)
    back = window_seconds + signals.scrape_interval_seconds
    settled = {
        name
        for name, pod in ready.items()
        if pod.ready_at is not None and at - pod.ready_at >= back
    }
    reporting = _reporting(signals, ready, settled)
    # Pods that have just become ready are not expected to report yet.
    if not reporting or len(reporting) < ENOUGH_PODS * len(settled):
        detail = f"{len(reporting)} of {len(ready)} ready pods report usable metrics"
        return Missing(reason=MissingReason.PARTIAL, detail=detail)
    silent = ready.keys() - {seen.pod.name for seen in reporting}
    since = [ready[name].ready_at or at for name in sorted(silent)]
    partial = signals.partial or len(reporting) < len(settled)
    coverage = (len(ready) - len(silent)) / len(ready)
    return _sum(reporting, signals, coverage, since, gaps, partial=partial)


def _stale(signals: Signals, at: float, window_seconds: float) -> Missing | None:
    scrape = signals.scrape_interval_seconds
    if not (isfinite(signals.sampled_at) and usable(scrape)):
        return Missing(reason=MissingReason.NOT_FINITE, detail="time of the newest sample")
    age = at - signals.sampled_at
    if age > max(window_seconds, 3 * scrape):
        return Missing(reason=MissingReason.STALE, detail=f"newest sample is {age:.0f} s old")
    return None


def _reporting(
    signals: Signals, ready: Mapping[str, Pod], settled: set[str]
) -> tuple[PodTraffic, ...]:
    return tuple(
        PodTraffic(
            pod=ready[seen.pod],
            windows=windows,
            settled=seen.pod in settled,
            gpu_utilization=_value(seen.gpu_utilization),
            others=tuple(filter(_clean, seen.others)),
        )
        for seen in signals.pods
        if seen.pod in ready and (windows := tuple(filter(_clean, seen.models)))
    )


def _clean(window: ModelWindow) -> bool:
    """Comparisons with NaN are False."""
    return (
        0 < window.seconds <= LARGEST_VALUE
        and 0 <= window.requests <= LARGEST_VALUE
        and 0 <= window.failures <= LARGEST_VALUE
        and 0 <= window.inferences <= LARGEST_VALUE
        and 0 <= window.executions <= LARGEST_VALUE
        and 0 <= window.request_seconds <= LARGEST_VALUE
        and 0 <= window.queue_seconds <= LARGEST_VALUE
        and 0 <= window.compute_seconds <= LARGEST_VALUE
    )


def _value(reading: Reading[float], *, signed: bool = False) -> float | None:
    if isinstance(reading, Missing):
        return None
    value = reading.value
    return value if 0 <= (abs(value) if signed else value) <= LARGEST_VALUE else None


def _sum(
    pods: tuple[PodTraffic, ...],
    signals: Signals,
    coverage: float,
    since: list[float],
    gaps: Gaps,
    *,
    partial: bool,
) -> Traffic:
    """`since`: as in `_latest_of_all`; `gaps`: those known before."""
    windows = _alike(pods)
    longest = max([window.seconds for window, _ in windows])
    completed = failed = growing = waiting = 0.0
    for window, count in windows:
        per_second = count / _seconds(window, longest)
        completed += window.requests * per_second
        failed += window.failures * per_second
        growing += _growing(window) * per_second
        waiting += _waiting(window) * count
    gateway = clean_gateway(signals.gateway)
    mean_seconds, mean_queue_seconds = _means(windows)
    latest = _latest_of_all(windows, len(pods), since)
    gaps = _with_newest(gaps, windows, latest, longest)
    return Traffic(
        pods=pods,
        seconds=longest,
        completed=completed,
        failed=failed,
        growing=growing,
        latest=latest,
        waiting=waiting,
        mean_seconds=mean_seconds,
        mean_queue_seconds=mean_queue_seconds,
        coverage=coverage,
        partial=partial,
        served=_served(pods, windows),
        pending_known=any(isinstance(window.pending, Sample) for window, _ in windows),
        gateway_rate=None if isinstance(gateway, Missing) else gateway.requests / gateway.seconds,
        gateway_errors=None if isinstance(gateway, Missing) else gateway.errors / gateway.seconds,
        gateway_answered=None
        if isinstance(gateway, Missing)
        else max(gateway.responses - gateway.errors, 0.0) / gateway.seconds,
        gateway_seconds=0.0 if isinstance(gateway, Missing) else gateway.seconds,
        settled=all(pod.settled for pod in pods),
        offered=max(completed + failed + growing, 0.0),
        gaps=gaps,
        evened=mean(gaps, longest),
    )


def _with_newest(
    gaps: Gaps, windows: list[tuple[ModelWindow, int]], latest: float, longest: float
) -> Gaps:
    known = [w.latest for w, _ in windows if isinstance(w.latest, LatestGap)]
    if not known:
        return ()
    at = max([gap.at for gap in known])
    seconds = min([gap.seconds for gap in known if gap.at == at])
    return extended(gaps, at, seconds, latest, longest)


def _served(pods: tuple[PodTraffic, ...], windows: list[tuple[ModelWindow, int]]) -> frozenset[str]:
    seconds: dict[str, float] = {}
    others = ((window, 1) for pod in pods for window in pod.others)
    for window, count in (*windows, *others):
        if window.requests > 0:
            taken = window.compute_seconds * min(window.executions / window.requests, 1.0)
            seconds[window.model] = seconds.get(window.model, 0.0) + taken * count
    least = NEGLIGIBLE * sum(seconds.values())
    return frozenset(model for model, taken in seconds.items() if taken >= least)


def _means(windows: list[tuple[ModelWindow, int]]) -> tuple[float, float]:
    """Seconds per request, and in the queue: of the slowest model, for an objective holds for each.

    One that is asked less than `FEW_REQUESTS` times tells nothing by itself.
    """
    sums: dict[str, tuple[float, float, float]] = {}
    for window, count in windows:
        requests, seconds, queue = sums.get(window.model, (0.0, 0.0, 0.0))
        sums[window.model] = (
            requests + window.requests * count,
            seconds + window.request_seconds * count,
            queue + window.queue_seconds * count,
        )
    telling = [one for one in sums.values() if one[0] >= FEW_REQUESTS]
    if not telling:
        requests, seconds, queue = map(sum, zip(*sums.values(), strict=True))
        return (seconds / requests, queue / requests) if requests > 0 else (0.0, 0.0)
    return max(s / n for n, s, _ in telling), max(q / n for n, _, q in telling)


def _alike(pods: tuple[PodTraffic, ...]) -> list[tuple[ModelWindow, int]]:
    """Windows and of how many pods each is: a replay shares one object among pods that served alike."""
    counts: dict[int, tuple[ModelWindow, int]] = {}
    for pod in pods:
        for window in pod.windows:
            counts[id(window)] = (window, counts.get(id(window), (window, 0))[1] + 1)
    return list(counts.values())


def clean_gateway(gateway: GatewaySignals | Missing) -> GatewaySignals | Missing:
    if isinstance(gateway, Missing):
        return gateway
    if (
        0 < gateway.seconds <= LARGEST_VALUE
        and 0 <= gateway.requests <= LARGEST_VALUE
        and 0 <= gateway.responses <= LARGEST_VALUE
        and 0 <= gateway.errors <= LARGEST_VALUE
    ):
        return gateway
    return Missing(reason=MissingReason.NOT_FINITE, detail="gateway counters")


def _seconds(window: ModelWindow, longest: float) -> float:
    return window.seconds if window.seconds >= SHORT_WINDOW * longest else longest


def _growing(window: ModelWindow) -> float:
    return _value(window.pending_change, signed=True) or 0.0


def _latest_of_all(windows: list[tuple[ModelWindow, int]], pods: int, since: list[float]) -> float:
    """`since`: when each of the pods that do not report became ready; they are taken to do as the others."""
    seen = sum([_latest(window) * count for window, count in windows])
    if not since:
        return max(seen, 0.0)
    gaps = [
        w.latest for w, _ in windows if isinstance(w.latest, LatestGap) and w.latest.seconds > 0
    ]
    if not gaps:
        return max(seen, 0.0)
    parts = [(gap.at - ready_at) / gap.seconds for ready_at in since for gap in gaps]
    unseen = sum(min(max(part, 0.0), 1.0) for part in parts) / len(gaps)
    return max(seen, 0.0) * (1 + unseen / pods)


def _latest(window: ModelWindow) -> float:
    """Requests per second."""
    gap = window.latest
    if isinstance(gap, LatestGap) and usable(gap.seconds) and gap.seconds > 0:
        arrived = gap.requests + gap.pending_change
        if usable(gap.requests) and usable(abs(arrived)):
            return arrived / gap.seconds
    return (window.requests + window.failures) / window.seconds + _growing(window) / window.seconds


def _waiting(window: ModelWindow) -> float:
    """The gauge: an instant, where there is one."""
    pending = _value(window.pending)
    return max(pending if pending is not None else 0.0, 0.0)


def mean_gpu_utilization(traffic: Traffic | Missing, at: float) -> Reading[float]:
    """Mean over the pods that report one."""
    if isinstance(traffic, Missing):
        return traffic
    values = [pod.gpu_utilization for pod in traffic.pods if pod.gpu_utilization is not None]
    if not values:
        return Missing(reason=MissingReason.NOT_EXPORTED, detail="no GPU utilization of these pods")
    return Sample(value=sum(values) / len(values), at=at)
