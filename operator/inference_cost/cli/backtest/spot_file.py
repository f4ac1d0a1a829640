"""Availability of spot capacity by zone from a CSV file: `t_s` and one column of 0 and 1 per zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from inference_cost.cli.backtest.arrivals import TIME
from inference_cost.cli.backtest.csv_file import Chunk, CsvTable, Floats, open_table
from inference_cost.cli.backtest.text_file import FileRead
from inference_cost.cli.failure import CommandError
from inference_cost.simulate.scenario import SpotMarket


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Availability:
    """The file as it is, times in its own clock. `available[i, z]`: from `times_seconds[i]` until the next time."""

    zones: tuple[str, ...]
    times_seconds: Floats
    available: Floats
    file: FileRead


def read_availability(path: str) -> Availability:
    """Read the file.

    Raises:
        CommandError: it is not what it should be; names line, column and what to do.
    """
    with open_table(path) as table:
        table.require(TIME)
        zones = tuple(column for column in table.columns if column != TIME)
        if not zones:
            raise CommandError(f"{table.name}, line 1: there is no column of a zone beside {TIME}")
        times, available = _columns(table, zones)
        file = table.read_file("spot availability")
    return Availability(zones=zones, times_seconds=times, available=available, file=file)


def _columns(table: CsvTable, zones: Sequence[str]) -> tuple[Floats, Floats]:
    all_times, all_values, last = [], [], -np.inf
    for chunk in table.chunks():
        times, *values = chunk.numbers(TIME, *zones)
        _require_ascending(chunk, times, last)
        for zone, column in zip(zones, values, strict=True):
            wrong = (column != 0) & (column != 1)
            if wrong.any():
                chunk.fail(int(np.argmax(wrong)), zone, "must be 0 (none) or 1 (available)")
        last = float(times[-1])
        all_times.append(times)
        all_values.append(np.column_stack(values))
    return np.concatenate(all_times), np.concatenate(all_values)


def _require_ascending(chunk: Chunk, times: Floats, last: float) -> None:
    steps = np.diff(times, prepend=last)
    if steps.min() <= 0:
        at = int(np.argmax(steps <= 0))
        before = times[at - 1] if at else last
        chunk.fail(at, TIME, f"comes after {before:.12g}: times must ascend, each only once")


def spot_market(
    availability: Availability,
    prices: Mapping[str, Decimal],
    *,
    origin_seconds: float,
    seconds: float,
    notice_seconds: float,
) -> SpotMarket:
    """The market over a run of `seconds` that starts at `origin_seconds` of the file's clock.

    Raises:
        CommandError: zones of file and pools are not the same, or the file does not cover the start.
    """
    _require_same_zones(availability, prices)
    name, times = availability.file.name, availability.times_seconds - origin_seconds
    if times[0] > 0 or times[-1] < 0 or times[0] >= seconds:
        raise CommandError(
            f"{name}: it covers {times[0]:.12g} s to {times[-1]:.12g} s of the run, whose first second it "
            f"must cover; {TIME} is on the same clock as in the arrivals"
        )
    first = int(np.searchsorted(times, 0.0, side="right")) - 1
    return SpotMarket(
        zones=availability.zones,
        times_seconds=np.maximum(times[first:], 0.0),
        available=availability.available[first:] > 0,
        price_per_hour=tuple(prices[zone] for zone in availability.zones),
        notice_seconds=notice_seconds,
    )


def _require_same_zones(availability: Availability, prices: Mapping[str, Decimal]) -> None:
    name = availability.file.name
    if not prices:
        raise CommandError(
            f"{name}: -f has no spot CapacityPool with offerings by zone; add one whose nodeSelector says "
            "spot (karpenter.sh/capacity-type: spot) and whose spec.offerings[].zone are "
            f"{', '.join(availability.zones)}"
        )
    known, columns = ", ".join(sorted(prices)), ", ".join(availability.zones)
    for zone in availability.zones:
        if zone not in prices:
            raise CommandError(
                f"{name}, line 1, column {zone}: no spot CapacityPool in -f has an offering in a zone of "
                f"that name (zones there: {known}); rename or remove the column, or add the offering"
            )
    for zone in sorted(prices.keys() - set(availability.zones)):
        raise CommandError(
            f"{name}: it has no column for the zone {zone} that a spot CapacityPool in -f offers (columns: "
            f"{columns}); add the column, or remove the offering"
        )
