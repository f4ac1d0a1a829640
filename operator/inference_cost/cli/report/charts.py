"""The charts of a report: cost, savings and objective over time, and the objective against the cost."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import accumulate

from inference_cost.cli.page.chart import Axes, Chart
from inference_cost.cli.report.document import PieceSides, ReportDocument, SidesPart

ROOM = 1.08
LEAST_MONEY = 1e-6
MOST_TICKS = 8
HOUR, DAY = 3600.0, 86_400.0
STEPS = (
    *(60.0 * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 4, 7, 14, 28, 56, 112)),
)
MOST_OF_ALLOWED = 10.0  # further right all look alike


def cost_chart(document: ReportDocument) -> Chart:
    """Money per hour, piece by piece; what no replica requested on top."""
    per_hour = 3600 / document.window.piece_seconds
    policies = [float(piece.policies) * per_hour for piece in document.pieces]
    whole = [
        mine + float(piece.unused) * per_hour
        for mine, piece in zip(policies, document.pieces, strict=True)
    ]
    steady = [value for i, value in enumerate(whole) if not _after_silence(document, i)]
    highest = max(steady or whole)
    cut = (
        " What is above is the cost of the time not recorded before it."
        if max(whole) > highest
        else ""
    )
    chart = Chart(
        f"Cost per hour, {document.currency}",
        _axes(document, max(highest, LEAST_MONEY)),
        note=f"The mean of each {_piece_words(document)}. The lower surface is what replicas of policies were "
        f"charged.{cut}",
    )
    _shade_unknown(chart, document)
    chart.area(_stairs(document, whole), "c-load", "all nodes, what no replica requested included")
    chart.area(_stairs(document, policies), "c-ours", "replicas of policies")
    return chart


def _after_silence(document: ReportDocument, index: int) -> bool:
    """Its cost is that of a longer time."""
    return index > 0 and not document.pieces[index - 1].recorded


def savings_charts(document: ReportDocument) -> list[Chart]:
    """Of each state, for it is of other policies and hours."""
    states = (
        ("Measured", [one.measured for one in document.pieces], document.totals.measured, "paid"),
        (
            "Potential",
            [one.potential for one in document.pieces],
            document.totals.potential,
            "what the decisions would have cost",
        ),
    )
    return [
        _savings_chart(document, state, pieces, whole, words)
        for state, pieces, whole, words in states
        if whole is not None
    ]


def _savings_chart(
    document: ReportDocument,
    state: str,
    pieces: Sequence[PieceSides | None],
    whole: SidesPart,
    words: str,
) -> Chart:
    """Both sides, summed up. Where one is not known neither grows."""
    theirs = _running([None if one is None else one.baseline_cost for one in pieces])
    ours = _running([None if one is None else one.cost for one in pieces])
    chart = Chart(
        f"{state} savings: both sides so far, {document.currency}",
        _axes(document, max(*theirs, *ours, LEAST_MONEY)),
        note=f"Whole nodes of {', '.join(whole.policies)}, at the same objective. Neither line grows while one side is "
        "not known.",
    )
    chart.line(_ends(document, theirs), "c-limit", "the baseline")
    chart.line(_ends(document, ours), "c-ours", words)
    return chart


def in_time_chart(document: ReportDocument) -> Chart | None:
    """Late requests, so that what matters is not a line along the top."""
    late = [
        (i, 100 - piece.in_time_percent)
        for i, piece in enumerate(document.pieces)
        if piece.in_time_percent is not None
    ]
    if not late:
        return None
    targets = {one.target_percent for one in document.policies} - {None}
    allowed = [100 - target for target in targets if target is not None]
    chart = Chart(
        "Late requests, percent",
        _axes(document, max([value for _, value in late] + allowed + [0.01]), suffix=" %"),
        note="Of all policies' requests, as the operator measures them: each over the time before it "
        "(`decision.slo_window_seconds`).",
    )
    width = document.window.piece_seconds
    for run in _runs(late):
        points = [(i * width, value) for i, value in run]
        points.append(((run[-1][0] + 1) * width, run[-1][1]))
        chart.steps(points, "c-ours")
    chart.legend.append(("c-ours", "late"))
    if len(allowed) == 1:
        chart.level(allowed[0], "c-limit", "what the objective allows")
    return chart


def objective_chart(document: ReportDocument) -> Chart | None:
    """Each policy's cost against how much of its error budget was used."""
    dots = [
        (one, one.late_of_allowed) for one in document.policies if one.late_of_allowed is not None
    ]
    if not dots:
        return None
    furthest = min(max([used for _, used in dots] + [1.25]) * ROOM, MOST_OF_ALLOWED)
    highest = max(float(one.cost) for one, _ in dots)
    chart = Chart(
        "Objective against cost",
        Axes(
            seconds=furthest,
            y_max=max(highest * ROOM, LEAST_MONEY),
            ticks=[(float(n) / 4, f"{n / 4:g}") for n in _quarters(furthest)],
        ),
        note=f"Right: late requests ÷ those that the objective allows; more than 1 misses it. Up: cost, "
        f"{document.currency}. Far left and high: room to spend less.",
    )
    chart.upright(1.0, "c-limit", "the objective")
    for one, used in dots:
        chart.dot(
            used,
            float(one.cost),
            "c-ours" if used <= 1 else "c-limit",
            f"{one.namespace}/{one.name}: {one.cost} {document.currency}, {one.in_time_percent:g} % in time",
            one.name,
        )
    return chart


def _quarters(furthest: float) -> Iterable[int]:
    step = next(n for n in (1, 2, 4, 8) if furthest * 4 / n <= MOST_TICKS)
    return range(0, int(furthest * 4) + 1, step)


def _axes(document: ReportDocument, highest: float, suffix: str = "") -> Axes:
    return Axes(
        seconds=document.window.hours * HOUR,
        y_max=highest * ROOM,
        suffix=suffix,
        ticks=_calendar(document),
    )


def _calendar(document: ReportDocument) -> list[tuple[float, str]]:
    """Round times of UTC."""
    begin = datetime.fromisoformat(document.window.begin)
    seconds = document.window.hours * HOUR
    step = next((s for s in STEPS if seconds / s <= MOST_TICKS), STEPS[-1])
    midnight = datetime(begin.year, begin.month, begin.day, tzinfo=UTC)
    found, at = [], midnight
    while (after := (at - begin).total_seconds()) <= seconds:
        if after >= 0:
            found.append((after, f"{at:%H:%M}" if step < DAY else f"{at.day} {at:%b}"))
        at += timedelta(seconds=step)
    return found


def _piece_words(document: ReportDocument) -> str:
    seconds = document.window.piece_seconds
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (60.0, "minute")):
        if seconds >= unit:
            return name if seconds == unit else f"{seconds / unit:g} {name}s"
    return f"{seconds:g} seconds"


def _stairs(document: ReportDocument, values: Sequence[float]) -> list[tuple[float, float]]:
    width = document.window.piece_seconds
    return [
        point
        for i, value in enumerate(values)
        for point in ((i * width, value), ((i + 1) * width, value))
    ]


def _running(amounts: Sequence[str | None]) -> list[float]:
    sums = accumulate(Decimal(one) if one is not None else Decimal(0) for one in amounts)
    return [0.0, *map(float, sums)]


def _ends(document: ReportDocument, values: Sequence[float]) -> list[tuple[float, float]]:
    width = document.window.piece_seconds
    return [(i * width, value) for i, value in enumerate(values)]


def _shade_unknown(chart: Chart, document: ReportDocument) -> None:
    width = document.window.piece_seconds
    unknown = [(i, 0.0) for i, piece in enumerate(document.pieces) if not piece.recorded]
    for number, run in enumerate(_runs(unknown)):
        note = "not recorded" if number == 0 else ""
        chart.shade(run[0][0] * width, (run[-1][0] + 1) * width, note)


def _runs(found: Sequence[tuple[int, float]]) -> list[list[tuple[int, float]]]:
    """Neighbors together."""
    runs: list[list[tuple[int, float]]] = []
    for one in found:
        if runs and runs[-1][-1][0] == one[0] - 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs
