"""CSV files of any length, gzip or plain, read in chunks of rows; what is wrong is told by line and column.

Rules of CSV as usual: commas, `"` around fields that need it, a first line with the names of the columns.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from inference_cost.cli.backtest.text_file import FileRead, TextFile, open_text
from inference_cost.cli.failure import CommandError

SHOWN_COLUMNS = 12
SHOWN_CHARACTERS = 40
UNITS = {"t_s": ": it must be seconds, counted from any start"}

Floats = NDArray[np.float64]


class Chunk:
    """Some rows of a table, in order. `text`: whole rows; `line_before`: number of the line before."""

    def __init__(self, table: "CsvTable", text: str, line_before: int) -> None:
        self._table = table
        self._lines = list(io.StringIO(text, newline=""))
        self._before = line_before
        self._plain = _plain(text, self._lines, len(table.columns))
        self.size = len(self._lines) if self._plain else len(self._rows)

    def numbers(self, *columns: str) -> tuple[Floats, ...]:
        """The values of some columns.

        Raises:
            CommandError: one is not a finite number.
        """
        chosen = [self._table.columns.index(column) for column in columns]
        found = self._quickly(chosen) if self._plain else None
        values = self._one_by_one(columns, chosen) if found is None else found
        for column, numbers in zip(columns, values, strict=True):
            finite = np.isfinite(numbers)
            if not finite.all():
                self.fail(int(np.argmin(finite)), column, "must be a finite number")
        return values

    def texts(self, column: str) -> list[str]:
        return list(map(itemgetter(self._table.columns.index(column)), self._rows))

    def fail(self, row: int, column: str, message: str) -> NoReturn:
        """Raises CommandError naming the line of `row`, the column, the value and what to do."""
        value = self._rows[row][self._table.columns.index(column)]
        shown = value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "…"
        line = self._numbered[row][0]
        raise CommandError(f"{self._table.name}, line {line}, column {column}: {shown!r} {message}")

    def _quickly(self, chosen: list[int]) -> tuple[Floats, ...] | None:
        try:
            values = np.loadtxt(
                self._lines, delimiter=",", usecols=chosen, comments=None, ndmin=2, unpack=True
            )
        except ValueError:
            return None  # told field by field
        return tuple(values) if values.shape[1] == len(self._lines) else None

    def _one_by_one(self, columns: tuple[str, ...], chosen: list[int]) -> tuple[Floats, ...]:
        try:
            return tuple(
                np.array(list(map(float, map(itemgetter(index), self._rows)))) for index in chosen
            )
        except ValueError:
            self._blame(columns, chosen)

    def _blame(self, columns: tuple[str, ...], chosen: list[int]) -> NoReturn:
        for number, row in enumerate(self._rows):
            for column, index in zip(columns, chosen, strict=True):
                if not is_number(row[index]):
                    empty = not row[index].strip()
                    self.fail(number, column, "is empty" if empty else _no_number(column))
        raise AssertionError("a field that failed as part of a chunk is fine on its own")

    @cached_property
    def _rows(self) -> list[list[str]]:
        return [row for _, row in self._numbered]

    @cached_property
    def _numbered(self) -> list[tuple[int, list[str]]]:
        """Rows with the numbers of the lines where they start; blank lines are no rows."""
        name, width = self._table.name, len(self._table.columns)
        reader = csv.reader(self._lines)
        found: list[tuple[int, list[str]]] = []
        start = self._before + 1
        try:
            for row in reader:
                if row and len(row) != width:
                    raise CommandError(
                        f"{name}, line {start}: the number of fields is {len(row)} where the header "
                        f"has {width}"
                    )
                if row:
                    found.append((start, row))
                start = self._before + reader.line_num + 1
        except csv.Error as error:
            raise CommandError(f"{name}, line {start}: this is not CSV: {error}") from None
        return found


def _no_number(column: str) -> str:
    return f"is not a number{UNITS.get(column, '')}"


def _plain(text: str, lines: list[str], width: int) -> bool:
    """Whether each line is surely one row, without quotes; a chunk that is not is read more slowly."""
    full = text.count(",") == len(lines) * (width - 1)
    return full and '"' not in text and (width > 1 or all(map(str.strip, lines)))


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table whose first line is read; `chunks` may be gone through once."""

    name: str
    columns: tuple[str, ...]
    _text: TextFile

    def require(self, column: str, advice: str = "") -> None:
        """Raises CommandError where there is no such column."""
        if column not in self.columns:
            shown = ", ".join(c[:SHOWN_CHARACTERS] for c in self.columns[:SHOWN_COLUMNS])
            more = f"; {advice}" if advice else ""
            raise CommandError(
                f"{self.name}, line 1: there is no column {column!r}; the columns are {shown}{more}"
            )

    def chunks(self) -> Iterator[Chunk]:
        """All rows.

        Raises:
            CommandError: a row is not as long as the header, or the file is damaged, or has no row.
        """
        rows = 0
        for before, text in self._text.blocks():
            chunk = Chunk(self, text, before)
            rows += chunk.size
            if chunk.size:
                yield chunk
        if not rows:
            raise CommandError(f"{self.name}: there is no row below the header line")

    def read_file(self, role: str) -> FileRead:
        """What was read, after the last chunk."""
        return self._text.read_file(role)


@contextmanager
def open_table(path: str) -> Iterator[CsvTable]:
    """Open a CSV file and read its header.

    Raises:
        CommandError: no such file, not readable, not text, empty, or without a header.
    """
    with open_text(path) as text:
        header = next(csv.reader([text.first_line()]), [])
        yield CsvTable(text.name, _columns(text.name, header), text)


def _columns(name: str, header: list[str]) -> tuple[str, ...]:
    columns = tuple(column.strip() for column in header)
    if not any(columns):
        raise CommandError(f"{name}, line 1: it must name the columns, for example t_s,count")
    if all(is_number(column) for column in columns):
        raise CommandError(
            f"{name}, line 1: it holds numbers; a first line must name the columns, for example "
            "t_s,count"
        )
    twice = [column for column in columns if column and columns.count(column) > 1]
    if twice:
        raise CommandError(f"{name}, line 1: two columns have the name {twice[0]!r}")
    return columns


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
