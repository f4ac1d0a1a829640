"""Times from order to ready from a CSV file, one row per start."""

import numpy as np

from inference_cost.cli.backtest.csv_file import CsvTable, open_table
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.failure import CommandError

LONGEST_SECONDS = 86_400.0
COLUMNS = {"seconds": 1.0, "start_seconds": 1.0, "load_s": 1.0, "load_ms": 0.001}
"""Columns that may hold the time, and how many seconds their unit is."""


def read_starts(path: str) -> tuple[tuple[float, ...], FileRead]:
    """Seconds of each start.

    Raises:
        CommandError: the file is not what it should be; names line, column and what to do.
    """
    with open_table(path) as table:
        column = _column(table)
        seconds: list[float] = []
        for chunk in table.chunks():
            (values,) = chunk.numbers(column)
            if values.min() < 0:
                chunk.fail(int(np.argmax(values < 0)), column, "must not be negative")
            if (values * COLUMNS[column]).max() > LONGEST_SECONDS:
                chunk.fail(int(np.argmax(values)), column, f"is more than {LONGEST_SECONDS:,.0f} s")
            seconds += (values * COLUMNS[column]).tolist()
        return tuple(seconds), table.read_file("start times")


def _column(table: CsvTable) -> str:
    found = [column for column in COLUMNS if column in table.columns]
    if not found:
        table.require(
            "seconds", f"the times are in one of {', '.join(COLUMNS)}, and the name tells the unit"
        )
    if len(found) > 1:
        raise CommandError(
            f"{table.name}, line 1: both {found[0]} and {found[1]} are there; remove one"
        )
    return found[0]
