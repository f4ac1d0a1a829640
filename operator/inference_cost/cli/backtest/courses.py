"""Series over time for pictures: made shorter without losing their extremes, and summed over policies."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil

import numpy as np

from inference_cost.cli.backtest.csv_file import Floats
from inference_cost.cli.backtest.knobs import setting
from inference_cost.cli.backtest.result_model import Document, FleetDocument, Run
from inference_cost.simulate.outcome import Comparison, Course

BUCKETS = 800  # of a line; two points each
ALMOST = 1e-9  # of a bin
CELLS = 480  # of a strip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A row of the result and its course."""

    run: Run
    course: Course


def drawn(
    document: Document | FleetDocument, comparisons: Sequence[Comparison]
) -> tuple[Drawn, ...]:
    """The rows of the result with their courses; of a fleet those of its totals, summed. Empty where unlike."""
    excluded = document.inputs.parameters.exclude_first_seconds
    if isinstance(document, Document):
        outcomes = comparisons[0].outcomes
        return tuple(
            Drawn(run=run, course=_counted(outcome.course, excluded))
            for run, outcome in zip(document.policies, outcomes, strict=True)
        )
    groups: dict[tuple[str, str], list[_Part]] = defaultdict(list)
    first = min(result.inputs.arrivals.origin_seconds for result in document.results)
    for result, comparison in zip(document.results, comparisons, strict=True):
        after = result.inputs.arrivals.origin_seconds - first
        for outcome in comparison.outcomes:
            name = "ours" if outcome.kind == "ours" else outcome.name
            groups[name, setting(outcome.knob)].append(
                _Part(after, _counted(outcome.course, excluded))
            )
    widths = {part.course.width_seconds for group in groups.values() for part in group}
    if len(widths) != 1:
        return ()
    return tuple(
        Drawn(run=run, course=_sum(groups[run.name, run.knob])) for run in document.totals.policies
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One policy's course, and how many seconds after the first policy it starts."""

    after_seconds: float
    course: Course

    @property
    def first(self) -> int:
        return round(self.after_seconds / self.course.width_seconds)

    @property
    def end(self) -> int:
        return self.first + len(self.course.requests)


def _counted(course: Course, exclude_seconds: float) -> Course:
    """Without the money of the excluded start, so that a line of costs ends at the cost that is told."""
    excluded = ceil(exclude_seconds / course.width_seconds - ALMOST)
    dollars = course.dollars.copy()
    dollars[:excluded] = 0.0
    return replace(course, dollars=dollars)


def _sum(parts: Sequence[_Part]) -> Course:
    """Policies side by side by one clock; before its arrivals begin and after they end a policy adds nothing."""
    longest = max(part.end for part in parts)

    def total(name: str) -> Floats:
        values = np.zeros(longest)
        for part in parts:
            values[part.first : part.end] += getattr(part.course, name)
        return values

    return Course(
        width_seconds=parts[0].course.width_seconds,
        requests=total("requests"),
        late=total("late"),
        ready=total("ready"),
        billed=total("billed"),
        dollars=total("dollars"),
    )


def extremes(values: Floats, width_seconds: float) -> list[tuple[float, float]]:
    """Points (seconds, value) of a line: all where few, else the least and the largest of each bucket, in order."""
    if len(values) <= 2 * BUCKETS:
        return [((i + 0.5) * width_seconds, float(v)) for i, v in enumerate(values)]
    edges = np.linspace(0, len(values), BUCKETS + 1).astype(int)
    points: list[tuple[float, float]] = []
    for start, end in pairwise(edges):
        part = values[start:end]
        chosen = sorted({int(part.argmin()), int(part.argmax())})
        points += [((start + i + 0.5) * width_seconds, float(part[i])) for i in chosen]
    return points


def levels(values: Floats, width_seconds: float) -> list[tuple[float, float]]:
    """As `extremes`, without the points inside a stretch of equal values."""
    points = extremes(values, width_seconds)
    kept = [
        here
        for before, here, after in zip(points, points[1:], points[2:], strict=False)
        if not before[1] == here[1] == after[1]
    ]
    return [*points[:1], *kept, *points[-1:]]


def cumulative(values: Floats, width_seconds: float) -> list[tuple[float, float]]:
    """Points of the running sum; it only grows, so ends of buckets are enough."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    chosen = np.unique(np.linspace(0, len(values), BUCKETS // 2 + 1).astype(int))
    return [(float(i) * width_seconds, float(total[i])) for i in chosen]


def late_shares(course: Course) -> list[tuple[float, float, float]]:
    """Stretches (start, end, share of their requests that were late) of equal length, in seconds."""
    count = min(CELLS, len(course.requests))
    edges = np.linspace(0, len(course.requests), count + 1).astype(int)
    width = course.width_seconds
    found = []
    for start, end in pairwise(edges):
        requests, late = course.requests[start:end].sum(), course.late[start:end].sum()
        share = float(late / requests) if requests > 0 else 0.0
        found.append((float(start) * width, float(end) * width, share))
    return found
