"""Arrivals from a CSV file: counts or rates per bin of one width, or one row per request; of one policy or of many."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inference_cost.cli.backtest.csv_file import Chunk, CsvTable, Floats, open_table
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.failure import CommandError
from inference_cost.simulate.traffic import MOST_REQUESTS, Traffic

TIME, COUNT, POLICY = "t_s", "count", "policy"
REQUEST_BIN_SECONDS = 10.0  # the simulator's steps; single requests are shifted by whole ones
WIDTH_TOLERANCE = 1e-3  # of a bin
DAY = 86_400.0
LONGEST_SECONDS = 400 * DAY
MOST_IN_A_BIN = 1e9
FARTHEST_SECONDS = 1e14
NAMED = 12  # columns
EVEN_ROWS, EVEN_SHARE = 10, 0.9  # so many rows, so evenly spaced, are bins and no single requests


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """Traffic by policy as named in the file; "" where the file has no column `policy`.

    `origins`: time in the file that is 0 in each traffic. `form`: counts, rates or requests.
    """

    traffic: dict[str, Traffic]
    origins: dict[str, float]
    form: str
    column: str
    file: FileRead

    @property
    def by_policy(self) -> bool:
        return "" not in self.traffic


def read_arrivals(
    path: str, *, column: str = "", rate_column: str = "", keep_times: bool = False
) -> Arrivals:
    """Read arrivals. `column`: of counts (else `count`); `rate_column`: of requests/s instead.

    Without any of these, or where `column` is `t_s` itself, a row is one request; its own time is kept with
    `keep_times`, else only its bin of 10 s.

    Raises:
        CommandError: the file is not what it should be; names line, column and what to do.
    """
    with open_table(path) as table:
        table.require(TIME)
        name, form = _value_column(table, column, rate_column)
        if form == "requests":
            series = _read_requests(table, keep_times=keep_times, insisted=column == TIME)
        else:
            series = _read_bins(table, name, rates=form == "rates")
        file = table.read_file("arrivals")
    traffic = {policy: one for policy, (one, _) in series.items()}
    origins = {policy: origin for policy, (_, origin) in series.items()}
    _require_requests(table.name, traffic)
    return Arrivals(traffic=traffic, origins=origins, form=form, column=name, file=file)


def _value_column(table: CsvTable, column: str, rate_column: str) -> tuple[str, str]:
    if rate_column:
        table.require(rate_column)
        return rate_column, "rates"
    if column == TIME and POLICY not in table.columns:
        return TIME, "requests"
    if column:
        table.require(column)
        return column, "counts"
    if COUNT in table.columns:
        return COUNT, "counts"
    if POLICY in table.columns:
        table.require(COUNT, "arrivals of many policies are given as policy,t_s,count")
    return TIME, "requests"


def _require_requests(name: str, traffic: dict[str, Traffic]) -> None:
    if all(one.requests <= 0 for one in traffic.values()):
        raise CommandError(f"{name}: every count is 0: there is nothing to replay")


# --- counts or rates per bin ---------------------------------------------------------------------


@dataclass(slots=True)
class _Bins:
    """One policy's bins so far. The first two times give the width; every other row must fit it."""

    name: str  # of the policy, "" where the file has none
    first: float = 0.0
    width: float = 0.0
    last: float = 0.0
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def take(self, chunk: Chunk, chosen: NDArray[np.int64], times: Floats, values: Floats) -> None:
        """Append rows `chosen` (their numbers in the chunk), in order.

        Raises:
            CommandError: a time is not one width after the one before.
        """
        if not len(self.values):
            self.first = self.last = float(times[0])
        else:
            times = np.concatenate(([self.last], times))
        if not self.width and len(times) > 1:
            self.width = float(times[1] - times[0])
        steps = np.diff(times)
        wrong = np.abs(steps - self.width) > WIDTH_TOLERANCE * self.width
        wrong |= steps <= 0
        if wrong.any():
            at = int(np.argmax(wrong))
            row = int(chosen[len(chosen) - len(steps) + at])
            chunk.fail(row, TIME, _wrong_step(times[at], float(steps[at]), self.width))
        self.last = float(times[-1])
        self.values.frombytes(np.ascontiguousarray(values).tobytes())


def _wrong_step(before: float, step: float, width: float) -> str:
    if step < 0:
        return f"comes after {before:.12g}: times must ascend; sort the rows by {TIME}"
    if step == 0:
        return (
            f"is there twice: add up the rows of one time, or, where a row is one request, name no "
            f"column {COUNT}"
        )
    if step > width:
        return (
            f"leaves a gap of {step:.12g} s after {before:.12g} where bins are {width:.12g} s wide: "
            "missing is not zero; add rows with 0 if there was no traffic, or use the part before or "
            "after"
        )
    return f"is {step:.12g} s after {before:.12g} where bins are {width:.12g} s wide"


def _read_bins(table: CsvTable, column: str, *, rates: bool) -> dict[str, tuple[Traffic, float]]:
    """Traffic and its origin, by policy."""
    bins: dict[str, _Bins] = {}
    for chunk in table.chunks():
        times, values = chunk.numbers(TIME, column)
        _require_seconds(chunk, times)
        if values.min() < 0:
            chunk.fail(int(np.argmax(values < 0)), column, "must not be negative")
        if values.max() > MOST_IN_A_BIN:
            too_many = int(np.argmax(values > MOST_IN_A_BIN))
            chunk.fail(too_many, column, f"must be at most {MOST_IN_A_BIN:,.0f}")
        for policy, chosen in _groups(table, chunk):
            one = bins.setdefault(policy, _Bins(policy))
            one.take(chunk, chosen, times[chosen], values[chosen])
    found = {
        name: (_bins_traffic(table.name, one, rates=rates), one.first) for name, one in bins.items()
    }
    _require_one_clock(table.name, list(bins.values()))
    return found


def _require_one_clock(file: str, bins: Sequence[_Bins]) -> None:
    first, last = min(bins, key=lambda one: one.first), max(bins, key=lambda one: one.last)
    if last.last - first.first > LONGEST_SECONDS:
        raise CommandError(
            f"{file}, column {TIME}: policy {first.name!r} begins {(last.last - first.first) / DAY:,.0f} days "
            f"before policy {last.name!r} ends, the most is {LONGEST_SECONDS / DAY:.0f}; give their times by "
            "one clock, in seconds"
        )


def _groups(table: CsvTable, chunk: Chunk) -> list[tuple[str, NDArray[np.int64]]]:
    """Policies of some rows, and the numbers of their rows."""
    if POLICY not in table.columns:
        return [("", np.arange(chunk.size))]
    names = [name.strip() for name in chunk.texts(POLICY)]
    if "" in names:
        chunk.fail(names.index(""), POLICY, "is empty")
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    codes = np.array([order[name] for name in names])
    return [(name, np.flatnonzero(codes == number)) for name, number in order.items()]


def _bins_traffic(file: str, bins: _Bins, *, rates: bool) -> Traffic:
    counts = np.array(bins.values)
    if len(counts) < 2:  # noqa: PLR2004 - two times make one width
        of = f" of policy {bins.name!r}" if bins.name else ""
        raise CommandError(
            f"{file}: there is one row{of}; at least two are needed to know how wide a bin is"
        )
    if bins.width * len(counts) > LONGEST_SECONDS:
        raise CommandError(f"{file}, column {TIME}: {_too_long(bins.width * len(counts))}")
    # The mean width: rounded times, such as thirds of a second, do not add up to a drift.
    width = (bins.last - bins.first) / (len(counts) - 1)
    width = bins.width if abs(width - bins.width) < WIDTH_TOLERANCE**2 * width else width
    return Traffic(width_seconds=width, counts=counts * width if rates else counts)


def _require_seconds(chunk: Chunk, times: Floats) -> None:
    """Beyond these a difference of times is none any more."""
    far = np.abs(times) > FARTHEST_SECONDS
    if far.any():
        chunk.fail(int(np.argmax(far)), TIME, "is too far away; are the times in seconds?")


def _too_long(seconds: float) -> str:
    return (
        f"the file covers {seconds / DAY:,.0f} days, the most is {LONGEST_SECONDS / DAY:.0f}; are "
        "the times in seconds?"
    )


# --- one row per request -------------------------------------------------------------------------


def _read_requests(
    table: CsvTable, *, keep_times: bool, insisted: bool
) -> dict[str, tuple[Traffic, float]]:
    counts, times = np.zeros(0), array("d")
    origin, last = 0.0, -np.inf
    for chunk in table.chunks():
        (seen,) = chunk.numbers(TIME)
        _require_seconds(chunk, seen)
        if last == -np.inf:
            if not insisted:
                _require_single_requests(table, seen)
            origin = float(seen[0] // REQUEST_BIN_SECONDS * REQUEST_BIN_SECONDS)
        steps = np.diff(seen, prepend=max(last, seen[0]) if last == -np.inf else last)
        if steps.min() < 0:
            at = int(np.argmax(steps < 0))
            before = seen[at - 1] if at else last
            chunk.fail(at, TIME, _wrong_step(float(before), -1.0, 0.0))
        last = float(seen[-1])
        if last - origin > LONGEST_SECONDS:
            at = int(np.argmax(seen - origin > LONGEST_SECONDS))
            chunk.fail(at, TIME, f"is too late: {_too_long(float(seen[at]) - origin)}")
        counts = _counted(counts, seen - origin)
        if keep_times:
            times.frombytes((seen - origin).tobytes())
            _require_few(table.name, len(times))
    kept = np.frombuffer(times, dtype=np.float64) if keep_times else None
    return {"": (Traffic(width_seconds=REQUEST_BIN_SECONDS, counts=counts, times=kept), origin)}


def _require_single_requests(table: CsvTable, times: Floats) -> None:
    """Times at one distance, beside other columns, are bins whose column of counts has another name."""
    others = [column for column in table.columns if column != TIME]
    if not others or len(times) < EVEN_ROWS:
        return
    steps = np.diff(times)
    width = float(np.median(steps))
    if width > 0 and np.mean(np.abs(steps - width) <= WIDTH_TOLERANCE * width) >= EVEN_SHARE:
        raise CommandError(
            f"{table.name}: there is no column {COUNT!r} and the rows are {width:.12g} s apart, as counts per "
            f"bin are: name the column of the counts with --column NAME (there: {', '.join(others[:NAMED])}), "
            f"or that of requests/s with --rate-column NAME; where each row is one request: --column {TIME}"
        )


def _counted(counts: Floats, times: Floats) -> Floats:
    """Counts per bin, with requests at ascending `times` added."""
    first = int(times[0] // REQUEST_BIN_SECONDS)
    more = np.bincount((times // REQUEST_BIN_SECONDS).astype(np.int64) - first)
    longer = np.zeros(max(first + len(more), len(counts)))
    longer[: len(counts)] = counts
    longer[first : first + len(more)] += more
    return longer


def _require_few(name: str, requests: int) -> None:
    if requests > MOST_REQUESTS:
        raise CommandError(
            f"{name}: more than {MOST_REQUESTS:,} requests; use --fidelity step, or a shorter file"
        )
