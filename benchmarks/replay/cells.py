"""How figures and tables are written in `docs/benchmarks.md`."""

from collections.abc import Sequence
from math import floor

from benchmarks.replay.rows import Row
from benchmarks.replay.scenarios import OBJECTIVE

TARGET_PERCENT = 100 * OBJECTIVE.target_fraction
NONE = "–"


def meets(row: Row) -> bool:
    return row.attainment_percent >= TARGET_PERCENT


def percent(value: float) -> str:
    """Rounded down, so that 98.96 does not look like 99.0."""
    return f"{floor(value * 10) / 10:.1f}"


def cell(row: Row | None) -> str:
    """Cost as a multiple of the bound, and attainment; in italics where the objective is missed."""
    if row is None:
        return NONE
    ratio = NONE if row.ratio_to_bound is None else f"{row.ratio_to_bound:.2f}"
    text = f"{ratio} ({percent(row.attainment_percent)})"
    return text if meets(row) else f"*{text}*"


def tuned_cell(row: Row | None) -> str:
    """As `cell`; "never" where no knob of the grid meets the objective."""
    return "never" if row is not None and not meets(row) else cell(row)


def span(rows: Sequence[Row]) -> str:
    """Smallest and largest over several seeds."""
    ratios = [row.ratio_to_bound for row in rows if row.ratio_to_bound is not None]
    shares = [row.attainment_percent for row in rows]
    if not ratios:
        return NONE
    text = f"{min(ratios):.2f}–{max(ratios):.2f} ({percent(min(shares))}–{percent(max(shares))})"
    return text if all(map(meets, rows)) else f"*{text}*"


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a sentence where there is nothing to show."""
    if not lines:
        return "Not run."
    shown = [heads, ["---"] * len(heads), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in shown)
