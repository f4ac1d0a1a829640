"""The services of which the average is taken, and the days on which they are looked at."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.traces.catalog import IDC, NAB_WIDTH_SECONDS, TRACES, WIDTH_SECONDS
from benchmarks.traces.columns import Floats, find, read_columns
from benchmarks.traces.redraw import draw, finer
from benchmarks.traces.variants import DAY_SECONDS
from inference_cost.simulate.traffic import Traffic

DAYS: Final = (1, 4, 8, 11)  # counted from 0; of traces that are shorter the first
LEAST_DAY: Final = 0.1  # of the mean: days with less say little
CLIENT_WINDOW_SECONDS: Final = 600.0
NAB_FILE: Final = "nab_twitter_volume_5min.csv.gz"
NAB_OTHERS: Final = ("AAPL", "CRM", "CVS", "FB")
NAB_DAYS: Final = 14
LEAST_COUNT: Final = 30.0  # mean of a window: scaling fewer multiplies what is chance
# The largest clients of a service are loads of their own: their ten minutes do not go together.
CLIENTS: Final = {
    "servegen_mlarge_clients_10min.csv.gz": ("m-large", 8),
    "servegen_deepseekr1_clients_10min.csv.gz": ("deepseek-r1", 3),
}
# Level of the redrawn ones: high enough that the draw's own noise is small beside the load's.
MEAN_PER_SECOND: Final = 200.0
SEED: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    name: str
    traffic: Traffic

    def days(self) -> Iterator[tuple[int, Floats]]:
        """Day and its counts, in the traffic's bins."""
        width, bins = self.traffic.width_seconds, round(DAY_SECONDS / self.traffic.width_seconds)
        last = len(self.traffic.counts) // bins
        for day in DAYS if last > DAYS[-1] else (0,):
            counts = self.traffic.counts[day * bins : (day + 1) * bins]
            if counts.sum() >= LEAST_DAY * self.traffic.mean_rate * width * bins:
                yield day, counts


def services(extra: Path | None) -> Iterator[Service | str]:
    """One after the other; what is left out by the name of the file that is missing."""
    for trace in TRACES:
        missing = trace.missing(extra)
        if trace.drawn:  # the other is an hour long
            traffic = None if missing else trace.load(extra)
            yield missing[0] if traffic is None else Service(name=trace.name, traffic=traffic)
    yield from _of_file(NAB_FILE, extra, _nab)
    for name in CLIENTS:
        yield from _of_file(name, extra, _clients)


def _of_file(
    name: str, extra: Path | None, read: Callable[[Path], Iterator[Service]]
) -> Iterator[Service | str]:
    path = find(name, extra)
    if path is None:
        yield name
    else:
        yield from read(path)


def _nab(path: Path) -> Iterator[Service]:
    columns, windows = read_columns(path), round(NAB_DAYS * DAY_SECONDS / NAB_WIDTH_SECONDS)
    for company in NAB_OTHERS:
        counts = np.nan_to_num(columns[company][:windows])
        if counts.mean() >= LEAST_COUNT:
            yield _redrawn(f"NAB {company}", counts, NAB_WIDTH_SECONDS)


def _clients(path: Path) -> Iterator[Service]:
    """The largest, by requests."""
    service, most = CLIENTS[path.name]
    rates = _rates_by_client(path)
    largest = sorted(rates, key=lambda client: (-sum(rates[client].values()), client))[:most]
    windows = 1 + max(window for seen in rates.values() for window in seen)
    for client in largest:
        series = np.array([rates[client].get(window, 0.0) for window in range(windows)])
        yield _redrawn(f"{service} client {client}", series, CLIENT_WINDOW_SECONDS)


def _rates_by_client(path: Path) -> dict[str, dict[int, float]]:
    """Requests/s by window in which there were any."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    with gzip.open(path, "rt") as lines:
        for row in csv.DictReader(lines):
            found[row["client"]][int(row["w"])] = float(row["rate_rps"])
    return found


def _redrawn(name: str, series: Floats, width_seconds: float) -> Service:
    """`series`: in any unit; scaled to the usual mean."""
    means = finer(series * (MEAN_PER_SECOND / series.mean()), width_seconds, WIDTH_SECONDS)
    counts = draw(means * WIDTH_SECONDS, IDC, SEED)
    return Service(name=name, traffic=Traffic(width_seconds=WIDTH_SECONDS, counts=counts))
