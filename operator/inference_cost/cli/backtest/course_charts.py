"""What happened over time: replicas over traffic, where requests were late, what was spent."""

from collections.abc import Sequence
from html import escape

from inference_cost.cli.backtest.courses import Drawn, cumulative, extremes, late_shares, levels
from inference_cost.cli.backtest.words import Bounds, dollars, percent, title
from inference_cost.cli.page import svg

TRAFFIC_TOP, TRAFFIC_BOTTOM = 22.0, 122.0
REPLICAS_TOP, REPLICAS_BOTTOM = 158.0, 330.0
REPLICAS_HEIGHT = 356.0
ROW, STRIP = 22.0, 15.0
NAMES_WIDTH = 216.0
LATE_LEVELS = (0.05, 0.20, 0.50)
COST_HEIGHT, COST_TOP, COST_BOTTOM = 380.0, 20.0, 346.0
COST_RIGHT, LABEL_LINE = 262.0, 14.0
ROOM = 1.06


def _seconds(rows: Sequence[Drawn]) -> float:
    return max(len(row.course.requests) * row.course.width_seconds for row in rows)


def replicas_chart(rows: Sequence[Drawn]) -> str:
    """Ours, and one other to choose, below the traffic. Choosing needs no script."""
    ours, others = rows[0], rows[1:]
    seconds = _seconds(rows)
    width = ours.course.width_seconds
    rates = extremes(ours.course.requests / width, width)
    traffic = svg.Panel(
        seconds=seconds,
        y_max=max(max(v for _, v in rates) * ROOM, 1e-9),
        top=TRAFFIC_TOP,
        bottom=TRAFFIC_BOTTOM,
    )
    most = max(float(row.course.billed.max()) for row in rows)
    replicas = svg.Panel(
        seconds=seconds, y_max=max(most * ROOM, 1.0), top=REPLICAS_TOP, bottom=REPLICAS_BOTTOM
    )
    billed = levels(ours.course.billed, width)
    content = (
        traffic.grid()
        + svg.text(svg.LEFT, TRAFFIC_TOP - 8, "requests per second", "note")
        + traffic.area(rates, "c-load")
        + traffic.line(rates, "c-load")
        + replicas.grid()
        + replicas.time_axis()
        + svg.text(svg.LEFT, REPLICAS_TOP - 8, "replicas paid for", "note")
        + "".join(_other(replicas, i, row) for i, row in enumerate(others))
        + replicas.line(billed, "c-ours", title(ours.run))
    )
    drawn = svg.drawing(
        REPLICAS_HEIGHT,
        f"Requests per second, and replicas of {title(ours.run)}, over time",
        content,
    )
    return svg.figure(
        "Replicas over traffic",
        "The lowest and the highest value of each moment are drawn.",
        _choices(others) + drawn,
        [("c-ours", title(ours.run)), ("c-chosen", "the one chosen")] if others else [],
    )


def _other(panel: svg.Panel, number: int, row: Drawn) -> str:
    points = levels(row.course.billed, row.course.width_seconds)
    return f'<g class="choice n{number}">{panel.line(points, "c-chosen", title(row.run))}</g>'


def _choices(others: Sequence[Drawn]) -> str:
    """Radio buttons; the style shows the line of the one that is checked."""
    if not others:
        return ""
    rules = ",".join(f"figure:has(#with{i}:checked) .n{i}" for i in range(len(others)))
    buttons = "".join(
        f'<label><input type="radio" name="with" id="with{i}"{" checked" if i == 0 else ""}>'
        f"{escape(title(row.run))}</label>"
        for i, row in enumerate(others)
    )
    return (
        f'<style>{rules}{{display:inline}}</style><fieldset class="choices"><legend>Compare with</legend>'
        f"{buttons}</fieldset>"
    )


def late_chart(rows: Sequence[Drawn], target_percent: float) -> str:
    """A strip over time per controller, the darker the more of its requests were late."""
    panel = svg.Panel(
        seconds=_seconds(rows), y_max=1.0, top=0.0, bottom=len(rows) * ROW, left=NAMES_WIDTH
    )
    allowed = 1 - target_percent / 100
    strips = "".join(_strip(panel, n * ROW, row, allowed) for n, row in enumerate(rows))
    worst = ", ".join(f"{title(r.run)} {percent(r.run.worst_hour_percent)}" for r in rows)
    limits = "".join(
        f'<span class="key"><i class="late{level}"></i>{escape(words)}</span>'
        for level, words in enumerate(_level_words(100 * allowed), start=1)
    )
    return svg.figure(
        "Where requests were late",
        "Each strip is the whole time; where nothing is drawn, the objective was met.",
        f'<div class="legend">{limits}</div>'
        + svg.drawing(
            panel.bottom + 26,
            f"Share answered in time in the worst hour: {worst}",
            strips + panel.time_axis(),
        ),
    )


def _level_words(allowed_percent: float) -> tuple[str, ...]:
    limits = [f"{100 * limit:g}" for limit in LATE_LEVELS]
    steps = zip([f"{allowed_percent:g}", *limits], limits, strict=False)
    return (*(f"{low} to {high} % late" for low, high in steps), f"more than {limits[-1]} %")


def _strip(panel: svg.Panel, top: float, row: Drawn, allowed: float) -> str:
    style = "c-ours" if row.run.kind == "ours" else ""
    left, right = panel.x(0), panel.x(panel.seconds)
    tip = f"{title(row.run)}: {percent(row.run.attainment_percent)} in time"
    cells = "".join(
        f'<rect class="late{level}" x="{panel.x(start):.1f}" y="{top:g}" '
        f'width="{panel.x(end) - panel.x(start):.1f}" height="{STRIP:g}"/>'
        for start, end, level in _stretches(row, allowed)
    )
    return (
        svg.text(NAMES_WIDTH - 10, top + STRIP - 3, title(row.run), f"name {style}")
        + f'<rect class="track" x="{left:.1f}" y="{top:g}" width="{right - left:.1f}" '
        f'height="{STRIP:g}"><title>{escape(tip)}</title></rect>{cells}'
    )


def _stretches(row: Drawn, allowed: float) -> list[tuple[float, float, int]]:
    """Neighboring cells of one level as one."""
    found: list[tuple[float, float, int]] = []
    for start, end, share in late_shares(row.course):
        level = 0 if share <= allowed else 1 + sum(share > limit for limit in LATE_LEVELS)
        if found and found[-1][2] == level and found[-1][1] == start:
            found[-1] = (found[-1][0], end, level)
        else:
            found.append((start, end, level))
    return [one for one in found if one[2]]


def cost_chart(rows: Sequence[Drawn], bounds: Bounds) -> str:
    """Money spent since the end of the excluded start, one line per controller, the name at its end."""
    seconds = _seconds(rows)
    totals = [float(row.course.dollars.sum()) for row in rows]
    least = [float(bound.cost_dollars) for bound in bounds.all()]
    panel = svg.Panel(
        seconds=seconds,
        y_max=max(max(*totals, *least, 0.0) * ROOM, 0.01),
        top=COST_TOP,
        bottom=COST_BOTTOM,
        right=COST_RIGHT,
    )
    lines = [
        panel.line(
            cumulative(row.course.dollars, row.course.width_seconds),
            _cost_style(row),
            title(row.run),
        )
        for row in reversed(rows)
    ]
    ends = [
        (total, f"{title(row.run)} {dollars(total)}", "c-ours" if row.run.kind == "ours" else "")
        for total, row in zip(totals, rows, strict=True)
    ]
    for name, bound in bounds.named():
        cost = float(bound.cost_dollars)
        y = panel.y(cost)
        lines.append(
            f'<line class="line c-bound" x1="{svg.LEFT:g}" y1="{y:.1f}" '
            f'x2="{svg.WIDTH - COST_RIGHT:g}" y2="{y:.1f}"/>'
        )
        ends.append((cost, f"{name} {dollars(cost)}", "c-bound"))
    content = panel.grid("$") + panel.time_axis() + "".join(lines) + _ends(panel, ends)
    return svg.figure(
        "Cost over time",
        "Dollars spent, but for the start that does not count; dashed: tuned in hindsight.",
        svg.drawing(COST_HEIGHT, "; ".join(words for _, words, _ in ends), content),
    )


def _cost_style(row: Drawn) -> str:
    if row.run.kind == "ours":
        return "c-ours"
    return "c-other tuned" if row.run.knob.startswith("tuned") else "c-other"


def _ends(panel: svg.Panel, ends: Sequence[tuple[float, str, str]]) -> str:
    """Labels at the right ends of lines, moved apart where they are too near, joined to their line."""
    ordered = sorted(ends, key=lambda end: -end[0])
    places: list[float] = []
    for value, _, _ in ordered:
        wanted = panel.y(value)
        places.append(max(wanted, places[-1] + LABEL_LINE) if places else wanted)
    excess = max(places[-1] - (panel.bottom + LABEL_LINE), 0.0)
    x = svg.WIDTH - panel.right
    parts = []
    for (value, words, style), place in zip(ordered, places, strict=True):
        y = place - excess
        parts.append(
            f'<path class="leader" d="M{x:.1f} {panel.y(value):.1f}L{x + 8:.1f} {y:.1f}"/>'
            + svg.text(x + 11, y + 4, words, f"label {style}")
        )
    return "".join(parts)
