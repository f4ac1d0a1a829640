"""Cost against attainment of all controllers, with the bound: what money buys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from math import log10

from inference_cost.cli.backtest.result_model import Bound, Run
from inference_cost.cli.backtest.words import Bounds, dollars, percent, title
from inference_cost.cli.page import svg

HEIGHT, TOP, BOTTOM = 420.0, 24.0, 376.0
LEAST_LATE_PERCENT = 0.01  # shown as if there were so many late requests
ROOM = 1.7  # factor beside the outermost points
ATTAINED_TICKS = (0.0, 50.0, 80.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99)
TICK_GAP = 52.0
CHARACTER, LINE = 8.6, 15.0  # of a label, in units of the drawing
POINT = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """x is the share of late requests on a logarithmic scale, fewer to the right; y is dollars from 0."""

    most_late: float  # percent
    least_late: float
    panel: svg.Panel

    def x(self, attained_percent: float) -> float:
        late = min(max(100 - attained_percent, self.least_late), self.most_late)
        whole = log10(self.most_late / self.least_late)
        share = log10(self.most_late / late) / whole
        return svg.LEFT + share * (svg.WIDTH - svg.LEFT - svg.RIGHT)


@dataclass(slots=True)
class Labels:
    """Labels beside points, none over another. A box is (left, top, right, bottom)."""

    taken: list[tuple[float, float, float, float]] = field(default_factory=list)

    def reserve(self, x: float, y: float) -> None:
        self.taken.append((x - POINT, y - POINT, x + POINT, y + POINT))

    def place(self, x: float, y: float, content: str, style: str) -> str:
        """The label at the first place where it hides nothing; "" where there is none, for it has a tip."""
        width = CHARACTER * len(content)
        for left, top in _places(x, y, width):
            box = (left, top, left + width, top + LINE)
            inside = left >= svg.LEFT and left + width <= svg.WIDTH and top >= 0
            if inside and not any(_overlap(box, other) for other in self.taken):
                self.taken.append(box)
                return svg.text(left, top + LINE - 4, content, f"label {style}")
        return ""


def _places(x: float, y: float, width: float) -> Iterable[tuple[float, float]]:
    middle = y - LINE / 2
    yield from ((x + POINT + 3, middle), (x - POINT - 3 - width, middle))
    for away in (0.0, LINE, 2 * LINE):
        for left in (x - width / 2, x + POINT, x - POINT - width):
            yield left, y - POINT - LINE - away
            yield left, y + POINT + away


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def frontier_chart(runs: Sequence[Run], bounds: Bounds, target_percent: float | None) -> str:
    """The figure. `target_percent`: of the objective; None where policies have different ones."""
    axes = _axes(runs, bounds, target_percent)
    labels = Labels()
    for run in runs:
        labels.reserve(axes.x(run.attainment_percent), axes.panel.y(float(run.cost_dollars)))
    content = (
        axes.panel.grid("$")
        + _attained_axis(axes)
        + _objective(axes, labels, target_percent)
        + "".join(_bound(axes, labels, name, bound) for name, bound in bounds.named())
        + _frontier(axes, runs)
        + "".join(_point(axes, labels, run) for run in runs)
    )
    points = [
        *((title(run), run.cost_dollars, run.attainment_percent) for run in runs),
        *((name, one.cost_dollars, one.attainment_percent) for name, one in bounds.named()),
    ]
    what = "; ".join(
        f"{name}: {dollars(cost)}, {percent(attained)} in time" for name, cost, attained in points
    )
    legend = [("c-front", "no one is both cheaper and better")]
    if any(run.knob.startswith("tuned") for run in runs):
        legend.append(("c-pair", "from default to the best knob in hindsight"))
    return svg.figure(
        "Cost against requests answered in time",
        "Lower is cheaper, further right is better. From 90 to 99 % is as far as from 99 to 99.9 %: a tenth of "
        "the late requests.",
        svg.drawing(HEIGHT, what, content),
        legend,
    )


def _axes(runs: Sequence[Run], bounds: Bounds, target_percent: float | None) -> Axes:
    attained = [run.attainment_percent for run in runs]
    attained += [bound.attainment_percent for bound in bounds.all()]
    attained += [] if target_percent is None else [target_percent]
    late = [max(100 - value, LEAST_LATE_PERCENT) for value in attained]
    costs = [run.cost_dollars for run in runs] + [bound.cost_dollars for bound in bounds.all()]
    panel = svg.Panel(
        seconds=1.0, y_max=max(max(map(float, costs)) * 1.1, 0.01), top=TOP, bottom=BOTTOM
    )
    return Axes(most_late=min(max(late) * ROOM, 100.0), least_late=min(late) / ROOM, panel=panel)


def _attained_axis(axes: Axes) -> str:
    parts, last = [], 0.0
    for value in ATTAINED_TICKS:
        x = axes.x(value)
        inside = axes.least_late <= 100 - value <= axes.most_late
        if inside and x - last >= TICK_GAP:
            last = x
            parts.append(
                f'<line class="grid" x1="{x:.1f}" y1="{TOP:g}" x2="{x:.1f}" y2="{BOTTOM:g}"/>'
                + svg.text(x, BOTTOM + 18, f"{value:g} %", "tick x")
            )
    parts.append(svg.text(svg.WIDTH - svg.RIGHT, BOTTOM + 36, "answered in time", "tick y"))
    return "".join(parts)


def _objective(axes: Axes, labels: Labels, target_percent: float | None) -> str:
    if target_percent is None:
        return ""
    x = axes.x(target_percent)
    shape = f'<line class="line c-limit" x1="{x:.1f}" y1="{TOP:g}" x2="{x:.1f}" y2="{BOTTOM:g}"/>'
    return shape + labels.place(x, TOP + 2, f"objective {target_percent:g} %", "c-limit")


def _bound(axes: Axes, labels: Labels, name: str, bound: Bound) -> str:
    x, y = axes.x(bound.attainment_percent), axes.panel.y(float(bound.cost_dollars))
    words = f"{name} {dollars(bound.cost_dollars)}"
    labels.reserve(x, y)
    return (
        f'<line class="line c-bound" x1="{svg.LEFT:g}" y1="{y:.1f}" x2="{svg.WIDTH - svg.RIGHT:g}" '
        f'y2="{y:.1f}"/><path class="dot c-bound" d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6Z">'
        f"<title>{escape(words)}</title></path>" + labels.place(x, y + LINE, words, "c-bound")
    )


def _frontier(axes: Axes, runs: Sequence[Run]) -> str:
    """Controllers that no other beats in both, joined; and each baseline's default with its best knob."""
    best, joined = -1.0, []
    for run in sorted(runs, key=lambda run: (float(run.cost_dollars), -run.attainment_percent)):
        if run.attainment_percent > best:
            best = run.attainment_percent
            joined.append(run)
    pairs = [
        (one, other)
        for one in runs
        for other in runs
        if one.name == other.name
        and one.knob.startswith("default")
        and other.knob.startswith("tuned")
    ]
    return _joined(axes, joined, "c-front") + "".join(_joined(axes, p, "c-pair") for p in pairs)


def _joined(axes: Axes, runs: Sequence[Run], style: str) -> str:
    points = (
        f"{axes.x(run.attainment_percent):.1f} {axes.panel.y(float(run.cost_dollars)):.1f}"
        for run in runs
    )
    return f'<path class="line {style}" d="M{"L".join(points)}"/>'


def _point(axes: Axes, labels: Labels, run: Run) -> str:
    x, y = axes.x(run.attainment_percent), axes.panel.y(float(run.cost_dollars))
    style = "c-ours" if run.kind == "ours" else "c-other"
    tip = f"{title(run)} {run.knob}: {dollars(run.cost_dollars)}, {percent(run.attainment_percent)} in time"
    hollow = " hollow" if run.knob.startswith("default") else ""
    radius = POINT if run.kind == "ours" else 5
    return (
        f'<circle class="dot {style}{hollow}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}">'
        f"<title>{escape(tip)}</title></circle>" + labels.place(x, y, title(run), style)
    )
