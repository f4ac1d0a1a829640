"""Parts of an inline SVG chart. Colors are classes of the page, so that it decides on light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH = 1000.0
LEFT, RIGHT = 64.0, 16.0
DAY, HOUR, MINUTE = 86_400.0, 3_600.0, 60.0
TIME_STEPS = (
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 4, 7, 14, 28, 56)),
)
TIME_TICKS = 9
VALUE_TICKS = 4

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A rectangle of the drawing: x from 0 to `seconds`, y from 0 at `bottom` up to `y_max` at `top`."""

    seconds: float
    y_max: float
    top: float
    bottom: float
    left: float = LEFT
    right: float = RIGHT

    def x(self, seconds: float) -> float:
        inside = min(max(seconds, 0.0), self.seconds)
        return self.left + inside / self.seconds * (WIDTH - self.left - self.right)

    def y(self, value: float) -> float:
        inside = min(max(value, 0.0), self.y_max)
        return self.bottom - inside / self.y_max * (self.bottom - self.top)

    def path(self, points: Points) -> str:
        return "M" + "L".join(f"{self.x(t):.1f} {self.y(v):.1f}" for t, v in points)

    def line(self, points: Points, style: str, tip: str = "") -> str:
        return f'<path class="line {style}" d="{self.path(points)}">{_tip(tip)}</path>'

    def area(self, points: Points, style: str) -> str:
        closed = [(points[0][0], 0.0), *points, (points[-1][0], 0.0)]
        return f'<path class="area {style}" d="{self.path(closed)}Z"/>'

    def grid(self, prefix: str = "") -> str:
        """Horizontal lines with values."""
        parts = []
        values = round_values(self.y_max)
        step = values[1] if len(values) > 1 else 1.0
        decimals = max(0, -floor(log10(step)))
        for value in values:
            y = self.y(value)
            parts.append(
                f'<line class="grid" x1="{self.left:g}" y1="{y:.1f}" x2="{WIDTH - self.right:g}" y2="{y:.1f}"/>'
                f'<text class="tick y" x="{self.left - 8:g}" y="{y + 4:.1f}">{prefix}{value:,.{decimals}f}</text>'
            )
        return "".join(parts)

    def time_axis(self) -> str:
        """Labels of time below the panel."""
        return "".join(
            text(self.x(at), self.bottom + 18, words, "tick x")
            for at, words in time_ticks(self.seconds)
        )


def time_ticks(seconds: float) -> list[tuple[float, str]]:
    """Round times since the start, and how they are called."""
    step = next((s for s in TIME_STEPS if seconds / s <= TIME_TICKS), TIME_STEPS[-1])
    count = floor(seconds / step + 1e-9)
    return [(i * step, clock(i * step, step)) for i in range(count + 1)]


def clock(seconds: float, step: float) -> str:
    """A time since the start in the largest unit that fits the step."""
    for unit, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if step >= unit:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


def round_values(largest: float) -> list[float]:
    """Round numbers from 0 to `largest`."""
    rough = largest / VALUE_TICKS
    scale = 10.0 ** floor(log10(rough))
    step = next(round(n * scale, 12) for n in (1, 2, 5, 10) if n * scale >= rough * 0.7)
    return [i * step for i in range(floor(largest / step + 1e-9) + 1)]


def text(x: float, y: float, content: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(content)}</text>'


def _tip(content: str) -> str:
    return f"<title>{escape(content)}</title>" if content else ""


def drawing(height: float, label: str, content: str) -> str:
    """The element around the shapes; `label` says for those who do not see it what it shows."""
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{content}</svg>'
    )


def figure(title: str, note: str, content: str, legend: Sequence[tuple[str, str]] = ()) -> str:
    """A figure with its title, a line that says how to read it, and keys of (style, words)."""
    keys = "".join(
        f'<span class="key"><svg viewBox="0 0 22 10" aria-hidden="true">'
        f'<path class="line {style}" d="M1 5H21"/></svg>{escape(words)}</span>'
        for style, words in legend
    )
    told = f"<p>{escape(note)}</p>" if note else ""
    return (
        f"<figure><figcaption><h2>{escape(title)}</h2>{told}"
        f'<div class="legend">{keys}</div></figcaption>{content}</figure>'
    )
