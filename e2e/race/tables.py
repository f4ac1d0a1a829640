"""The table of a trace, as rows of text for the page and for docs/race.md."""

from collections.abc import Sequence
from math import floor

from e2e.race.contestants import OPERATOR
from e2e.race.figures import Played, Race

HEADS = (
    "contestant",
    "GPU nodes",
    "cost ÷ operator’s",
    "in time",
    "late",
    "p50, p95, p99 (ms)",
    "replica-seconds",
    "most replicas",
    "changes",
    "the simulator expected",
    "load of the machine",
)
NONE = "–"


def rows_of(race: Race) -> list[tuple[str, ...]]:
    """Cost ratios are shown for who missed the objective as well."""
    ours = next((one.figures["costDollars"] for one in race.played if one.name == OPERATOR), 0.0)
    return [_row(one, ours) for one in race.played]


def markdown(race: Race) -> str:
    """Shares below the objective are in italics."""
    rows = [
        [
            f"*{cell}*" if head == "in time" and not one.kept else cell
            for head, cell in zip(HEADS, row, strict=True)
        ]
        for one, row in zip(race.played, rows_of(race), strict=True)
    ]
    return "\n".join(_line(cells) for cells in (HEADS, ["---"] * len(HEADS), *rows))


def percent(value: float) -> str:
    """Rounded down: an objective missed by little must not read as met."""
    return f"{floor(value * 100 + 1e-6) / 100:.2f} %"


def _row(one: Played, our_dollars: float) -> tuple[str, ...]:
    figures = one.figures
    ratio = f"{figures['costDollars'] / our_dollars:.2f}" if our_dollars else NONE
    return (
        one.title,
        f"${figures['costDollars']:.4f}",
        ratio,
        percent(figures["attainmentPercent"]),
        f"{figures['late']:,} of {figures['requests']:,}",
        ", ".join(f"{figures[f'p{p}Milliseconds']:.0f}" for p in (50, 95, 99)),
        f"{figures['replicaSeconds']:,.0f}",
        f"{figures['mostReplicas']}",
        f"{figures['scaleEvents']}",
        _expected(one),
        f"{one.load_average:.1f}",
    )


def _expected(one: Played) -> str:
    if one.forecast is None:
        return NONE
    return f"${one.forecast['cost_dollars']:.4f}, {percent(one.forecast['attainment_percent'])}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
