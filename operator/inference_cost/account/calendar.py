"""Months and days of money: those of UTC, wherever the cluster is. A day has 24 hours."""

from datetime import UTC, datetime

DAY_SECONDS = 86_400


def month_of(at: float) -> str:
    """Of epoch seconds: "2026-11"."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


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
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
