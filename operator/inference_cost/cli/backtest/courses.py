"""Series over time for pictures: made shorter without losing their extremes, and summed over policies."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inference_cost.cli.backtest.csv_file import Floats
from inference_cost.cli.backtest.knobs import setting
from inference_cost.cli.backtest.result_model import Document, FleetDocument, Run
from inference_cost.simulate.outcome import Comparison, Course

BUCKETS = 800  # of a line; two points each
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
    if isinstance(document, Document):
        outcomes = comparisons[0].outcomes
        return tuple(
            Drawn(run=run, course=outcome.course)
            for run, outcome in zip(document.policies, outcomes, strict=True)
        )
    groups: dict[tuple[str, str], list[Course]] = defaultdict(list)
    for comparison in comparisons:
        for outcome in comparison.outcomes:
            name = "ours" if outcome.kind == "ours" else outcome.name
            groups[name, setting(outcome.knob)].append(outcome.course)
    widths = {course.width_seconds for group in groups.values() for course in group}
    if len(widths) != 1:
        return ()
    return tuple(
        Drawn(run=run, course=_sum(groups[run.name, run.knob])) for run in document.totals.policies
    )


def _sum(courses: Sequence[Course]) -> Course:
    """Policies side by side; one whose arrivals end earlier adds nothing from there on."""
    longest = max(len(course.requests) for course in courses)

    def total(name: str) -> Floats:
        values = np.zeros(longest)
        for course in courses:
            part: Floats = getattr(course, name)
            values[: len(part)] += part
        return values

    return Course(
        width_seconds=courses[0].width_seconds,
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
