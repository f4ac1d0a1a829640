"""Arrivals from a CSV file: counts or rates per bin of one width, or one row per request; of one policy or of many."""

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inference_cost.cli.backtest.csv_file import Chunk, CsvTable, Floats, open_table
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.failure import CommandError
from inference_cost.simulate.traffic import Traffic

TIME, COUNT, POLICY = "t_s", "count", "policy"
REQUEST_BIN_SECONDS = 1.0
REQUEST_PHASE_SECONDS = 10.0  # single requests are shifted by whole steps of the simulator
WIDTH_TOLERANCE = 1e-3  # of a bin
LONGEST_SECONDS = 400 * 86_400.0
MOST_TIMES = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """Traffic by policy as named in the file; "" where the file has no column `policy`.

    `origin_seconds`: time in the file that is 0 in the traffic. `form`: counts, rates or requests.
    """

    traffic: dict[str, Traffic]
    form: str
    column: str
    origin_seconds: float
    file: FileRead

    @property
    def by_policy(self) -> bool:
        return "" not in self.traffic


def read_arrivals(
    path: str, *, column: str = "", rate_column: str = "", keep_times: bool = False
) -> Arrivals:
    """Read arrivals. `column`: of counts (else `count`); `rate_column`: of requests/s instead.

    Without any of these a row is one request; its own time is kept with `keep_times`, else only its bin of 1 s.

    Raises:
        CommandError: the file is not what it should be; names line, column and what to do.
    """
    with open_table(path) as table:
        table.require(TIME)
        name, form = _value_column(table, column, rate_column)
        if form == "requests":
            traffic, origin = _read_requests(table, keep_times=keep_times)
        else:
            traffic, origin = _read_bins(table, name, rates=form == "rates")
        file = table.read_file("arrivals")
    _require_requests(table.name, traffic)
    return Arrivals(traffic=traffic, form=form, column=name, origin_seconds=origin, file=file)


def _value_column(table: CsvTable, column: str, rate_column: str) -> tuple[str, str]:
    if rate_column:
        table.require(rate_column)
        return rate_column, "rates"
    if column:
        table.require(column)
        return column, "counts"
    if COUNT in table.columns:
        return COUNT, "counts"
    if POLICY in table.columns:
        table.require(COUNT, "arrivals of many policies are given as policy,t_s,count")
    return TIME, "requests"


def _require_requests(name: str, traffic: dict[str, Traffic]) -> None:
    for policy, one in traffic.items():
        if one.requests <= 0:
            of = f" of policy {policy!r}" if policy else ""
            raise CommandError(f"{name}: every count{of} is 0: there is nothing to replay")


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


def _read_bins(table: CsvTable, column: str, *, rates: bool) -> tuple[dict[str, Traffic], float]:
    bins: dict[str, _Bins] = {}
    for chunk in table.chunks():
        times, values = chunk.numbers(TIME, column)
        if values.min() < 0:
            chunk.fail(int(np.argmax(values < 0)), column, "must not be negative")
        for policy, chosen in _groups(table, chunk):
            one = bins.setdefault(policy, _Bins(policy))
            one.take(chunk, chosen, times[chosen], values[chosen])
    origin = min(one.first for one in bins.values())
    return {name: _bins_traffic(table.name, one, rates=rates) for name, one in bins.items()}, origin


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


def _too_long(seconds: float) -> str:
    return (
        f"the file covers {seconds / 86_400:,.0f} days, the most is {LONGEST_SECONDS / 86_400:.0f}; are "
        "the times in seconds?"
    )


# --- one row per request -------------------------------------------------------------------------


def _read_requests(table: CsvTable, *, keep_times: bool) -> tuple[dict[str, Traffic], float]:
    counts, times = np.zeros(0), array("d")
    origin, last = 0.0, -np.inf
    for chunk in table.chunks():
        (seen,) = chunk.numbers(TIME)
        if last == -np.inf:
            origin = float(seen[0] // REQUEST_PHASE_SECONDS * REQUEST_PHASE_SECONDS)
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
    return {"": Traffic(width_seconds=REQUEST_BIN_SECONDS, counts=counts, times=kept)}, origin


def _counted(counts: Floats, times: Floats) -> Floats:
    """Counts per second, with requests at ascending `times` added."""
    first = int(times[0] // REQUEST_BIN_SECONDS)
    more = np.bincount((times // REQUEST_BIN_SECONDS).astype(np.int64) - first)
    longer = np.zeros(max(first + len(more), len(counts)))
    longer[: len(counts)] = counts
    longer[first : first + len(more)] += more
    return longer


def _require_few(name: str, requests: int) -> None:
    if requests > MOST_TIMES:
        raise CommandError(
            f"{name}: more than {MOST_TIMES:,} requests; use `--fidelity step`, or a shorter file"
        )
