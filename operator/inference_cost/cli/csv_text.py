"""Rows as CSV for spreadsheets, in which no cell becomes a formula."""

import csv
import io
import re
from collections.abc import Mapping, Sequence

# A spreadsheet runs what begins so. Numbers and percentages may begin with a minus.
_NUMBER = re.compile(r"-?\d+(\.\d+)?%?", re.ASCII)
_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - full width is read as well
_BLANKS = ("\t", "\r", "\n")


def as_csv(rows: Sequence[Mapping[str, str]], heads: Sequence[str]) -> str:
    """RFC 4180, with a head; every row has all columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({head: safe(row[head]) for head in heads} for row in rows)
    return text.getvalue()


def safe(cell: str) -> str:
    """With a quote before what would be run."""
    runs = cell.startswith(_BLANKS) or cell.lstrip().startswith(_STARTS)
    return f"'{cell}" if runs and not _NUMBER.fullmatch(cell) else cell
