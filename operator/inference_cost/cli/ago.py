"""Times as people write them: 7d, 36h, 90m ago, or a date."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from inference_cost.cli.failure import usage

UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
LEAST_SECONDS = 1.0
EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC).timestamp()  # Kubernetes 1.0 is younger
LONGEST_SECONDS: Final = 3650 * 86_400.0
_AGO: Final = re.compile(r"-?([1-9]\d{0,11})([smhdw])")  # more digits are no time


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """From when to when, epoch seconds."""

    begin: float
    end: float


def times_of(since: str, until: str, now: float, *, least_seconds: float = LEAST_SECONDS) -> Times:
    """Of --since and --until.

    Raises:
        CommandError: these are no times, the end is in the future, or there is nothing in between.
    """
    begin, end = moment(since, "--since", now), moment(until, "--until", now)
    if end > now:
        raise usage(f"--until {until} is in the future")
    if end - begin < least_seconds:
        raise usage(f"--since {since} must be before --until {until}")
    return Times(begin=begin, end=end)


def seconds_ago(text: str, option: str) -> float:
    """Of 7d or -7d.

    Raises:
        CommandError: it is no such time, or longer ago than ten years.
    """
    found = _AGO.fullmatch(text)
    if not found:
        raise usage(f"{option} {text}: must be a time ago such as 7d, 36h or 90m")
    seconds = int(found[1]) * UNITS[found[2]]
    if seconds > LONGEST_SECONDS:
        raise usage(f"{option} {text}: must be {LONGEST_SECONDS / UNITS['d']:.0f}d at most")
    return seconds


def moment(text: str, option: str, now: float) -> float:
    """Epoch seconds of `now`, `-7d` or `7d` and the like, or an RFC 3339 time.

    Raises:
        CommandError: it is none of these, or before 2015.
    """
    found = _moment(text, option, now)
    if found < EARLIEST:
        raise usage(f"{option} {text} is before 2015: give a later time, such as -30d")
    return found


def _moment(text: str, option: str, now: float) -> float:
    if text == "now":
        return now
    ago = _AGO.fullmatch(text)
    if ago:
        return now - int(ago[1]) * UNITS[ago[2]]
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise usage(
            f"{option} {text}: must be now, a time ago such as -7d, -36h or -90m, or a time such as "
            "2026-01-31T08:00:00Z"
        ) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
