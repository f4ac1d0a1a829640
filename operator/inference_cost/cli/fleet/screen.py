"""The fleet on one screen: a sentence, and a line for each policy."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final

from inference_cost.cli import rendering
from inference_cost.cli.csv_text import as_csv
from inference_cost.cli.fleet.summary import Summary, fleet_sentence

RED, YELLOW, GREEN, PLAIN = "\033[31m", "\033[33m", "\033[32m", "\033[0m"
COLORS: Final = {"Violated": RED, "AtRisk": YELLOW, "Met": GREEN}
NONE: Final = "No policies here; -A looks in all namespaces."


class Output(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


def to_text(
    rows: Sequence[Summary], output: Output, *, color: bool = False, whole: bool = False
) -> str:
    """`whole`: with a sentence above the table, for a person; what reads a pipe gets the table alone."""
    match output:
        case Output.JSON:
            return rendering.as_json([row.to_json() for row in rows])
        case Output.YAML:
            return rendering.as_yaml([row.to_json() for row in rows])
        case Output.CSV:
            return to_csv([row.to_json() for row in rows])
        case Output.TABLE | Output.WIDE:
            cells = Summary.to_wide_cells if output is Output.WIDE else Summary.to_cells
            table = _table(rows, cells, color=color)
            told = (
                f"{rendering.bold(fleet_sentence(rows), color=color)}\n\n" if whole and rows else ""
            )
            return f"{told}{table}"


def _table(
    rows: Sequence[Summary], cells: Callable[[Summary], dict[str, str]], *, color: bool
) -> str:
    if not rows:
        return NONE
    head, *lines = rendering.table([cells(row) for row in rows]).splitlines()
    if color:
        lines = [_colored(line, row.slo) for line, row in zip(lines, rows, strict=True)]
    return "\n".join([rendering.bold(head, color=color), *lines])


def _colored(line: str, slo: str) -> str:
    """The state of the objective alone, the last of such words in the line: names come before it."""
    before, found, after = line.rpartition(f" {slo} ")
    if not found or slo not in COLORS:
        return line
    return f"{before} {COLORS[slo]}{slo}{PLAIN} {after}"


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The fields of JSON; without rows there are no heads either."""
    if not rows:
        return ""
    plain = [{key: _plain(value) for key, value in row.items()} for row in rows]
    return as_csv(plain, list(plain[0])).rstrip("\r\n")


def _plain(value: object) -> str:
    """As in JSON."""
    return str(value).lower() if isinstance(value, bool) else str(value)
