"""What Prometheus tells of a workload's pods over the last days: replicas, requests, executions, computing time."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, isfinite, nan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference_cost.cli.backtest.history import History, Period, Pods, pods_of
from inference_cost.cli.backtest.options import HistoryOptions
from inference_cost.cli.failure import CommandError
from inference_cost.cli.listing import Unread
from inference_cost.cli.prometheus import Prometheus
from inference_cost.cli.prometheus_access import PrometheusAccess
from inference_cost.cli.scan.workloads import PodName, WorkloadKey
from inference_cost.model.policy import TargetRef
from inference_cost.observe.queries import (
    COMPUTE_MICROSECONDS,
    EXECUTIONS,
    INFERENCES,
    RESPONSE_BUCKET,
    SUCCESS,
)
from inference_cost.observe.series import parse_series, typical_interval_seconds
from inference_cost.simulate.traffic import Traffic

WINDOW_SECONDS: Final = 300.0  # of counters, as one observation of the service time
LEAST_STEP_SECONDS: Final = 30.0
FEWEST_STEPS: Final = 10
LONGEST_GAP_SECONDS: Final = 600.0  # filled on a straight line
SCRAPES_PER_STEP: Final = 1.1  # two must fit into the window of a rate, which is two steps
DEFAULT_SCRAPE_SECONDS: Final = 15.0
LANGUAGE_MODELS: Final = "vllm:.+|nv_trt_llm_.+|nv_llm_.+"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Increases of one model's counters in each window, over all pods; NaN where nothing is known."""

    requests: Floats
    inferences: Floats
    executions: Floats
    compute_seconds: Floats

    @property
    def busy_seconds(self) -> Floats:
        """Time in which an instance executed. Triton adds a batch's time once for each of its requests."""
        with np.errstate(divide="ignore", invalid="ignore"):
            seconds = self.compute_seconds / self.requests * self.executions
        found: Floats = np.where(self.requests > 0, seconds, 0.0)
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signals:
    """`replicas`: pods with metrics in each step of the period, gaps filled. `counted`: by model, in each window.

    `duplicated`: pods of which Prometheus has each series several times. `left_out_seconds`: of the time that was asked
    for, without data or before a gap.
    """

    period: Period
    step_seconds: float
    scrape_seconds: float
    traffic: Traffic
    replicas: Floats
    counted: Mapping[str, Counted]
    duplicated: tuple[str, ...]
    histogram: bool
    language_models: bool
    left_out_seconds: float

    @property
    def seconds(self) -> float:
        return self.period.end - self.period.start

    @property
    def requests(self) -> Mapping[str, float]:
        return {model: float(np.nansum(one.requests)) for model, one in self.counted.items()}


def pods_with_series(prometheus: Prometheus, now: float) -> frozenset[PodName]:
    """Pods that Prometheus has Triton's metrics of.

    Raises:
        CommandError: Prometheus cannot be asked.
    """
    settings = prometheus.settings
    labels = (settings.namespace_label, settings.pod_label)
    found = prometheus.at(
        f"count by ({', '.join(labels)}) ({SUCCESS}{{{settings.matchers.strip(' ,')}}})", now
    )
    names = (tuple(one["metric"].get(label, "") for label in labels) for one in found)
    return frozenset((namespace, pod) for namespace, pod in names if pod)


def signals_of(
    prometheus: Prometheus, access: PrometheusAccess, key: WorkloadKey, now: float, seconds: float
) -> Signals | Unread:
    """Of the longest stretch with data within the `seconds` before `now`."""
    try:
        return _Reader(prometheus, access, key).read(now, seconds)
    except CommandError as error:
        return Unread(what="traffic", why=str(error), fix="see the message")


class _Reader:
    """Queries about the pods of one workload. Raises `CommandError` where Prometheus cannot be asked."""

    def __init__(self, prometheus: Prometheus, access: PrometheusAccess, key: WorkloadKey) -> None:
        self._prometheus = prometheus
        self._access = access
        target = TargetRef(api_version="", kind=key.kind, name=key.name)
        self._of = Pods(namespace=key.namespace, target=target)
        self._pods = pods_of(self._of, prometheus.settings)
        self._pod = prometheus.settings.pod_label

    def read(self, now: float, seconds: float) -> Signals | Unread:
        scrape = self._scrape_seconds(now)
        step = max(LEAST_STEP_SECONDS, 2.0 * ceil(scrape * SCRAPES_PER_STEP / 2))
        end = now // step * step - 2 * step  # the newest windows are not complete
        asked = Period(start=max(end - seconds // step * step, 0.0), end=end)
        replicas = self._replicas(asked, step)
        stretch = longest_stretch(replicas, step)
        if stretch is None:
            return self._nothing(seconds)
        # A first rate needs two scrapes.
        first, last = stretch[0] + 1, stretch[1]
        if last - first < FEWEST_STEPS:
            return _too_short((last - first) * step, FEWEST_STEPS * step)
        period = Period(start=asked.start + first * step, end=asked.start + last * step)
        return Signals(
            period=period,
            step_seconds=step,
            scrape_seconds=scrape,
            traffic=self._traffic(period, step),
            replicas=filled(replicas[first:last]),
            counted=self._counted(period),
            duplicated=self._duplicated(now),
            histogram=self._any(f"{RESPONSE_BUCKET}{{{self._pods}}}", now),
            language_models=self._any(f'{{__name__=~"{LANGUAGE_MODELS}", {self._pods}}}', now),
            left_out_seconds=(asked.end - asked.start) - (period.end - period.start),
        )

    def _traffic(self, period: Period, step: float) -> Traffic:
        """Of all models: one that hardly anybody asks makes no difference."""
        options = HistoryOptions(
            url=self._access.url,
            bearer_token_file=self._access.bearer_token_file,
            header_files=self._access.header_files,
            ca_file=self._access.ca_file,
            matchers=self._access.matchers,
            step_seconds=step,
            fill_gaps_seconds=LONGEST_GAP_SECONDS,
        )
        traffic, _ = History(options).arrivals_at(self._of, period)
        return traffic

    def _nothing(self, seconds: float) -> Unread:
        return Unread(
            what="traffic",
            why=f"Prometheus has no {SUCCESS} of its pods in the last {seconds / 3600:.3g} hours",
            fix="let it scrape port 8002 of the pods (PodMonitor, path /metrics); check --prometheus-matchers",
        )

    def _scrape_seconds(self, now: float) -> float:
        found = self._prometheus.at(f"{SUCCESS}{{{self._pods}}}[10m]", now)
        return typical_interval_seconds(map(parse_series, found)) or DEFAULT_SCRAPE_SECONDS

    def _replicas(self, asked: Period, step: float) -> Floats:
        """Pods at the middle of each step; NaN where there is none."""
        query = f"count(count by ({self._pod}) ({SUCCESS}{{{self._pods}}}))"
        return self._over(query, asked, step, step / 2).get("", _unknown(asked, step))

    def _counted(self, period: Period) -> dict[str, Counted]:
        families = {
            "requests": (SUCCESS,),
            "inferences": (INFERENCES,),
            "executions": (EXECUTIONS,),
            "compute_seconds": COMPUTE_MICROSECONDS,
        }
        rows: dict[str, dict[str, Floats]] = defaultdict(dict)
        for name, summed in families.items():
            scale = 1e-6 if name == "compute_seconds" else 1.0
            parts = [
                f"sum by (model) (increase({one}{{{self._pods}}}[{WINDOW_SECONDS:g}s]))"
                for one in summed
            ]
            found = self._over(" + ".join(parts), period, WINDOW_SECONDS, WINDOW_SECONDS)
            for model, values in found.items():
                rows[model][name] = values * scale
        return {
            model: Counted(**columns)
            for model, columns in sorted(rows.items())
            if len(columns) == len(families)
        }

    def _duplicated(self, now: float) -> tuple[str, ...]:
        """Two scrape jobs of one pod double every sum; a label that comes and goes with the load does not."""
        query = f"count by ({self._pod}, model, version) (sum without (gpu_uuid) ({SUCCESS}{{{self._pods}}})) > 1"
        return tuple(
            sorted({one["metric"].get(self._pod, "") for one in self._prometheus.at(query, now)})
        )

    def _any(self, selector: str, now: float) -> bool:
        return bool(self._prometheus.at(f"count({selector})", now))

    def _over(self, query: str, period: Period, step: float, offset: float) -> dict[str, Floats]:
        """Values by model ("" without one) in each whole step of the period, read `offset` after its start."""
        found: dict[str, Floats] = {}
        last = period.end - step + offset
        for series in self._prometheus.over(query, period.start + offset, last, step):
            values = found.setdefault(series["metric"].get("model", ""), _unknown(period, step))
            for at, text in series["values"]:
                number, value = round((float(at) - offset - period.start) / step), float(text)
                if 0 <= number < len(values) and isfinite(value) and value >= 0:
                    values[number] = value
        return found


def _too_short(seconds: float, least: float) -> Unread:
    return Unread(
        what="traffic",
        why=f"there are {seconds / 60:.0f} minutes of its metrics so far, and {least / 60:.0f} are the least",
        fix="ask again later; a day tells more, two days how sure it is",
    )


def _unknown(period: Period, step: float) -> Floats:
    return np.full(int((period.end - period.start) // step), nan)


def longest_stretch(values: Floats, step_seconds: float) -> tuple[int, int] | None:
    """First and last (excluded) step of the longest part without a gap that is too long to fill; None without data."""
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return None
    breaks = np.flatnonzero(np.diff(known) * step_seconds > LONGEST_GAP_SECONDS)
    starts = known[np.concatenate(([0], breaks + 1))]
    ends = known[np.concatenate((breaks, [len(known) - 1]))] + 1
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest])


def filled(values: Floats) -> Floats:
    """Replicas of a gap are those before it."""
    known = np.flatnonzero(~np.isnan(values))
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, np.arange(len(values))))
    found: Floats = values[np.maximum(last, known[0])]
    return found
