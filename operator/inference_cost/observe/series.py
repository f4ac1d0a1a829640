"""Raw series of a range selector: samples cleaned, counters turned into increases."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

Samples = tuple[tuple[float, float], ...]  # (epoch seconds, value), ascending, finite, not negative
_LARGEST = 1e15  # beyond: blank sentinels of exporters, not measurements


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of one window. `dropped`: samples that were not finite, negative or absurdly large."""

    name: str
    labels: Mapping[str, str]
    samples: Samples
    dropped: int = 0

    @property
    def first_at(self) -> float:
        return self.samples[0][0]

    @property
    def last_at(self) -> float:
        return self.samples[-1][0]

    @property
    def last_value(self) -> float:
        return self.samples[-1][1]


def parse_series(entry: Mapping[str, Any]) -> Series:
    """One entry of a matrix (`values`) or vector (`value`) result."""
    labels = entry.get("metric") or {}
    raw = entry.get("values") or ([entry["value"]] if "value" in entry else [])
    samples = clean(raw)
    return Series(
        name=labels.get("__name__", ""),
        labels=labels,
        samples=samples,
        dropped=len({float(at) for at, _ in raw}) - len(samples),
    )


def clean(raw: Iterable[Sequence[Any]]) -> Samples:
    """Samples in order of time, one per instant, without NaN, infinities, negatives and sentinels."""
    by_time = {}
    for at, text in raw:
        try:
            value = float(text)
        except (TypeError, ValueError):
            value = math.nan
        if math.isfinite(value) and 0 <= value <= _LARGEST:
            by_time[float(at)] = value
        else:
            by_time.setdefault(float(at), -1.0)
    return tuple(sorted((at, value) for at, value in by_time.items() if value >= 0))


def increase(samples: Samples) -> float:
    """Growth of a counter from its first to its last sample; a fall is a restart from zero."""
    pairs = pairwise(samples)
    return sum(now - before if now >= before else now for (_, before), (_, now) in pairs)


def mean(samples: Samples) -> float:
    return statistics.fmean(value for _, value in samples)


def typical_interval_seconds(many: Iterable[Series]) -> float | None:
    """Median distance of neighboring samples: the scrape interval as it really is."""
    gaps = [
        after - before for series in many for (before, _), (after, _) in pairwise(series.samples)
    ]
    return statistics.median(gaps) if gaps else None
