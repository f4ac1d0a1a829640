"""Charts over time that stay readable at any width: shapes are stretched, words are not.

Shapes are SVG that fills its box; words are HTML placed in percent. Colors are classes of the page, so that it decides
on light and dark.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from math import floor, log10

from inference_cost.cli.page import svg
from inference_cost.cli.page.svg import Panel, Points

HEIGHT = 200.0
MARKER_ROOM = 18.0  # of the drawing's thousand
LEAST = 1e-9
FROM_UNITS = 1e5
UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """x from 0 to `seconds` with labels at `ticks` (those of time since the start where none are given); y from 0."""

    seconds: float
    y_max: float
    prefix: str = ""
    suffix: str = ""
    ticks: Sequence[tuple[float, str]] = ()

    @property
    def panel(self) -> Panel:
        return Panel(
            seconds=self.seconds,
            y_max=max(self.y_max, LEAST),
            top=0.0,
            bottom=HEIGHT,
            left=0.0,
            right=0.0,
        )


@dataclass(slots=True)
class Chart:
    """Collects shapes, drawn in the order of the calls. `style` is a class of the page."""

    title: str
    axes: Axes
    note: str = ""
    shapes: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)  # x of the last marker in each row

    def shade(self, start_s: float, end_s: float, note: str = "") -> None:
        """Shade a stretch of time, with a note at its upper end."""
        panel = self.axes.panel
        left, right = panel.x(start_s), panel.x(end_s)
        self.shapes.append(
            f'<rect class="shade" x="{left:.1f}" y="0" width="{right - left:.1f}" height="{HEIGHT:g}"/>'
        )
        if note:
            self.words.append(
                f'<span class="note" style="right:{100 - right / 10:.2f}%">{escape(note)}</span>'
            )

    def line(self, points: Points, style: str, label: str = "") -> None:
        self._key(style, label)
        if points:
            self.shapes.append(self.axes.panel.line(points, style))

    def steps(self, points: Points, style: str, label: str = "") -> None:
        """Each value holds until the next point."""
        self.line(stairs(points), style, label)

    def area(self, points: Points, style: str, label: str = "") -> None:
        """A line with the surface below it."""
        if points:
            self.shapes.append(self.axes.panel.area(points, style))
        self.line(points, style, label)

    def level(self, value: float, style: str, label: str = "") -> None:
        """A constant, as a line over the whole width."""
        self.line([(0.0, value), (self.axes.seconds, value)], style, label)

    def upright(self, t_s: float, style: str, label: str = "") -> None:
        """A line at one x, over the whole height."""
        self.line([(t_s, 0.0), (t_s, self.axes.y_max)], style, label)

    def dot(self, t_s: float, value: float, style: str, tip: str, label: str = "") -> None:
        panel = self.axes.panel
        left, top = panel.x(t_s) / 10, 100 * panel.y(value) / HEIGHT
        side = " west" if left > 60 else ""  # noqa: PLR2004 - percent; there is more room on the other side
        words = f"<b>{escape(label)}</b>" if label else ""
        self.words.append(
            f'<i class="dot {style}{side}" style="left:{left:.2f}%;top:{top:.2f}%" '
            f'title="{escape(tip, quote=True)}">{words}</i>'
        )

    def marker(self, t_s: float, number: int, tip: str) -> None:
        """A numbered mark at the top with a line down; `tip` shows on hover."""
        x = self.axes.panel.x(t_s)
        row = self._free_row(x)
        self.shapes.append(f'<line class="mark" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{HEIGHT:g}"/>')
        self.words.append(
            f'<span class="marker" style="left:{x / 10:.2f}%;top:{row * MARKER_ROOM:g}px" '
            f'title="{escape(tip, quote=True)}">{number}</span>'
        )

    def _free_row(self, x: float) -> int:
        """First row in which a marker at x hides no other; markers come in order of time."""
        row = next(
            (i for i, last in enumerate(self.rows) if x - last >= MARKER_ROOM), len(self.rows)
        )
        self.rows[row : row + 1] = [x]
        return row

    def render(self) -> str:
        """A figure: title, how to read it, legend, drawing."""
        drawn = (
            f'<svg viewBox="0 0 {svg.WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" aria-hidden="true">'
            f"{self._grid()}{''.join(self.shapes)}</svg>"
        )
        labels = "".join((*self._y_labels(), *self._x_labels(), *self.words))
        content = (
            f'<div class="plot" role="img" aria-label="{escape(self.title, quote=True)}">'
            f"{drawn}{labels}</div>"
        )
        return svg.figure(self.title, self.note, content, self.legend)

    def _key(self, style: str, label: str) -> None:
        if label:
            self.legend.append((style, label))

    def _grid(self) -> str:
        panel = self.axes.panel
        heights = (panel.y(value) for value in svg.round_values(panel.y_max))
        return "".join(
            f'<line class="grid" x1="0" y1="{y:.1f}" x2="{svg.WIDTH:g}" y2="{y:.1f}"/>'
            for y in heights
        )

    def _y_labels(self) -> list[str]:
        panel, axes = self.axes.panel, self.axes
        values = svg.round_values(panel.y_max)
        return [
            f'<span class="tick y" style="top:{100 * panel.y(value) / HEIGHT:.2f}%">'
            f"{axes.prefix}{words}{axes.suffix}</span>"
            for value, words in zip(values, _short(values), strict=True)
        ]

    def _x_labels(self) -> list[str]:
        panel = self.axes.panel
        ticks = self.axes.ticks or svg.time_ticks(self.axes.seconds)
        return [
            f'<span class="tick x{" odd" if number % 2 else ""}" '
            f'style="left:{panel.x(at) / 10:.2f}%">{escape(words)}</span>'
            for number, (at, words) in enumerate(ticks)
        ]


def _short(values: Sequence[float]) -> list[str]:
    """All in one unit, and few letters, for they stand beside the drawing."""
    step = values[1] if len(values) > 1 else 1.0
    for unit, letter in UNITS if values[-1] >= FROM_UNITS else ():
        if values[-1] >= unit:
            return [f"{value / unit:g}{letter}" if value else "0" for value in values]
    decimals = max(0, -floor(log10(step)))
    return [f"{value:,.{decimals}f}" for value in values]


def stairs(points: Points) -> list[tuple[float, float]]:
    """Points of a line that holds each value until the next one."""
    corners = [
        corner for (_, value), after in pairwise(points) for corner in ((after[0], value), after)
    ]
    return [*points[:1], *corners]
