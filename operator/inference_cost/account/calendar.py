"""Months and days of money: those of UTC, wherever the cluster is. A day has 24 hours."""

from datetime import UTC, datetime
from functools import lru_cache

DAY_SECONDS = 86_400


def month_of(at: float) -> str:
    """Of epoch seconds: "2026-11"."""
    return date_of(at)[:7]


@lru_cache(maxsize=64)
def month_start(month: str) -> float:
    """Epoch seconds of the first moment of `month`."""
    return datetime.strptime(f"{month}-01+0000", "%Y-%m-%d%z").timestamp()


def month_end(at: float) -> float:
    """First moment of the month after that of `at`."""
    moment = datetime.fromtimestamp(at, UTC)
    year, month = divmod(moment.year * 12 + moment.month, 12)
    return month_start(f"{year}-{month + 1:02}")


def date_of(at: float) -> str:
    """Of epoch seconds: "2026-11-27"."""
    return _date_of_day(int(at // DAY_SECONDS))


def time_text(at: float) -> str:
    """Of epoch seconds, to the second: "2026-11-27T23:00:00Z"."""
    return datetime.fromtimestamp(round(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=64)
def _date_of_day(day: int) -> str:
    """Asked for every policy at every look, of very few days."""
    return datetime.fromtimestamp(day * DAY_SECONDS, UTC).strftime("%Y-%m-%d")
