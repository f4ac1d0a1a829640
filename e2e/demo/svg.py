"""Line charts over time as inline SVG. Colors are CSS variables, so a page decides on light and dark."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from math import floor, log10

WIDTH, HEIGHT = 1000, 230
LEFT, RIGHT, TOP, BOTTOM = 56, 16, 20, 28
MARKER_SIZE = 18

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """Ranges of a chart: seconds on x, from 0 up to `y_max` on y (larger values are cut off)."""

    seconds: float
    y_max: float
    prefix: str = ""

    def x(self, t_s: float) -> float:
        inside = min(max(t_s, 0.0), self.seconds)
        return LEFT + inside / self.seconds * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        inside = min(max(value, 0.0), self.y_max)
        return HEIGHT - BOTTOM - inside / self.y_max * (HEIGHT - TOP - BOTTOM)


@dataclass(slots=True)
class Chart:
    """Collects shapes, drawn in the order of the calls. `style` is a CSS class of the page."""

    title: str
    axes: Axes
    shapes: list[str] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)  # x of the last marker in each row

    def shade(self, start_s: float, end_s: float, note: str) -> None:
        """Shade a stretch of time, with a note in its upper right corner."""
        left, right = self.axes.x(start_s), self.axes.x(end_s)
        self.shapes.append(
            f'<rect class="shade" x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}"/>'
            f'<text class="note" x="{right - 6:.1f}" y="{TOP + 14}">{escape(note)}</text>'
        )

    def line(self, points: Points, style: str, label: str) -> None:
        self._path(points, f"line {style}", label)

    def steps(self, points: Points, style: str, label: str) -> None:
        """Each value holds until the next point."""
        self._path(stairs(points), f"line {style}", label)

    def area(self, points: Points, style: str, label: str) -> None:
        """A line with the surface below it."""
        if points:
            closed = [(points[0][0], 0.0), *points, (points[-1][0], 0.0)]
            self.shapes.append(f'<path class="area {style}" d="{self._d(closed)}Z"/>')
        self._path(points, f"line {style}", label)

    def level(self, value: float, style: str, label: str) -> None:
        """A constant, as a line over the whole width."""
        self._path([(0, value), (self.axes.seconds, value)], f"line {style}", label)

    def marker(self, t_s: float, number: int, tip: str) -> None:
        """A numbered mark at the top with a line down; `tip` shows on hover."""
        x, bottom = self.axes.x(t_s), HEIGHT - BOTTOM
        y = TOP + MARKER_SIZE * self._free_row(x)
        self.shapes.append(
            f'<g class="marker"><title>{escape(tip)}</title>'
            f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{bottom}"/>'
            f'<circle cx="{x:.1f}" cy="{y}" r="{MARKER_SIZE / 2 - 0.5}"/>'
            f'<text x="{x:.1f}" y="{y + 3.5}">{number}</text></g>'
        )

    def _free_row(self, x: float) -> int:
        """First row in which a marker at x hides no other; markers come in order of time."""
        row = next(
            (i for i, last in enumerate(self.rows) if x - last >= MARKER_SIZE), len(self.rows)
        )
        self.rows[row : row + 1] = [x]
        return row

    def render(self) -> str:
        """A figure: title, legend, drawing."""
        keys = "".join(
            f'<span class="key"><svg viewBox="0 0 22 8" aria-hidden="true">'
            f'<path class="line {style}" d="M1 4H21"/></svg>{escape(label)}</span>'
            for style, label in self.legend
        )
        return (
            f'<figure><figcaption><b>{escape(self.title)}</b><span class="legend">{keys}</span>'
            f'</figcaption><svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{escape(self.title, quote=True)}">'
            f"{self._grid()}{''.join(self.shapes)}</svg></figure>"
        )

    def _path(self, points: Points, style: str, label: str) -> None:
        self.legend.append((style.removeprefix("line "), label))
        if points:
            self.shapes.append(f'<path class="{style}" d="{self._d(points)}"/>')

    def _d(self, points: Iterable[tuple[float, float]]) -> str:
        return "M" + "L".join(f"{self.axes.x(t):.1f} {self.axes.y(v):.1f}" for t, v in points)

    def _grid(self) -> str:
        return "".join([*self._rows(), *self._columns()])

    def _rows(self) -> Iterable[str]:
        values = ticks(self.axes.y_max, 4)
        decimals = max(0, -floor(log10(values[-1] - values[-2])))
        for value in values:
            y = self.axes.y(value)
            label = f"{self.axes.prefix}{value:,.{decimals}f}"
            yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>'
            yield f'<text class="tick y" x="{LEFT - 8}" y="{y + 4:.1f}">{label}</text>'

    def _columns(self) -> Iterable[str]:
        for value in ticks(self.axes.seconds, 8):
            x = self.axes.x(value)
            label = f"{value:g} s"
            yield f'<text class="tick x" x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}">{label}</text>'


def stairs(points: Points) -> list[tuple[float, float]]:
    """Points of a line that holds each value until the next one."""
    corners = [
        corner for (_, value), after in pairwise(points) for corner in ((after[0], value), after)
    ]
    return [*points[:1], *corners]


def ticks(largest: float, about: int) -> list[float]:
    """Round numbers from 0 to `largest`, about as many as asked for."""
    step = _round_step(largest / about)
    return [i * step for i in range(floor(largest / step + 1e-9) + 1)]


def _round_step(step: float) -> float:
    # 3 and 6 belong to time: 30 s and 60 s are rounder than 25 s and 50 s.
    scale = 10.0 ** floor(log10(step))
    return next(round(n * scale, 12) for n in (1, 2, 3, 5, 6, 10) if n * scale >= step * 0.999)
