"""Arrivals from the history of a Prometheus: what Triton counted on the pods of a policy's target."""

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, nan
from typing import Any

import numpy as np

from inference_cost.account.calendar import time_text
from inference_cost.cli.ago import moment
from inference_cost.cli.backtest.csv_file import Floats
from inference_cost.cli.backtest.options import UNTIL, HistoryOptions
from inference_cost.cli.backtest.result_model import ArrivalsInput, HistoryInput
from inference_cost.cli.failure import CommandError, usage
from inference_cost.cli.prometheus import Prometheus
from inference_cost.model.policy import Policy, TargetRef
from inference_cost.observe.queries import FAILURE, SUCCESS
from inference_cost.observe.settings import PrometheusSettings
from inference_cost.simulate.traffic import Traffic

WINDOW_STEPS = 2  # a rate needs two scrapes in its window
GAPS_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Epoch seconds, whole steps apart."""

    start: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """Those that a workload has, or had."""

    namespace: str
    target: TargetRef

    def __str__(self) -> str:
        return f"{self.namespace}/{self.target.name}"


def parse_period(options: HistoryOptions, now: float | None = None) -> Period:
    """From `--from` and `--to`: `now`, `-7d` and the like, or an RFC 3339 time.

    Raises:
        CommandError: one of them is none of these, or there is nothing in between.
    """
    at = time.time() if now is None else now
    step = options.step_seconds
    if step % 2 or step < 2:  # noqa: PLR2004 - half steps must be whole seconds
        raise usage("--history-step-seconds must be an even number of seconds, such as 30 or 60")
    start = moment(options.since, "--from", at) // step * step
    last = moment(options.until or UNTIL, "--to", at)
    if last > at:
        raise usage(f"--to {options.until} is in the future")
    # The newest steps lack samples of the windows around them.
    end = min(last, at - WINDOW_STEPS * step) // step * step
    if end - start < 2 * step:
        raise usage(f"--from {options.since} must be before --to {options.until or UNTIL}")
    return Period(start=start, end=end)


def query_of(policy: Policy, options: HistoryOptions, settings: PrometheusSettings) -> str:
    """Requests per second that the pods of the policy's target answered or failed."""
    return _query(pods_of(_pods(policy), settings), policy.models, options)


def _pods(policy: Policy) -> Pods:
    return Pods(namespace=policy.key.namespace, target=policy.variants[0].target)


def _query(pods: str, models: Sequence[str], options: HistoryOptions) -> str:
    matchers = [pods]
    if models:
        alternatives = "|".join(re.escape(model).replace("\\", "\\\\") for model in models)
        matchers.append(f'model=~"{alternatives}"')
    window = f"[{round(WINDOW_STEPS * options.step_seconds)}s]"
    answered, failed = (
        f"sum(rate({family}{{{', '.join(matchers)}}}{window}))" for family in (SUCCESS, FAILURE)
    )
    return f"{answered} + ({failed} or vector(0))"


def pods_of(pods: Pods, settings: PrometheusSettings) -> str:
    """Label matchers of the pods that a workload has or had, by the pattern of their names."""
    target = pods.target
    name = re.escape(target.name).replace("\\", "\\\\").replace("\\\\-", "-")
    suffix = "[0-9]+" if target.kind == "StatefulSet" else "[a-z0-9]+-[a-z0-9]{5}"
    matchers = (
        f'{settings.namespace_label}="{pods.namespace}"',
        f'{settings.pod_label}=~"{name}-{suffix}"',
        settings.matchers.strip(" ,"),
    )
    return ", ".join(filter(None, matchers))


class History:
    """A Prometheus that is asked for ranges."""

    def __init__(self, options: HistoryOptions) -> None:
        self._options = options
        self._prometheus = Prometheus(options.access)
        self.settings = self._prometheus.settings

    def arrivals(self, policy: Policy, period: Period) -> tuple[Traffic, ArrivalsInput]:
        """Requests to a policy's target per step over the period.

        Raises:
            CommandError: as `arrivals_at`.
        """
        return self.arrivals_at(_pods(policy), period, policy.models)

    def arrivals_at(
        self, pods: Pods, period: Period, models: Sequence[str] = ()
    ) -> tuple[Traffic, ArrivalsInput]:
        """Requests per step over the period. `models`: of these alone.

        Raises:
            CommandError: Prometheus cannot be asked, has nothing, or has gaps.
        """
        step = self._options.step_seconds
        query = _query(pods_of(pods, self.settings), models, self._options)
        rates = np.full(round((period.end - period.start) / step), nan)
        for at, rate in self._samples(query, period):
            # The window of a sample is two steps wide: its middle is half a step before the bin's.
            number = round((at - period.start) / step - (WINDOW_STEPS + 1) / 2)
            if 0 <= number < len(rates) and isfinite(rate) and rate >= 0:
                rates[number] = rate
        counts, filled = _without_gaps(pods, rates * step, period, self._options)
        record = ArrivalsInput(
            form="history",
            column="",
            width_seconds=step,
            origin_seconds=period.start,
            history=HistoryInput(
                url=self.settings.url,
                query=query,
                from_time=period.start,
                to_time=period.end,
                filled_seconds=filled,
                sha256=hashlib.sha256(counts.astype("<f8").tobytes()).hexdigest(),
            ),
        )
        return Traffic(width_seconds=step, counts=counts), record

    def _samples(self, query: str, period: Period) -> Iterator[tuple[float, float]]:
        """Times and values."""
        step = self._options.step_seconds
        shift = step * (WINDOW_STEPS + 1) / 2
        start, end = period.start + shift, period.end + shift - step
        for series in self._prometheus.over(query, start, end, step):
            yield from ((float(at), float(text)) for at, text in series["values"])


def _without_gaps(
    pods: Pods, counts: Floats, period: Period, options: HistoryOptions
) -> tuple[Floats, float]:
    """Counts without holes, and how many seconds were filled: those allowed, on a line between neighbors."""
    missing = np.isnan(counts)
    if missing.all():
        raise CommandError(
            f"{pods}: Prometheus has no {SUCCESS} of the pods of {pods.target} in that "
            "time; are --prometheus-url, -n and --prometheus-matchers right, and are there two scrapes in "
            f"{WINDOW_STEPS * options.step_seconds:g} s? (--history-step-seconds)"
        )
    gaps = _gaps(missing)
    step = options.step_seconds
    too_long = [gap for gap in gaps if (gap[1] - gap[0]) * step > options.fill_gaps_seconds]
    if too_long:
        raise CommandError(_told(pods, too_long, period, step))
    numbers = np.arange(len(counts))
    filled = np.interp(numbers, numbers[~missing], counts[~missing])
    return filled, float(missing.sum() * step)


def _gaps(missing: Any) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], missing.astype(int), [0]))))
    return [(int(a), int(b)) for i, (a, b) in enumerate(pairwise(edges)) if i % 2 == 0]


def _told(pods: Pods, gaps: list[tuple[int, int]], period: Period, step: float) -> str:
    longest = max(b - a for a, b in gaps) * step
    shown = ", ".join(
        f"{time_text(period.start + a * step)} to {time_text(period.start + b * step)}"
        for a, b in gaps[:GAPS_NAMED]
    )
    count = f"{len(gaps)} gap{'s' if len(gaps) > 1 else ''}"
    more = f" and {len(gaps) - GAPS_NAMED} more" if len(gaps) > GAPS_NAMED else ""
    return (
        f"{pods}: the history has {count}, the longest of {longest:g} s: {shown}{more}; "
        "missing is not zero: choose --from and --to without them, or let short ones be filled on a "
        f"straight line with --fill-gaps-seconds {longest:g}"
    )
